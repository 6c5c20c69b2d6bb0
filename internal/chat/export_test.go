package chat

import (
	"context"
	"runtime"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/internal/access"

	"github.com/google/uuid"
)

// The limits, for tests.
const (
	MaxBatch = maxBatch
	MaxRunes = maxRunes
)

// Participant is participant.
func Participant(v *access.Viewer, patientID, practitionerID uuid.UUID) (chatmessage.SenderRole, bool) {
	return participant(v, patientID, practitionerID)
}

// Sending is what a caller of Send gives.
type Sending struct {
	By *access.Viewer
	In SendMessageInput
}

// Group stores the sends as one group, at once and in the ctx of the test.
func (s *Service) Group(ctx context.Context, list ...Sending) (messages []*ent.ChatMessage, errs []error) {
	batch := make([]*send, len(list))
	for i, one := range list {
		batch[i] = &send{viewer: one.By, room: one.In.RoomID, body: one.In.text(), clientID: one.In.ClientMessageID, files: one.In.AttachmentIds, done: make(chan struct{})}
	}
	s.storeAll(access.System(ctx, "test"), batch)
	for _, one := range batch {
		<-one.done
		messages, errs = append(messages, one.message), append(errs, one.err)
	}
	return messages, errs
}

// Hold keeps the queue from being worked on until resume, which does the work.
func (s *Service) Hold() (resume func()) {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.queue.working = make(chan struct{})
	return s.work
}

// AwaitWaiting returns once n sends wait.
func (s *Service) AwaitWaiting(n int) {
	for {
		s.queue.mu.Lock()
		waiting := len(s.queue.waiting)
		s.queue.mu.Unlock()
		if waiting >= n {
			return
		}
		runtime.Gosched()
	}
}

// AwaitClosed returns once Stop was called.
func (s *Service) AwaitClosed() {
	for {
		s.queue.mu.Lock()
		closed := s.queue.closed
		s.queue.mu.Unlock()
		if closed {
			return
		}
		runtime.Gosched()
	}
}

// BePatient gives groups a minute, for tests that run beside others.
func (s *Service) BePatient() { s.queue.time = time.Minute }

// LimitWaiting changes how many sends may wait.
func (s *Service) LimitWaiting(n int) { s.queue.limit = n }
