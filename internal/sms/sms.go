package sms

import (
	"context"
	"errors"
	"log/slog"
)

// Message is a text message to one person.
type Message struct {
	ID   string // unique and the same for every try
	To   string // E.164
	Text string
}

// Sender sends text messages. Send returns the service's answer to one that it has taken; ErrKept when it is not meant to leave; else an error, of which
// IsPermanent tells whether another try makes sense.
type Sender interface {
	Send(ctx context.Context, m Message) (answer string, err error)
}

// ErrKept is the answer of a sender that sends nothing.
var ErrKept = errors.New("sms: no service is configured")

// Error is a message that was not sent.
type Error struct {
	Permanent bool   // no later try will do better
	Answer    string // what the service said, or what went wrong before it could; for administrators
	cause     error
}

// Error returns the answer.
func (e *Error) Error() string { return "sms: " + e.Answer }

// Unwrap returns the cause; nil when there is none but the answer.
func (e *Error) Unwrap() error { return e.cause }

// IsPermanent tells whether no later try will do better.
func IsPermanent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Permanent
}

// Log is the sender where no service is configured: it notes that there was a message, and to roughly whom.
type Log struct{ Log *slog.Logger }

// Send implements Sender.
func (l Log) Send(ctx context.Context, m Message) (string, error) {
	l.Log.InfoContext(ctx, "a text message is kept: no SMS_URL", slog.String("delivery", m.ID), slog.String("to", Masked(m.To)))
	return "", ErrKept
}

const shownDigits = 3

// Masked shows the last digits of a number alone.
func Masked(number string) string {
	if len(number) <= shownDigits {
		return "…"
	}
	return "…" + number[len(number)-shownDigits:]
}
