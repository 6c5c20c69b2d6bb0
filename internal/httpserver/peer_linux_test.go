package httpserver

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stream's peer that is gone is noticed: 12 s at most until something is sent, and 15 s without an acknowledgement make less than 30.
func TestWatchLimitsSilence(t *testing.T) {
	t.Parallel()
	got := make(chan int, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		Watch(r.Context())
		raw, err := r.Context().Value(connKey{}).(*net.TCPConn).SyscallConn()
		if err != nil {
			got <- 0
			return
		}
		_ = raw.Control(func(fd uintptr) {
			ms, _ := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout)
			got <- ms
		})
	}))
	srv.Config.ConnContext = withConn
	srv.Start()
	defer srv.Close()
	answer, err := srv.Client().Get(srv.URL)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, 15_000, <-got)
	Watch(context.Background()) // without a connection there is nothing to watch
}
