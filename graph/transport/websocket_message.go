package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
)

const maxID = 128 // bytes of an operation's id

// message is what clients send.
type message struct {
	ID      *string         `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

var errMessage = errors.New("invalid message")

// take does what a message asks for; one that the protocol does not know ends the socket.
func (s *socket) take(text []byte) {
	var m message
	err := json.Unmarshal(text, &m)
	if err == nil {
		switch m.Type {
		case "connection_init":
			err = s.init(m)
		case "ping":
			err = s.answer(m)
		case "pong":
			err = m.object()
		case "subscribe":
			err = s.subscribe(m)
		case "complete":
			err = s.complete(m)
		default:
			err = errMessage
		}
	}
	if err != nil {
		s.end(closeBadRequest, "Invalid message received")
	}
}

// has tells whether the message has a payload.
func (m message) has() bool { return len(m.Payload) > 0 && string(m.Payload) != "null" }

// object returns an error when there is a payload that is no object.
func (m message) object() error {
	if m.has() && m.Payload[0] != '{' {
		return errMessage
	}
	return nil
}

func (m message) hasID() bool { return m.ID != nil && *m.ID != "" && len(*m.ID) <= maxID }

func (s *socket) answer(m message) error {
	if err := m.object(); err != nil {
		return err
	}
	if !m.has() {
		s.enqueue(frame{parts: [][]byte{[]byte(`{"type":"pong"}`)}})
		return nil
	}
	s.enqueue(frame{parts: [][]byte{[]byte(`{"type":"pong","payload":`), m.Payload, []byte("}")}})
	return nil
}

// init signs the client in. That happens in a goroutine of its own, so that the reader's stack stays small.
func (s *socket) init(m message) error {
	if err := m.object(); err != nil {
		return err
	}
	if s.isInited {
		s.end(closeTooMany, "Too many initialisation requests")
		return nil
	}
	s.isInited = true
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if reason := recover(); reason != nil {
				s.panicked(reason)
				s.end(closeInternal, "Internal server error")
			}
		}()
		s.signIn(m.Payload)
	}()
	<-done
	return nil
}

func (s *socket) signIn(payload json.RawMessage) {
	ctx, cancel := context.WithTimeout(s.client, s.t.options.InitTimeout)
	defer cancel()
	viewer, err := s.authenticate(ctx, payload)
	if err == nil && viewer != nil {
		var session Session
		if session, err = s.t.options.OpenSession(access.As(ctx, viewer), viewer); err == nil { // else it may be a nil pointer
			s.session, s.who = session, viewer
		}
	}
	switch {
	case err == nil:
		s.acknowledge()
	case isAway(err):
		s.end(websocket.CloseTryAgainLater, "Try again later")
	case isKnown(err):
		s.end(closeForbidden, "Forbidden")
	default:
		s.t.options.Log.Error("a websocket could not be opened", "requestId", s.id, "cause", err)
		s.end(closeInternal, "Internal server error")
	}
}

// authenticate returns who the payload's token, or else the request's cookie belongs to; nil when there is neither.
func (s *socket) authenticate(ctx context.Context, payload json.RawMessage) (*access.Viewer, error) {
	var given struct {
		Authorization json.RawMessage `json:"authorization"`
	}
	if len(payload) > 0 {
		if err := json.Unmarshal(payload, &given); err != nil {
			return nil, fault.ErrUnauthenticated
		}
	}
	if len(given.Authorization) == 0 || string(given.Authorization) == "null" {
		return s.cookie, s.cookieFailure
	}
	var text string
	if err := json.Unmarshal(given.Authorization, &text); err != nil {
		return nil, fault.ErrUnauthenticated
	}
	scheme, token, _ := strings.Cut(text, " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, fault.ErrUnauthenticated
	}
	viewer, err := s.t.options.Authenticate(ctx, token)
	if err == nil && viewer == nil {
		err = fault.ErrUnauthenticated
	}
	return viewer, err
}

func (s *socket) acknowledge() {
	var ack struct {
		Type    string `json:"type"`
		Payload struct {
			SessionID  *string    `json:"sessionId"`
			ExpiresAt  *time.Time `json:"expiresAt"`
			ServerTime time.Time  `json:"serverTime"`
		} `json:"payload"`
	}
	ack.Type = "connection_ack"
	ack.Payload.ServerTime = clock.Instant(s.t.options.Now())
	if s.session != nil {
		id, ends := s.session.ID().String(), clock.Instant(s.session.ExpiresAt())
		ack.Payload.SessionID, ack.Payload.ExpiresAt = &id, &ends
	}
	text, err := json.Marshal(ack)
	if err != nil { // cannot be: it is text and times
		panic(err)
	}
	s.mu.Lock()
	s.isAcked = true
	s.mu.Unlock()
	s.enqueue(frame{parts: [][]byte{text}})
	if s.session != nil {
		s.session.OnEnd(s.sessionOver)
	}
}

// subscribe starts an operation of any kind.
func (s *socket) subscribe(m message) error {
	if !m.hasID() {
		return errMessage
	}
	text := bytes.TrimLeft(m.Payload, " \t\r\n")
	if len(text) == 0 || text[0] != '{' {
		return errMessage
	}
	var b body
	if err := decodeOne(text, &b); err != nil || b.Query == nil && b.Extensions["persistedQuery"] == nil {
		return errMessage
	}
	s.mu.Lock()
	isDuplicate := s.operations[*m.ID] != nil
	switch {
	case s.final != nil || s.isDead || s.isOver || s.isLeaving:
		s.mu.Unlock()
		return nil
	case !s.isAcked:
		s.mu.Unlock()
		s.end(closeUnauthorized, "Unauthorized")
		return nil
	case isDuplicate:
		s.mu.Unlock()
		s.end(closeDuplicate, fmt.Sprintf("Subscriber for %s already exists", *m.ID))
		return nil
	}
	s.count++
	o := newOperation(s, *m.ID, s.id+"-"+strconv.FormatUint(s.count, 10))
	isOne := len(s.operations) < 2*s.t.options.MaxOperations // see mayOpen
	if isOne {
		s.operations[o.id] = o
	}
	s.goroutines++
	s.mu.Unlock()
	if !isOne {
		go o.refuse(fault.ErrTooManyOpen)
		return nil
	}
	go o.run(b)
	return nil
}

// complete ends an operation on the client's behalf. One that is not there has ended by itself.
func (s *socket) complete(m message) error {
	if !m.hasID() {
		return errMessage
	}
	s.mu.Lock()
	chosen := s.operations[*m.ID]
	feeds := s.silence(func(o *operation) bool { return o == chosen })
	s.mu.Unlock()
	s.release(feeds)
	return nil
}

func isKnown(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}

// isEnded tells whether the error means that the session is over.
func isEnded(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.Unauthenticated
}

// isAway tells whether the error may be gone at the next try.
func isAway(err error) bool {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Kind == fault.Unavailable || f.Kind == fault.Timeout
	}
	return errors.Is(err, context.DeadlineExceeded)
}
