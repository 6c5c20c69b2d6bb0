package chat

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// errInTransaction tells a programmer that a message, which is stored in the transaction of its group, cannot be a part of another one.
var errInTransaction = errors.New("chat: Send inside a transaction")

// Send stores a message and then delivers it; when it returns without an error, the message is committed. Participants may call it while the room
// is ACTIVE. The same clientMessageId from the same sender in the same room returns the first message, whatever the body. When ctx ends before the
// message's turn has come, it is not stored; after that, Send waits for the outcome. Errors: NOT_FOUND, ROOM_NOT_WRITABLE, MESSAGE_EMPTY,
// MESSAGE_TOO_LONG, UPLOAD_REJECTED, INVALID_INPUT, UNAVAILABLE when too many messages wait or the service stops, TIMEOUT.
func (s *Service) Send(ctx context.Context, in SendMessageInput) (*ent.ChatMessage, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	v := access.From(ctx)
	if v == nil {
		return nil, fault.ErrUnauthenticated
	}
	if store.InTx(ctx) {
		return nil, errInTransaction
	}
	one := &send{
		viewer: v, request: audit.RequestOf(ctx), room: in.RoomID, body: in.text(), clientID: in.ClientMessageID, files: in.AttachmentIds,
		done: make(chan struct{}),
	}
	leads, err := s.queue.push(one)
	if err != nil {
		return nil, err
	}
	if leads {
		go s.work() //nolint:contextcheck,gosec // it stores the messages of many callers
	}
	select {
	case <-one.done:
	case <-ctx.Done():
		if one.state.CompareAndSwap(waiting, gone) {
			return nil, fault.ErrTimeout.Because(ctx.Err())
		}
		<-one.done
	}
	return one.message, one.err
}

// The states of a send: the caller may take back what waits, the worker works on what it has taken.
const (
	waiting int32 = iota
	taken
	gone
)

// send is one message on its way: what the sender said, as whom, and the outcome.
type send struct {
	viewer   *access.Viewer
	request  audit.Request
	room     uuid.UUID
	body     string
	clientID *string
	files    []uuid.UUID                   // uploads that go into the message, in order
	claimed  map[uuid.UUID]*ent.ChatUpload // of these, what its message is given

	state atomic.Int32
	done  chan struct{} // closed once the outcome below stands
	outcome
}

// outcome is what becomes of a send: a message, its own or the one that was stored before, or an error.
type outcome struct {
	message *ent.ChatMessage
	err     error
}

// key is what a message that is sent again is known by.
type key struct {
	sender, room uuid.UUID
	clientID     string
}

func (s *send) key() key { return key{s.viewer.UserID, s.room, *s.clientID} }

func (s *send) finish(o outcome) {
	s.outcome = o
	close(s.done)
}
