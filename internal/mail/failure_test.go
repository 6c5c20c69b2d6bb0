package mail

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the server says of the mail or its recipient for good is permanent; what may be otherwise next time is not.
func TestSendRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		at        string // the command that is answered otherwise
		reply     string
		permanent bool
		answer    string
	}{
		"greeting":         {greeting, "554 no service", false, "554 no service"},
		"sender":           {"MAIL", "550 5.7.1 not from you", false, "550 5.7.1 not from you"},
		"sign in first":    {"RCPT", "530 5.7.0 sign in first", false, "530 5.7.0 sign in first"},
		"no such mailbox":  {"RCPT", "550 5.1.1 no such\n550 mailbox", true, "550 5.1.1 no such"},
		"greylisted":       {"RCPT", "451 4.7.1 try again later", false, "451 4.7.1 try again later"},
		"not now":          {"DATA", "421 4.3.2 shutting down", false, "421 4.3.2 shutting down"},
		"content":          {".", "554 5.6.0 we do not like this", true, "554 5.6.0 we do not like this"},
		"mailbox is full":  {".", "452 4.2.2 over quota", false, "452 4.2.2 over quota"},
		"not a reply":      {"RCPT", "what?", false, ""},
		"hangs up at once": {greeting, "", false, "EOF"},
		"hangs up":         {"RCPT", "", false, "EOF"},
		"hangs up in data": {".", "", false, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := script(t, func(line string) string {
				if matches(line, test.at) {
					return test.reply
				}
				return ordinary(line)
			})
			_, err := to(t, "smtp://"+address).Send(t.Context(), letter)
			require.Error(t, err)
			assert.Equal(t, test.permanent, IsPermanent(err), err)
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Answer, test.answer)
		})
	}
}

func matches(line, command string) bool {
	return line == command || command != "." && strings.HasPrefix(line, command)
}

// ordinary is what a server without extensions says.
func ordinary(line string) string {
	switch {
	case line == greeting:
		return "220 mx.test"
	case strings.HasPrefix(line, "EHLO"), strings.HasPrefix(line, "MAIL"), strings.HasPrefix(line, "RCPT"), line == ".":
		return "250 fine"
	case line == "DATA":
		return "354 go ahead"
	case line == "QUIT":
		return "221 bye"
	case line == "*": // after a failed sign-in
		return "501 cancelled"
	default:
		return "-" // a line of the mail
	}
}

// A server that stays silent, at whatever stage, holds nobody longer than the timeout or the caller's ctx.
func TestSendTimeout(t *testing.T) {
	t.Parallel()
	for _, at := range []string{greeting, "EHLO", "MAIL", "RCPT", "DATA", "."} {
		t.Run("silent at "+at, func(t *testing.T) {
			t.Parallel()
			address, _ := script(t, func(line string) string {
				if matches(line, at) {
					return "-"
				}
				return ordinary(line)
			})
			s := to(t, "smtp://"+address)
			s.timeout = 50 * time.Millisecond
			_, err := s.Send(t.Context(), letter)
			assert.ErrorContains(t, err, "did not answer in time")
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.False(t, IsPermanent(err))
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	address, _ := script(t, func(line string) string {
		if line == "DATA" {
			cancel()
			return "-"
		}
		return ordinary(line)
	})
	_, err := to(t, "smtp://"+address).Send(ctx, letter)
	assert.ErrorIs(t, err, context.Canceled)
}

// Nobody listens.
func TestSendNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = to(t, "smtp://"+l.Addr().String()).Send(t.Context(), letter)
	require.Error(t, err)
	assert.False(t, IsPermanent(err))
}

// A mail that the server has taken is sent, even when the connection breaks with the answer.
func TestSendConnectionLostAfterwards(t *testing.T) {
	t.Parallel()
	address, _ := script(t, func(line string) string {
		if line == "QUIT" {
			return ""
		}
		return ordinary(line)
	})
	answer, err := to(t, "smtp://"+address).Send(t.Context(), letter)
	require.NoError(t, err)
	assert.Equal(t, "250 fine", answer)
}

// A server that breaks off before it answers may or may not have the mail: it is tried again.
func TestSendConnectionLostBefore(t *testing.T) {
	t.Parallel()
	sink := newSink(t, func(s *sink) {
		s.onData = func(c *smtp.Conn) error {
			_ = c.Close()
			return errors.New("gone")
		}
	})
	_, err := to(t, "smtp://"+sink.address).Send(t.Context(), letter)
	require.Error(t, err)
	assert.False(t, IsPermanent(err))
}

// The sink's own refusals come through as well.
func TestSendRefusedRecipient(t *testing.T) {
	t.Parallel()
	sink := newSink(t, func(s *sink) {
		s.onRcpt = func(string) error {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
	})
	_, err := to(t, "smtp://"+sink.address).Send(t.Context(), letter)
	assert.True(t, IsPermanent(err))
	assert.ErrorContains(t, err, "550 5.1.1 no such user")
}
