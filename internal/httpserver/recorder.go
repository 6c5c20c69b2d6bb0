package httpserver

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// recorder watches an answer: its status and size, and its first byte, before which the cookie is set. Resolvers may run side by
// side with the writer of a stream, hence the lock.
type recorder struct {
	http.ResponseWriter
	mu     sync.Mutex
	status int // 0 until the header is written
	bytes  int64
	cookie *http.Cookie
}

// setCookie has the cookie sent with the answer; false when the answer has begun.
func (w *recorder) setCookie(cookie *http.Cookie) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status != 0 {
		return false
	}
	w.cookie = cookie
	return true
}

// begin notes the status, once, and says whether this was the first time.
func (w *recorder) begin(status int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status != 0 {
		return false
	}
	w.status = status
	if w.cookie != nil {
		http.SetCookie(w.ResponseWriter, w.cookie)
	}
	return true
}

// result returns the status, 0 when nothing was written, and the size of the body before compression.
func (w *recorder) result() (status int, bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status, w.bytes
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status) // not the answer yet
		return
	}
	if w.begin(status) {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.mu.Lock()
	w.bytes += int64(n)
	w.mu.Unlock()
	return n, err
}

// Flush implements http.Flusher, for writers of event streams that ask for it by type.
func (w *recorder) Flush() { _ = w.FlushError() }

// FlushError sends what was written so far.
func (w *recorder) FlushError() error {
	w.WriteHeader(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker, for websockets.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.begin(http.StatusSwitchingProtocols)
	}
	return conn, buffered, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
