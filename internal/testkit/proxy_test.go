package testkit_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/testkit"
)

// echoed returns a proxy in front of a server that echoes, and its address.
func echoed(t *testing.T) (proxy *testkit.Proxy, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}()
	proxy, through := testkit.NewProxy(t, "postgres://somebody:secret@"+l.Addr().String()+"/db?sslmode=disable")
	u, err := url.Parse(through)
	require.NoError(t, err)
	require.Equal(t, "/db", u.Path)
	return proxy, u.Host
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// echo sends a byte and waits for its return.
func echo(c net.Conn, patience time.Duration) error {
	if _, err := c.Write([]byte{1}); err != nil {
		return err
	}
	return receive(c, patience)
}

func receive(c net.Conn, patience time.Duration) error {
	_ = c.SetReadDeadline(clock.System{}.Now().Add(patience))
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

const patient = 10 * time.Second

func TestProxyForwards(t *testing.T) {
	t.Parallel()
	_, address := echoed(t)
	c := dial(t, address)
	require.NoError(t, echo(c, patient))
	require.NoError(t, echo(c, patient))
}

func TestProxySwallows(t *testing.T) {
	t.Parallel()
	proxy, address := echoed(t)
	old := dial(t, address)
	require.NoError(t, echo(old, patient))
	proxy.Swallow()
	fresh := dial(t, address)
	for _, c := range []net.Conn{old, fresh} {
		require.ErrorIs(t, echo(c, 50*time.Millisecond), os.ErrDeadlineExceeded)
	}
	proxy.Normal()
	for _, c := range []net.Conn{old, fresh} {
		require.NoError(t, receive(c, patient), "what was under way arrives")
	}
}

func TestProxyResets(t *testing.T) {
	t.Parallel()
	proxy, address := echoed(t)
	old := dial(t, address)
	require.NoError(t, echo(old, patient))
	proxy.Reset()
	fresh := func() error {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err // already here, if the reset is quick
		}
		defer func() { _ = c.Close() }()
		return echo(c, patient)
	}
	for _, err := range []error{echo(old, patient), fresh()} {
		require.Error(t, err)
		assert.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF), "%v", err)
	}
	proxy.Normal()
	require.NoError(t, echo(dial(t, address), patient))
}

func TestProxyDelays(t *testing.T) {
	t.Parallel()
	proxy, address := echoed(t)
	c := dial(t, address)
	proxy.Delay(50 * time.Millisecond)
	started := clock.System{}.Now()
	require.NoError(t, echo(c, patient))
	assert.GreaterOrEqual(t, clock.System{}.Now().Sub(started), 100*time.Millisecond, "there and back")
	proxy.Delay(time.Hour)
	require.ErrorIs(t, echo(c, 50*time.Millisecond), os.ErrDeadlineExceeded)
	proxy.Normal()
	require.NoError(t, receive(c, patient))
}
