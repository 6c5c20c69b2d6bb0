package mail

import (
	"crypto/tls"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// to returns a sender to the address, less patient than the one for servers far away.
func to(t *testing.T, url string) *sender {
	t.Helper()
	m, err := FromURL(url + "?from=Practice+<noreply@practice.test>")
	require.NoError(t, err)
	s := m.(*sender)
	s.timeout = 5 * time.Second
	return s
}

var letter = Message{
	ID: "0194a1b2-0000-7000-8000-000000000015", To: "noor@b.test", Subject: "Your visit – Wednesday", Body: "Dear Noor,\n\n.\nüber alles: " + strings.Repeat("x", 2000) + "\n",
	Date: time.Date(2025, time.January, 15, 0, 0, 0, 0, time.UTC),
}

// The server gets a plain-text mail in UTF-8 with a stable id, and its answer comes back.
func TestSend(t *testing.T) {
	t.Parallel()
	sink := newSink(t, nil)
	for range 2 {
		answer, err := to(t, "smtp://"+sink.address).Send(t.Context(), letter)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(answer, "250 "), answer)
	}
	require.Len(t, sink.got(), 2)
	for _, got := range sink.got() {
		assert.Equal(t, "noreply@practice.test", got.from)
		assert.Equal(t, "noor@b.test", got.to)
		m, err := mail.ReadMessage(strings.NewReader(got.data))
		require.NoError(t, err)
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		require.NoError(t, err)
		assert.Equal(t, letter.Subject, subject)
		assert.Equal(t, "<"+letter.ID+"@practice.test>", m.Header.Get("Message-ID"))
		assert.Equal(t, `"Practice" <noreply@practice.test>`, m.Header.Get("From"))
		assert.Equal(t, "<noor@b.test>", m.Header.Get("To"))
		assert.Equal(t, "Wed, 15 Jan 2025 00:00:00 +0000", m.Header.Get("Date"))
		assert.Equal(t, "text/plain; charset=UTF-8", m.Header.Get("Content-Type"))
		assert.Equal(t, "auto-generated", m.Header.Get("Auto-Submitted"))
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		require.NoError(t, err)
		assert.Equal(t, letter.Body, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
}

// No text adds a header, a recipient or a command.
func TestSendInjection(t *testing.T) {
	t.Parallel()
	sink := newSink(t, nil)
	s := to(t, "smtp://"+sink.address)
	nasty := letter
	nasty.Subject = "Hi\r\nBcc: victim@b.test\r\n\r\nother body\x00"
	nasty.Body = "one\r\n.\r\nMAIL FROM:<x@y.test>\r\nQUIT\r\n"
	_, err := s.Send(t.Context(), nasty)
	require.NoError(t, err)
	require.Len(t, sink.got(), 1)
	m, err := mail.ReadMessage(strings.NewReader(sink.got()[0].data))
	require.NoError(t, err)
	assert.Empty(t, m.Header.Get("Bcc"))
	assert.Equal(t, "Hi  Bcc: victim@b.test    other body", m.Header.Get("Subject"))
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	require.NoError(t, err)
	assert.Contains(t, string(body), "MAIL FROM:<x@y.test>")

	for _, address := range []string{
		"", "nobody", "a@b.test, c@d.test", "A <a@b.test>", "<a@b.test>", "a@b.test\r\nBcc: c@d.test", "a@b.test> NOTIFY=NEVER", `"a b"@c.test`, " a@b.test",
	} {
		wrong := letter
		wrong.To = address
		_, err := s.Send(t.Context(), wrong)
		assert.True(t, IsPermanent(err), address)
	}
	for _, id := range []string{"", "a b", "a>\r\nX: y", "ä"} {
		wrong := letter
		wrong.ID = id
		_, err := s.Send(t.Context(), wrong)
		assert.True(t, IsPermanent(err), id)
	}
	assert.Len(t, sink.got(), 1)
}

// STARTTLS is used where it is offered, required where SMTP_URL says so, and smtps is TLS from the start; always with a certificate we trust.
func TestSendTLS(t *testing.T) {
	t.Parallel()
	plain := newSink(t, nil)
	secure := newSink(t, func(s *sink) { withTLS(t, s) })
	ways := func(s *sender, err string) {
		t.Helper()
		_, got := s.Send(t.Context(), letter)
		if err == "" {
			assert.NoError(t, got)
			return
		}
		assert.ErrorContains(t, got, err)
		assert.False(t, IsPermanent(got))
	}
	trusting := func(url string) *sender {
		s := to(t, url)
		s.tls.RootCAs = secure.roots
		return s
	}
	ways(trusting("smtp://"+secure.address), "")
	ways(to(t, "smtp://"+secure.address), "certificate")
	off := to(t, "smtp://"+secure.address)
	off.policy = tlsOff
	ways(off, "")
	required := trusting("smtp://" + secure.address)
	required.policy = tlsRequire
	ways(required, "")
	required = to(t, "smtp://"+plain.address)
	required.policy = tlsRequire
	ways(required, "does not offer STARTTLS")
	assert.Empty(t, plain.got())
	assert.Len(t, secure.got(), 3)
}

// TLS from the start.
func TestSendImplicitTLS(t *testing.T) {
	t.Parallel()
	sink := newSink(t, func(s *sink) { withTLS(t, s) })
	s := to(t, "smtps://"+sink.listen(t, func(l net.Listener) net.Listener { return tls.NewListener(l, sink.server.TLSConfig) }))
	_, err := s.Send(t.Context(), letter)
	require.ErrorContains(t, err, "certificate")
	s.tls.RootCAs = sink.roots
	_, err = s.Send(t.Context(), letter)
	require.NoError(t, err)
	assert.Len(t, sink.got(), 1)
}

// The password goes over TLS or to this machine; a refused sign-in says nothing against the mail.
func TestSignIn(t *testing.T) {
	t.Parallel()
	server := func(reply string) (url string, told func() string) {
		address, told := script(t, func(line string) string {
			switch {
			case strings.HasPrefix(line, "EHLO"):
				return "250-mx.test\n250 AUTH LOGIN PLAIN"
			case strings.HasPrefix(line, "AUTH"):
				return reply
			default:
				return ordinary(line)
			}
		})
		return "smtp://user:secret@" + address, told
	}
	url, told := server("235 welcome")
	_, err := to(t, url).Send(t.Context(), letter)
	require.NoError(t, err)
	assert.Contains(t, told(), "AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00user\x00secret")))

	url, _ = server("535 5.7.8 wrong password")
	_, err = to(t, url).Send(t.Context(), letter)
	assert.ErrorContains(t, err, "535")
	assert.False(t, IsPermanent(err))

	url, told = server("235 welcome")
	far := strings.Replace(url, "127.0.0.1", "[::ffff:127.0.0.1]", 1) // the same, but one cannot tell by the name
	_, err = to(t, far).Send(t.Context(), letter)
	assert.ErrorContains(t, err, "unencrypted")
	assert.NotContains(t, told(), "AUTH")

	sink := newSink(t, nil) // offers no sign-in
	withUser := to(t, "smtp://user:secret@"+sink.address)
	_, err = withUser.Send(t.Context(), letter)
	assert.ErrorContains(t, err, "no way to sign in")
}
