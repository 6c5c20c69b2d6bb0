package transport

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

var (
	errCut  = errors.New("the stream was cut")
	errBusy = errors.New("the stream is being written")
)

// errSessionOver is the last that a client hears when its session has ended.
var errSessionOver = fault.New(fault.Unauthenticated, "SESSION_EXPIRED", "The session has ended. Sign in again.")

// events is the wire of an event stream.
type events struct {
	socket    *socket
	operation *operation // the only one
	out       http.ResponseWriter
	control   *http.ResponseController
	done      chan struct{} // closed when the request may end

	writing    sync.Mutex // held while something is written
	isAnswered bool       // the last message of the operation was written

	mu     sync.Mutex
	isCut  bool // nothing may be written any more
	isOver bool // the request is over: the connection is not ours any more
	isDone bool // done is closed
}

func newEvents(s *socket, w http.ResponseWriter) *events {
	return &events{socket: s, out: w, control: http.NewResponseController(w), done: make(chan struct{})}
}

// begin sends the headers.
func (w *events) begin() {
	header := w.out.Header()
	header.Set("Content-Type", typeEvents+"; charset=utf-8")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no") // of proxies that would hold events back
	header.Set("X-Content-Type-Options", "nosniff")
	w.out.WriteHeader(http.StatusOK)
}

func (w *events) next(_ *operation, event *stream.Event, payload [3][]byte) [][]byte {
	head := []byte("event: next\n")
	if id := w.cursor(event); id != "" {
		head = append(append(append(head, "id: "...), id...), '\n')
	}
	return [][]byte{append(head, "data: "...), inLine(payload[0]), inLine(payload[1]), inLine(payload[2]), endOfEvent}
}

// cursor is the event's id: where it stands, empty when no log keeps it.
func (w *events) cursor(event *stream.Event) string {
	if event == nil || event.Stream == uuid.Nil {
		return ""
	}
	return w.socket.t.options.Cursor(event)
}

// failed tells the errors as a result, which is what clients look for, and completes.
func (*events) failed(_ *operation, errors []byte) [][]byte {
	return [][]byte{[]byte("event: next\ndata: {\"errors\":"), inLine(errors), []byte("}\n\n"), completeEvent}
}

func (*events) completed(*operation) [][]byte { return [][]byte{completeEvent} }

var endOfEvent, completeEvent, comment = []byte("\n\n"), []byte("event: complete\ndata: \n\n"), []byte(":\n\n")

// inLine continues data over line breaks, which JSON has only between its tokens.
func inLine(text []byte) []byte {
	if !bytes.ContainsRune(text, '\n') {
		return text
	}
	return bytes.ReplaceAll(text, []byte("\n"), []byte("\ndata: "))
}

func (w *events) write(parts [][]byte, isLast bool, by time.Time) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.isAnswered = w.isAnswered || isLast
	return w.send(parts, by)
}

func (w *events) send(parts [][]byte, by time.Time) error {
	if err := w.limit(by); err != nil {
		return err
	}
	if _, err := w.out.Write(slices.Concat(parts...)); err != nil {
		return err
	}
	return w.control.Flush()
}

// limit sets by when a write must be done. A connection that knows no deadlines, as a test's, has none.
func (w *events) limit(by time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isCut || w.isOver {
		return errCut
	}
	_ = w.control.SetWriteDeadline(by)
	return nil
}

// ping sends a comment, which proxies take for life and clients pass over.
func (w *events) ping(by time.Time) error { return w.write([][]byte{comment}, false, by) }

func (*events) pong([]byte, time.Time) error { return nil }

// bye tells why the subscription ends, if that was not told, and lets the request end.
func (w *events) bye(f farewell, by time.Time) error {
	if !w.writing.TryLock() {
		return errBusy
	}
	defer w.writing.Unlock()
	defer w.end()
	cause := map[int]*fault.Error{closeUnauthorized: errSessionOver, closeInternal: fault.ErrInternal}[f.code]
	if cause == nil || w.isAnswered {
		return nil // a stream that just ends is opened again by its client
	}
	w.isAnswered = true
	o := w.operation
	return w.send(o.error(o.ctx, o.present(o.ctx, cause)), by)
}

func (w *events) cut(isTold bool) {
	w.mu.Lock()
	if !w.isOver && !isTold {
		w.isCut = true
		_ = w.control.SetWriteDeadline(time.Unix(1, 0))
	}
	w.mu.Unlock()
	w.end()
}

func (w *events) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.isDone {
		w.isDone = true
		close(w.done)
	}
}

// leave gives the connection back. One that was cut cannot be written any more, so that its client does not take what it has for all there was.
func (w *events) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isOver = true
}
