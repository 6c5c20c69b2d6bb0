package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
)

// sink is an SMTP server that keeps what it gets.
type sink struct {
	server  *smtp.Server
	address string
	roots   *x509.CertPool
	onRcpt  func(to string) error
	onData  func(c *smtp.Conn) error // after the mail has been read

	mu    sync.Mutex
	mails []received
}

type received struct{ from, to, data string }

// newSink starts a server; set changes it before.
func newSink(t *testing.T, set func(s *sink)) *sink {
	t.Helper()
	s := &sink{}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{sink: s, conn: c}, nil }))
	s.server.Domain = "mx.test"
	if set != nil {
		set(s)
	}
	s.address = s.listen(t, func(l net.Listener) net.Listener { return l })
	return s
}

// listen opens a port until the end of the test and returns its address.
func (s *sink) listen(t *testing.T, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var done sync.WaitGroup
	done.Go(func() { _ = s.server.Serve(wrap(l)) })
	t.Cleanup(func() {
		_ = s.server.Close()
		_ = l.Close()
		done.Wait()
	})
	return l.Addr().String()
}

func (s *sink) got() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

type session struct {
	sink *sink
	conn *smtp.Conn
	mail received
}

func (s *session) Reset()        { s.mail = received{} }
func (s *session) Logout() error { return nil }
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	if s.sink.onRcpt != nil {
		return s.sink.onRcpt(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.data = string(data)
	if s.sink.onData != nil {
		if err := s.sink.onData(s.conn); err != nil {
			return err
		}
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.mails = append(s.sink.mails, s.mail)
	return nil
}

// withTLS gives the server a certificate for 127.0.0.1.
func withTLS(t *testing.T, s *sink) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := clock.System{}.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	s.roots = x509.NewCertPool()
	s.roots.AddCert(parsed)
	s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// script is a server of one connection that answers each line with what reply says, or hangs up when that is "", or stays silent when it is
// "-". The server speaks first: that answers the line greeting. It returns its address and what it was told.
func script(t *testing.T, reply func(line string) string) (address string, told func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var (
		mu   sync.Mutex
		all  strings.Builder
		done sync.WaitGroup
	)
	serve := func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		lines := bufio.NewScanner(conn)
		for line := greeting; ; line = lines.Text() {
			mu.Lock()
			all.WriteString(line + "\n")
			mu.Unlock()
			switch answer := reply(line); answer {
			case "":
				return
			case "-":
			default:
				_, _ = io.WriteString(conn, strings.ReplaceAll(answer, "\n", "\r\n")+"\r\n")
			}
			if !lines.Scan() {
				return
			}
		}
	}
	done.Go(serve)
	t.Cleanup(func() {
		_ = l.Close()
		done.Wait()
	})
	return l.Addr().String(), func() string {
		mu.Lock()
		defer mu.Unlock()
		return all.String()
	}
}

const greeting = "(greeting)"
