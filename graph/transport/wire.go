package transport

import (
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/stream"
)

// wire is the connection under a socket, in the words of its protocol: a websocket or an event stream. One goroutine at a time writes, the
// socket's worker; bye and cut may come past it.
type wire interface {
	// next, failed and completed are the messages of an operation. A query or a mutation has no event.
	next(o *operation, event *stream.Event, payload [3][]byte) [][]byte
	failed(o *operation, errors []byte) [][]byte
	completed(o *operation) [][]byte

	// write sends a message, the last one of its operation or not.
	write(parts [][]byte, isLast bool, by time.Time) error
	ping(by time.Time) error
	pong(data []byte, by time.Time) error
	// bye tells the client why the socket ends.
	bye(f farewell, by time.Time) error
	// cut ends the connection, whoever is writing. What a client that was not told why has not read yet is forgotten.
	cut(isTold bool)
}

// farewell is why a socket ends, by the close codes of websockets.
type farewell struct {
	code   int
	reason string
}

// frames is the wire of a websocket.
type frames struct{ conn *websocket.Conn }

func (frames) next(o *operation, _ *stream.Event, payload [3][]byte) [][]byte {
	return [][]byte{o.head("next"), payloadMember, payload[0], payload[1], payload[2], closing}
}

func (frames) failed(o *operation, errors []byte) [][]byte {
	return [][]byte{o.head("error"), payloadMember, errors, closing}
}

func (frames) completed(o *operation) [][]byte { return [][]byte{o.head("complete"), closing} }

var payloadMember, closing = []byte(`,"payload":`), []byte("}")

func (w frames) write(parts [][]byte, _ bool, by time.Time) error {
	if err := w.conn.SetWriteDeadline(by); err != nil {
		return err
	}
	out, err := w.conn.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return out.Close()
}

func (w frames) ping(by time.Time) error {
	return w.conn.WriteControl(websocket.PingMessage, nil, by)
}

func (w frames) pong(data []byte, by time.Time) error {
	return w.conn.WriteControl(websocket.PongMessage, data, by)
}

func (w frames) bye(f farewell, by time.Time) error {
	return w.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(f.code, cut(f.reason)), by)
}

func (w frames) cut(isTold bool) {
	if !isTold {
		discard(w.conn.NetConn())
	}
	_ = w.conn.Close()
}

// discard has the connection forget what the client has not read yet.
func discard(conn net.Conn) {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}
