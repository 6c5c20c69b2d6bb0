package chat

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

const (
	typingEvery = 3 * time.Second // between two signals of a user in a room
	typingFor   = 6 * time.Second // that a signal is remembered
	typingTopic = "typing:"
	manyRooms   = 1 << 12 // beyond, those with old signals only are looked for
)

// SetTypingInput is the input of SetTyping.
type SetTypingInput struct {
	RoomID   uuid.UUID
	IsTyping bool
}

// Typing is who writes in a room at an instant, as one of its participants sees it.
type Typing struct {
	OccurredAt time.Time
	IsTyping   bool
	UserID     *uuid.UUID
	ExpiresAt  *time.Time
}

// signals are what users have said lately of their typing. They are nowhere but in the instances' memories.
type signals struct {
	mu    sync.Mutex
	rooms map[uuid.UUID]map[uuid.UUID]signal // the last ones, by room and user
	sweep int                                // with so many rooms old signals are looked for
}

type typist struct{ room, user uuid.UUID }

type signal struct {
	at       time.Time
	isTyping bool
}

// note takes a signal down unless a newer one is known; false when so little time has passed since the last one that it does not count.
func (s *signals) note(who typist, said signal, gap time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.rooms[who.room][who.user]; ok && said.at.Sub(before.at) < gap {
		return false
	}
	if s.rooms == nil {
		s.rooms, s.sweep = map[uuid.UUID]map[uuid.UUID]signal{}, manyRooms
	}
	if len(s.rooms) >= s.sweep {
		s.forget(said.at)
	}
	if s.rooms[who.room] == nil {
		s.rooms[who.room] = map[uuid.UUID]signal{}
	}
	s.rooms[who.room][who.user] = said
	return true
}

// forget lets go of rooms in which nobody has said anything lately. The next time is when there are twice as many: a signal costs the same however many
// rooms there are.
func (s *signals) forget(now time.Time) {
	maps.DeleteFunc(s.rooms, func(_ uuid.UUID, last map[uuid.UUID]signal) bool {
		for _, old := range last {
			if now.Sub(old.at) < typingFor {
				return false
			}
		}
		return true
	})
	s.sweep = max(manyRooms, 2*len(s.rooms))
}

// isEarly tells whether the user has given a signal so lately that another one does not count.
func (s *signals) isEarly(who typist, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.rooms[who.room][who.user]
	return ok && now.Sub(before.at) < typingEvery
}

// others returns who else types in the room.
func (s *signals) others(room, reader uuid.UUID, now time.Time) Typing {
	s.mu.Lock()
	defer s.mu.Unlock()
	var shown Typing
	for user, said := range s.rooms[room] {
		ends := said.at.Add(typingFor)
		if user != reader && said.isTyping && now.Before(ends) && (shown.ExpiresAt == nil || ends.After(*shown.ExpiresAt)) {
			shown = Typing{IsTyping: true, UserID: &user, ExpiresAt: &ends}
		}
	}
	return shown
}

// SetTyping tells the other participant of an ACTIVE room that the viewer, one too, writes or has stopped. It counts once in 3 seconds; what comes
// sooner is swallowed, and the answer is false. Nothing is stored. Errors: NOT_FOUND, ROOM_NOT_WRITABLE.
func (s *Service) SetTyping(ctx context.Context, in SetTypingInput) (bool, error) {
	v, now := access.From(ctx), s.DB.Now()
	if v == nil {
		return false, fault.ErrUnauthenticated
	}
	who := typist{in.RoomID, v.UserID}
	if s.signals.isEarly(who, now) { // who was a participant then; it costs nothing to say so
		return false, nil
	}
	room, err := s.room(ctx, in.RoomID)
	if err != nil {
		return false, err
	}
	if room.Status != chatroom.StatusACTIVE {
		return false, ErrRoomNotWritable
	}
	if !s.signals.note(who, signal{now, in.IsTyping}, typingEvery) {
		return false, nil
	}
	s.Streams.Refresh(typingTopic + room.ID.String())
	s.Streams.Tell(fmt.Sprintf("%s%s:%s:%t:%d", typingTopic, who.room, who.user, in.IsTyping, now.UnixMicro()))
	return true, nil
}

// heard takes down what a user has said of typing on another instance.
func (s *Service) heard(topic string) {
	parts := strings.Split(strings.TrimPrefix(topic, typingTopic), ":")
	if len(parts) != 4 {
		return
	}
	room, err1 := uuid.Parse(parts[0])
	user, err2 := uuid.Parse(parts[1])
	micros, err3 := strconv.ParseInt(parts[3], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return
	}
	if s.signals.note(typist{room, user}, signal{time.UnixMicro(micros).UTC(), parts[2] == "true"}, 1) {
		s.Streams.Refresh(typingTopic + room.String())
	}
}

// Typing is the source of who else types in a room: as it is now, and again whenever it changes; a signal is forgotten after 6 seconds. Participants may
// read it. Errors of the source: NOT_FOUND.
func (s *Service) Typing(ctx context.Context, roomID uuid.UUID) (stream.Source, error) {
	v := access.From(ctx)
	if v == nil {
		return nil, fault.ErrUnauthenticated
	}
	return &stream.LatestSource{
		Log: s.Streams, Topic: typingTopic + roomID.String(), Key: v.UserID.String(), Kind: "Typing",
		Load: func(context.Context) (stream.State, error) {
			shown := s.signals.others(roomID, v.UserID, s.DB.Now())
			state := stream.State{Value: &shown}
			if shown.IsTyping {
				state.Digest, state.Until = shown.UserID.String()+shown.ExpiresAt.String(), *shown.ExpiresAt
			}
			return state, nil
		},
		Access: func(ctx context.Context) error {
			_, err := s.room(ctx, roomID)
			return err
		},
	}, nil
}
