package chat

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

// Config is what the service needs. Without Storage there are no attachments, without Notify no notices; the rest is obligatory.
type Config struct {
	DB      *store.DB
	Streams *stream.Log
	Audit   *audit.Recorder
	Notify  *notify.Service
	Storage Storage
	FileKey []byte // signs links to files; the same on all instances
	BaseURL string // where users reach the program, as https://care.example.org
	Log     *slog.Logger
}

// Service is the domain's entry.
type Service struct {
	Config
	queue   queue
	signals signals
	pattern atomic.Pointer[ent.ChatMessage] // see bind
}

// New returns the service. Stop ends it.
func New(c Config) *Service {
	s := &Service{Config: c, queue: queue{limit: maxWaiting, time: batchTime}}
	c.Streams.OnTold(typingTopic, s.heard)
	return s
}

// seen returns a room that the viewer of ctx may know of; NOT_FOUND for all others.
func (s *Service) seen(ctx context.Context, id uuid.UUID) (*ent.ChatRoom, error) {
	r, err := s.DB.Client.ChatRoom.Query().Where(chatroom.ID(id)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound
	}
	return r, err
}

// room returns a room that the viewer of ctx takes part in; NOT_FOUND for all others.
func (s *Service) room(ctx context.Context, id uuid.UUID) (*ent.ChatRoom, error) {
	r, err := s.seen(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, ok := participant(access.From(ctx), r.PatientID, r.PractitionerID); !ok {
		return nil, fault.ErrNotFound
	}
	return r, nil
}
