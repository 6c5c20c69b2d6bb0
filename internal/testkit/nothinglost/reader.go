package nothinglost

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/wsclient"
)

const chatEvents = `subscription($room: ID!, $after: Cursor) { chatEvents(roomId: $room, after: $after) {
  __typename cursor previousCursor ... on MessageAdded { message { id position clientMessageId } } } }`

const markRead = `mutation($room: ID!, $upTo: Int!) { markRoomRead(input: {roomId: $room, upTo: $upTo}) { userErrors { code } } }`

const (
	readEach    = 40 // messages, after which the reader says that it has read: events of another kind stand between the messages then
	shortest    = 200 * time.Millisecond
	longestStay = 1500 * time.Millisecond
)

// reader follows one room, over a websocket or an event stream: it goes on after its last cursor when it loses the connection, and now and then goes to another
// server by itself.
type reader struct {
	*client
	room     string
	person   Person
	at       int
	opened   func()
	cursor   string // of the last event
	position int64  // of the last message
	messages int
}

func (r *reader) run(ctx context.Context) error {
	for {
		url := r.url(r.at)
		err := r.stay(ctx, url)
		switch {
		case errors.Is(err, errAll):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		var fatal fatalError
		if errors.As(err, &fatal) {
			_ = r.note(Event{URL: url, Fault: fatal.Error()})
			return fmt.Errorf("reader %s after %q: %w", r.person.Name, r.cursor, fatal)
		}
		if err := r.note(Event{URL: url, Lost: err.Error()}); err != nil {
			return err
		}
		r.at++
		if !errors.Is(err, errMoves) {
			rest(ctx)
		}
	}
}

var (
	errAll   = errors.New("everything was read")
	errMoves = errors.New("moves to another server")
)

// fatalError is one that another attempt does not mend.
type fatalError string

// Error implements error.
func (e fatalError) Error() string { return string(e) }

// stay reads from one server until something ends it.
func (r *reader) stay(ctx context.Context, url string) error {
	if r.hasAll(r.room, r.position) {
		return errAll
	}
	listen := r.overSocket
	if r.person.OverEvents {
		listen = r.overEvents
	}
	w, err := listen(ctx, url)
	if err != nil {
		return r.judge(err)
	}
	defer w.leave()
	if err := r.note(Event{URL: url, OpenedAfter: r.cursor, IsEventStream: r.person.OverEvents}); err != nil {
		return err
	}
	return r.follow(ctx, w, url)
}

// wire is a stream of the room's events from one server.
type wire interface {
	next(ctx context.Context) (*answer.Answer, error)
	markRead(upTo int64) // a lost one is made up by the next
	leave()
}

// socketWire is a subscription on a websocket of its own.
type socketWire struct {
	conn   *wsclient.Conn
	events *wsclient.Subscription
	room   string
}

func (r *reader) overSocket(ctx context.Context, url string) (wire, error) {
	dialing, cancel := context.WithTimeout(ctx, operationTime)
	defer cancel()
	conn, err := wsclient.Dial(dialing, url, wsclient.Options{Token: r.person.Token})
	if err != nil {
		return nil, err
	}
	vars := map[string]any{"room": r.room}
	if r.cursor != "" {
		vars["after"] = r.cursor
	}
	w := &socketWire{conn: conn, room: r.room}
	if w.events, err = conn.Subscribe(chatEvents, vars); err != nil {
		conn.Drop()
		return nil, err
	}
	return w, nil
}

func (w *socketWire) next(ctx context.Context) (*answer.Answer, error) { return w.events.Next(ctx) }

func (w *socketWire) markRead(upTo int64) {
	_, _ = w.conn.Subscribe(markRead, map[string]any{"room": w.room, "upTo": upTo})
}

func (w *socketWire) leave() {
	if rand.IntN(2) == 0 { // #nosec G404 -- any order will do
		_ = w.conn.Close()
		return
	}
	w.conn.Drop()
}

func (r *reader) follow(ctx context.Context, w wire, url string) error {
	patience := shortest + rand.N(longestStay-shortest) // #nosec G404 -- any time will do
	if r.cursor == "" {
		patience = operationTime // the first event is due, however long it takes
	}
	stay, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		a, err := w.next(stay)
		switch {
		case err != nil && stay.Err() != nil && ctx.Err() == nil:
			if r.cursor == "" {
				return fatalError("no event came")
			}
			return errMoves
		case err != nil:
			return r.judge(err)
		}
		if err := r.take(w, a, url); err != nil {
			return err
		}
		if r.hasAll(r.room, r.position) {
			return errAll
		}
	}
}

// take notes an event.
func (r *reader) take(w wire, a *answer.Answer, url string) error {
	if len(a.Errors) > 0 {
		return r.judge(wsclient.ErrFaults(a.Errors))
	}
	const at = "chatEvents."
	e := Event{
		URL: url, Kind: a.Text(at + "__typename"), Cursor: a.Text(at + "cursor"), Previous: a.Text(at + "previousCursor"),
		MessageID: a.Text(at + "message.id"), ClientID: a.Text(at + "message.clientMessageId"), Position: int64(a.Int(at + "message.position")),
	}
	if e.Cursor == "" || e.Kind == "MessageAdded" && e.MessageID == "" {
		return fatalError(fmt.Sprintf("an event without content: %+v", a.Data))
	}
	if err := r.note(e); err != nil {
		return err
	}
	r.cursor = e.Cursor
	if e.Kind == "StreamOpened" {
		r.opened()
	}
	if e.MessageID == "" {
		return nil
	}
	r.position = e.Position
	if r.messages++; r.messages%readEach == 0 {
		w.markRead(r.position)
	}
	return nil
}

// judge keeps apart what a dropped connection explains and what nothing does.
func (r *reader) judge(err error) error {
	if faults, ok := errors.AsType[wsclient.ErrFaults](err); ok && faults.Code() != "UNAVAILABLE" && faults.Code() != "TIMEOUT" && faults.Code() != "SLOW_CONSUMER" {
		return fatalError(faults.Error())
	}
	if code := wsclient.CloseCode(err); code >= 4400 && code < 4500 {
		return fatalError(err.Error())
	}
	return err
}

func (r *reader) note(e Event) error {
	e.Room, e.Reader = r.room, r.person.Name
	return r.events.add(e)
}
