package mail

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

const defaultTimeout = 15 * time.Second

// FromURL returns the mailer that SMTP_URL describes: smtp://user:password@host:port?from=Practice+<noreply@practice.example>, with STARTTLS when
// the server offers it, or smtps:// with TLS from the start. tls=require refuses a server without STARTTLS, tls=off does not use it. The ports are
// 587 and 465 unless another is given. Errors tell what is wrong and never show the URL, which holds a password.
func FromURL(raw string) (Mailer, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("SMTP_URL is not a URL like smtp://user:password@host:587?from=noreply@practice.example")
	}
	s := &sender{host: u.Hostname(), port: u.Port(), timeout: defaultTimeout, policy: u.Query().Get("tls")}
	s.tls = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	switch u.Scheme {
	case "smtp":
		s.port = or(s.port, "587")
	case "smtps":
		s.port, s.implicit = or(s.port, "465"), true
	default:
		return nil, errors.New("SMTP_URL starts with smtp:// or smtps://")
	}
	if s.host == "" {
		return nil, errors.New("SMTP_URL names no host")
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	for name := range u.Query() {
		if !slices.Contains([]string{"from", "tls"}, name) {
			return nil, fmt.Errorf("SMTP_URL has an unknown setting %q; there are from and tls", name)
		}
	}
	if !slices.Contains([]string{"", tlsRequire, tlsOff}, s.policy) {
		return nil, errors.New("tls in SMTP_URL is require or off; without it STARTTLS is used when the server offers it")
	}
	if s.implicit && s.policy == tlsOff {
		return nil, errors.New("SMTP_URL asks for smtps:// and tls=off at once")
	}
	return s, s.setFrom(u.Query().Get("from"))
}

func (s *sender) setFrom(text string) error {
	from, err := mail.ParseAddress(text)
	if err == nil {
		_, err = address(from.Address) // a quoted one would not survive the commands
	}
	if err != nil {
		return errors.New("from in SMTP_URL is not a mail address; it is the sender of all mails, as from=noreply@practice.example")
	}
	s.from = from
	s.domain = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	return nil
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
