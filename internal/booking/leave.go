package booking

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/leave"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

const maxLeave = 366 * 24 * time.Hour

// Blocked is what a leave has done to a calendar.
type Blocked struct {
	Leave *ent.Leave
	// Removed is how many slots went; of a repeated call it is 0.
	Removed int
	// Held are the slots in the leave that appointments hold: these stay until the appointments are cancelled or moved.
	Held []*ent.Slot
}

// Validate reports all errors of the input's fields.
func (in BlockTimeInput) Validate(now time.Time) error {
	problems := []error{reasonFits(in.Reason)}
	if !in.EndsAt.After(in.StartsAt) || in.EndsAt.Sub(in.StartsAt) > maxLeave {
		problems = append(problems, fault.InvalidAt("A leave ends after it starts, and has at most 366 days.", "endsAt"))
	}
	if !in.EndsAt.After(now) {
		problems = append(problems, fault.InvalidAt("This leave is over.", "endsAt"))
	}
	return errors.Join(problems...)
}

// BlockTime enters a leave: slots of the practitioner that meet it and that nobody holds are removed, and until the leave is taken back none is made or
// booked in it. A practitioner may for himself, schedulers and administrators for anyone. Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT.
func (s *Service) BlockTime(ctx context.Context, in BlockTimeInput) (*Blocked, error) {
	if err := in.Validate(s.DB.Now()); err != nil {
		return nil, err
	}
	p, err := s.calendarOwner(ctx, in.PractitionerID)
	if err != nil {
		return nil, err
	}
	by, removed := access.From(ctx).UserID, 0
	result, err := idem.Do(ctx, s.DB, "blockTime", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		ctx = access.System(ctx, "blockTime")
		if err := s.DB.Lock(ctx, practitioner.Table, p.ID); err != nil {
			return nil, err
		}
		made, err := s.DB.Client.Leave.Create().SetPractitionerID(p.ID).SetStartsAt(in.StartsAt).SetEndsAt(in.EndsAt).
			SetReason(text(in.Reason)).SetCreatedBy(by).Save(ctx)
		if err != nil {
			return nil, err
		}
		removed, err = s.clear(ctx, made)
		return []uuid.UUID{made.ID}, err
	})
	if err != nil {
		return nil, err
	}
	made, err := s.DB.Client.Leave.Get(ctx, result[0])
	if ent.IsNotFound(err) {
		err = fault.ErrNotFound.Says("The leave was taken back meanwhile.")
	}
	if err != nil {
		return nil, err
	}
	held, err := s.inLeave(made).Order(slot.ByStartsAt()).All(ctx)
	return &Blocked{Leave: made, Removed: removed, Held: held}, err
}

// inLeave finds the slots that stand in a leave.
func (s *Service) inLeave(l *ent.Leave) *ent.SlotQuery {
	return s.DB.Client.Slot.Query().Where(slot.PractitionerID(l.PractitionerID), slot.StatusNEQ(slot.StatusREMOVED),
		slot.StartsAtLT(l.EndsAt), slot.EndsAtGT(l.StartsAt))
}

// clear removes the slots of a leave that nobody holds. It locks them first: a booking that has one of them is seen, one that comes later finds it removed.
func (s *Service) clear(ctx context.Context, l *ent.Leave) (removed int, err error) {
	ids, err := s.inLeave(l).IDs(ctx)
	if err != nil {
		return 0, err
	}
	for chunk := range slices.Chunk(ids, bulkChunk) {
		if err := s.DB.Lock(ctx, slot.Table, chunk...); err != nil {
			return 0, err
		}
		free, err := s.notHeldOf(ctx, chunk, "blockTime")
		if err != nil {
			return 0, err
		}
		n, err := s.DB.Client.Slot.Update().Where(slot.IDIn(free...), slot.StatusNEQ(slot.StatusREMOVED)).SetStatus(slot.StatusREMOVED).Save(ctx)
		if removed += n; err != nil {
			return 0, err
		}
	}
	return removed, nil
}

// notHeldOf keeps the slots that no live appointment holds.
func (s *Service) notHeldOf(ctx context.Context, ids []uuid.UUID, cause string) ([]uuid.UUID, error) {
	holders, err := s.holders(ctx, ids)
	if err != nil {
		return nil, err
	}
	held := map[uuid.UUID]bool{}
	for _, holder := range holders {
		err := s.notHeld(ctx, holder.SlotID, cause)
		if err != nil && !errors.Is(err, ErrSlotHeld) {
			return nil, err
		}
		held[holder.SlotID] = err != nil
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool { return held[id] }), nil
}

// UnblockTime takes a leave back; slots that it removed do not return. Who may: as BlockTime. Errors: NOT_FOUND, FORBIDDEN.
func (s *Service) UnblockTime(ctx context.Context, in UnblockTimeInput) error {
	l, err := s.DB.Client.Leave.Get(ctx, in.LeaveID)
	if ent.IsNotFound(err) {
		return fault.ErrNotFound.At("leaveId")
	}
	if err != nil {
		return err
	}
	if _, err := s.calendarOwner(ctx, &l.PractitionerID); err != nil {
		return err
	}
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		return ent.MaskNotFound(s.DB.Client.Leave.DeleteOne(l).Exec(ctx))
	})
}

// Leaves returns the leaves that the viewer may see, everybody's or of one practitioner.
func (s *Service) Leaves(practitionerID *uuid.UUID) *ent.LeaveQuery {
	q := s.DB.Client.Leave.Query()
	if practitionerID != nil {
		q.Where(leave.PractitionerID(*practitionerID))
	}
	return q
}
