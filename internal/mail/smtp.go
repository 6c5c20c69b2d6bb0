package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"os"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// What an operator may say of STARTTLS.
const (
	tlsRequire = "require"
	tlsOff     = "off"
)

// sender is the Mailer of an SMTP server.
type sender struct {
	host, port     string
	user, password string
	from           *mail.Address
	domain         string // of from
	policy         string // tlsRequire, tlsOff or "" = when offered
	implicit       bool   // TLS from the start
	tls            *tls.Config
	timeout        time.Duration
}

// Send implements Mailer.
func (s *sender) Send(ctx context.Context, m Message) (string, error) {
	to, err := address(m.To)
	if err != nil {
		return "", err
	}
	composed, err := s.compose(m, to)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return "", failure(ctx, err, false)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // ends whatever read or write is under way
	client, err := s.open(conn)
	if err != nil {
		return "", failure(ctx, err, false)
	}
	client.SkipSMTPUTF8(isASCII(s.from.Address + to.Address)) // not every server on the way knows it
	if err := client.Mail("<" + s.from.Address + ">"); err != nil {
		return "", failure(ctx, err, false) // what they have against the sender is for the operator to put right
	}
	answer, err := transfer(client, to.Address, composed)
	if err != nil {
		return "", failure(ctx, err, true)
	}
	_ = client.Quit() // the mail is theirs already
	return answer, nil
}

// compose writes the mail: one part, plain text, in characters that every server passes on.
func (s *sender) compose(m Message, to *mail.Address) (*gomail.Msg, error) {
	id, err := messageID(m.ID, s.domain)
	if err != nil {
		return nil, err
	}
	composed := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingQP), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithNoDefaultUserAgent())
	composed.FromMailAddress(s.from)
	composed.ToMailAddress(to)
	composed.Subject(line(m.Subject))
	composed.SetMessageIDWithValue(id)
	composed.SetDateWithValue(m.Date)
	composed.SetGenHeader("Auto-Submitted", "auto-generated") // nobody's absence note answers it
	composed.SetBodyString(gomail.TypeTextPlain, strings.ToValidUTF8(m.Body, "\uFFFD"))
	return composed, nil
}

func (s *sender) dial(ctx context.Context) (net.Conn, error) {
	address := net.JoinHostPort(s.host, s.port)
	if s.implicit {
		return (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// open greets the server, turns to TLS and signs in.
func (s *sender) open(conn net.Conn) (*smtp.Client, error) {
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, err
	}
	if err := client.Hello(hostname()); err != nil {
		return nil, err
	}
	if !s.implicit && s.policy != tlsOff {
		offered, _ := client.Extension("STARTTLS")
		if offered {
			err = client.StartTLS(s.tls)
		} else if s.policy == tlsRequire {
			err = errors.New("the server does not offer STARTTLS, which SMTP_URL requires")
		}
		if err != nil {
			return nil, err
		}
	}
	if s.user == "" {
		return client, nil
	}
	return client, s.signIn(client)
}

// signIn uses the best way that the server knows. PLAIN and LOGIN refuse a connection without TLS, unless it is to this machine.
func (s *sender) signIn(client *smtp.Client) error {
	_, list := client.Extension("AUTH")
	ways := " " + list + " "
	switch {
	case strings.Contains(ways, " SCRAM-SHA-256 "):
		return client.Auth(smtp.ScramSHA256Auth(s.user, s.password))
	case strings.Contains(ways, " PLAIN "):
		return client.Auth(smtp.PlainAuth("", s.user, s.password, s.host, false))
	case strings.Contains(ways, " LOGIN "):
		return client.Auth(smtp.LoginAuth(s.user, s.password, s.host, false))
	default:
		return errors.New("the server offers no way to sign in that we know (SCRAM-SHA-256, PLAIN, LOGIN)")
	}
}

// transfer hands the mail over and returns what the server says to it.
func transfer(client *smtp.Client, to string, m *gomail.Msg) (string, error) {
	if err := client.Rcpt("<" + to + ">"); err != nil {
		return "", err
	}
	data, err := client.Data()
	if err != nil {
		return "", err
	}
	if _, err := m.WriteTo(data); err != nil {
		return "", err
	}
	if err := data.Close(); err != nil {
		return "", err
	}
	if d, ok := data.(interface{ ServerResponse() string }); ok {
		return line("250 " + d.ServerResponse()), nil
	}
	return "250", nil
}

// failure tells what err means for the mail. aboutMail says that the server was asked to take this very one.
func failure(ctx context.Context, err error, aboutMail bool) error {
	var reply *textproto.Error
	switch {
	case errors.As(err, &reply):
		permanent := aboutMail && reply.Code >= 500 && reply.Code != 530 // "sign in first"
		return &Error{Permanent: permanent, Answer: line(fmt.Sprintf("%d %s", reply.Code, reply.Msg)), cause: err}
	case ctx.Err() != nil:
		return &Error{Answer: "the server did not answer in time", cause: errors.Join(ctx.Err(), err)}
	default:
		return &Error{Answer: line(err.Error()), cause: err}
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}
