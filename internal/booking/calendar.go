package booking

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

const (
	maxWatched      = 31 * 24 * time.Hour
	maxWatchedSlots = 1000
	slotsTopic      = "slots:" // of a practitioner, by id
	allSlots        = slotsTopic + "*"
)

// SlotsChanged are the slots of a practitioner in a range that can be booked at an instant.
type SlotsChanged struct {
	OccurredAt time.Time
	Slots      []*ent.Slot // by start
	HasMore    bool        // than are told at once
}

// Calendar tells who looks at free slots of what becomes of them. Every change of a slot, an appointment or a leave by the client that it was made with is
// heard of, whoever makes it; what is written past the client says so by Changed.
type Calendar struct {
	db      *store.DB
	streams *stream.Log
}

// NewCalendar returns the calendar of the database and has its client tell of changes from then on.
func NewCalendar(db *store.DB, streams *stream.Log) *Calendar {
	c := &Calendar{db: db, streams: streams}
	db.Client.Slot.Use(c.hear)
	db.Client.Appointment.Use(c.hear)
	db.Client.Leave.Use(c.hear)
	return c
}

// Free is the source of the free slots of a practitioner that start in [from, to), at most 31 days and the first 1,000: as they are now, and again
// whenever they have changed, also by time alone. Everybody may read it who may see the practitioner. Errors: INVALID_INPUT; of the source: NOT_FOUND.
func (c *Calendar) Free(practitionerID uuid.UUID, from, to time.Time) (stream.Source, error) {
	if !from.Before(to) || to.Sub(from) > maxWatched {
		return nil, fault.InvalidAt("The range ends after it starts, and has at most 31 days.", "to")
	}
	return &stream.LatestSource{
		Log: c.streams, Topic: slotsTopic + practitionerID.String(), Kind: "SlotsChanged",
		Key:  strconv.FormatInt(from.UnixMicro(), 10) + "/" + strconv.FormatInt(to.UnixMicro(), 10),
		Load: func(ctx context.Context) (stream.State, error) { return c.state(ctx, practitionerID, from, to) },
		Access: func(ctx context.Context) error {
			isThere, err := c.db.Client.Practitioner.Query().Where(practitioner.ID(practitionerID), practitioner.IsActive(true)).Exist(ctx)
			if err == nil && !isThere {
				err = fault.ErrNotFound.At("practitionerId")
			}
			return err
		},
	}, nil
}

// state reads the free slots of a range.
func (c *Calendar) state(ctx context.Context, practitionerID uuid.UUID, from, to time.Time) (stream.State, error) {
	now := c.db.Now()
	slots, err := c.db.Client.Slot.Query().
		Where(slot.PractitionerID(practitionerID), slot.StartsAtGTE(from), slot.StartsAtLT(to), free(now)).
		Order(slot.ByStartsAt()).Limit(maxWatchedSlots + 1).All(ctx)
	if err != nil {
		return stream.State{}, err
	}
	shown := &SlotsChanged{Slots: slots}
	if len(slots) > maxWatchedSlots {
		shown.Slots, shown.HasMore = slots[:maxWatchedSlots], true
	}
	next, err := c.db.Client.Appointment.Query().
		Where(appointment.PractitionerID(practitionerID), appointment.StatusEQ(appointment.StatusPENDING), appointment.ExpiresAtGT(now),
			appointment.StartsAtGTE(from), appointment.StartsAtLT(to)).
		Order(appointment.ByExpiresAt()).First(ctx)
	if ent.MaskNotFound(err) != nil {
		return stream.State{}, err
	}
	state := stream.State{Value: shown, Digest: digestOf(shown)}
	if len(slots) > 0 {
		state.Until = slots[0].StartsAt
	}
	if next != nil && (state.Until.IsZero() || next.ExpiresAt.Before(state.Until)) {
		state.Until = next.ExpiresAt
	}
	return state, nil
}

func digestOf(shown *SlotsChanged) string {
	hash := sha256.New()
	for _, one := range shown.Slots {
		_, _ = fmt.Fprintln(hash, one.ID, one.Version)
	}
	_, _ = fmt.Fprintln(hash, shown.HasMore)
	return string(hash.Sum(nil))
}

type toldKey struct{}

// Changed says, in the transaction that changes them, that free slots of the practitioner may have changed; of all when the id is zero.
func (c *Calendar) Changed(ctx context.Context, practitionerID uuid.UUID) error {
	told, err := store.Buffer(ctx, toldKey{}, func() map[string]struct{} { return map[string]struct{}{} })
	if err != nil {
		return err
	}
	topic := allSlots
	if practitionerID != uuid.Nil {
		topic = slotsTopic + practitionerID.String()
	}
	if _, isTold := told[topic]; !isTold {
		told[topic] = struct{}{}
		store.AfterCommit(ctx, func(context.Context) { c.streams.Touch(topic) })
	}
	return nil
}

// hear is the hook of slots, appointments and leaves.
func (c *Calendar) hear(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		value, err := next.Mutate(ctx, m)
		if err == nil {
			err = c.Changed(ctx, whose(m, value))
		}
		return value, err
	})
}

// whose calendar a mutation changes; zero when it may be anyone's.
func whose(m ent.Mutation, value ent.Value) uuid.UUID {
	of, ok := m.(interface {
		PractitionerID() (uuid.UUID, bool)
	})
	if !ok {
		return uuid.Nil
	}
	id, isSet := of.PractitionerID()
	switch {
	case m.Op().Is(ent.OpCreate):
		return id
	case isSet || !m.Op().Is(ent.OpUpdateOne): // a calendar gives it to another, or rows are not known
		return uuid.Nil
	}
	switch row := value.(type) {
	case *ent.Slot:
		return row.PractitionerID
	case *ent.Appointment:
		return row.PractitionerID
	default:
		return uuid.Nil
	}
}
