package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
)

// Message is a mail to one person.
type Message struct {
	ID      string // unique and the same for every try; letters, digits and hyphens
	To      string // bare address
	Subject string
	Body    string // plain text
	Date    time.Time
}

// Mailer sends mails. Send returns the server's answer to a mail that it has taken; else an error, of which IsPermanent tells
// whether another try makes sense.
type Mailer interface {
	Send(ctx context.Context, m Message) (answer string, err error)
}

// Error is a mail that was not sent.
type Error struct {
	Permanent bool   // no later try will do better
	Answer    string // what the server said, or what went wrong before it could; for administrators
	cause     error
}

// Error returns the answer.
func (e *Error) Error() string { return "mail: " + e.Answer }

// Unwrap returns the cause; nil when there is none but the answer.
func (e *Error) Unwrap() error { return e.cause }

// IsPermanent tells whether no later try will do better.
func IsPermanent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Permanent
}

// address parses a bare mail address.
func address(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return nil, &Error{Permanent: true, Answer: "the recipient is not a mail address"}
	}
	return a, nil
}

// line returns s on one line: a subject is not the place for control characters.
func line(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// messageID makes the Message-ID in the sender's domain.
func messageID(id, domain string) (string, error) {
	if id == "" || strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}) {
		return "", &Error{Permanent: true, Answer: fmt.Sprintf("the id %q of the mail is not usable", id)}
	}
	return id + "@" + domain, nil
}
