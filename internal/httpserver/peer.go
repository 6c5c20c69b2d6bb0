package httpserver

import (
	"context"
	"net"
	"time"
)

type connKey struct{}

// withConn keeps the connection in the ctx of its requests.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// silence is how long a peer may leave what it was sent without an acknowledgement.
const silence = 15 * time.Second

// Watch has the connection of the request that ctx belongs to end soon after its peer has gone without a word, for streams on which only the server
// speaks: it is enough that something is sent every now and then. Where the operating system cannot, its own patience counts.
func Watch(ctx context.Context) {
	conn, _ := ctx.Value(connKey{}).(net.Conn)
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		limitSilence(tcp, silence)
	}
}
