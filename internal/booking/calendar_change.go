package booking

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
)

// UpdateSlot changes a slot that no live appointment holds, within the rules of createSlot, or takes it out of booking and back. A practitioner may
// for himself, schedulers and administrators for anyone. It returns the slot, after a CONFLICT as it is now. Errors: NOT_FOUND, SLOT_HELD, SLOT_IN_PAST,
// SLOT_LENGTH, SLOT_OVERLAP, SLOT_BLOCKED, UNKNOWN_TIME_ZONE, CONFLICT, FORBIDDEN.
func (s *Service) UpdateSlot(ctx context.Context, in UpdateSlotInput) (*ent.Slot, error) {
	return s.changeSlot(ctx, in.ID, in.ExpectedVersion, "updateSlot", func(ctx context.Context, p *ent.Practitioner, present *ent.Slot) error {
		update := s.DB.Client.Slot.UpdateOne(present)
		if err := in.apply(update, p, present, s.DB.Now()); err != nil {
			return err
		}
		return update.Exec(ctx)
	})
}

// apply puts what the slot becomes into the update.
func (in UpdateSlotInput) apply(update *ent.SlotUpdateOne, p *ent.Practitioner, present *ent.Slot, now time.Time) error {
	startsAt, kind, minutes, name := present.StartsAt, present.Type, in.DurationMinutes, &present.TimeZone
	if in.StartsAt != nil {
		startsAt = *in.StartsAt
	}
	if in.Type != nil {
		kind = *in.Type
	} else if minutes == nil {
		minutes = &present.DurationMinutes
	}
	if in.TimeZone != nil {
		name = in.TimeZone
	}
	zone, zoneErr := slotZone(p, name)
	length, lengthErr := slotLength(p, kind, minutes)
	var pastErr error
	if !startsAt.After(now) {
		pastErr = ErrSlotInPast.At("startsAt")
	}
	if err := errors.Join(zoneErr, lengthErr, pastErr); err != nil {
		return err
	}
	update.SetStartsAt(startsAt).SetEndsAt(startsAt.Add(length)).SetType(kind).SetDurationMinutes(int(length / time.Minute)).
		SetTimeZone(zone.String()).SetLocalDate(civil.DateOf(startsAt, zone))
	switch {
	case in.IsBlocked == nil:
	case *in.IsBlocked:
		update.SetStatus(slot.StatusBLOCKED)
	default:
		update.SetStatus(slot.StatusOPEN)
	}
	return nil
}

// DeleteSlot takes a slot that no live appointment holds from the calendar; it is kept for the visits that it had. Who may and errors: as UpdateSlot.
func (s *Service) DeleteSlot(ctx context.Context, in DeleteSlotInput) (*ent.Slot, error) {
	return s.changeSlot(ctx, in.ID, in.ExpectedVersion, "deleteSlot", func(ctx context.Context, _ *ent.Practitioner, present *ent.Slot) error {
		return s.DB.Client.Slot.UpdateOne(present).SetStatus(slot.StatusREMOVED).Exec(ctx)
	})
}

// changeSlot does something with a slot that nobody holds; calendarOwner has decided that the viewer may. Locks: practitioner, slot.
func (s *Service) changeSlot(ctx context.Context, id uuid.UUID, version *int, cause string, do func(context.Context, *ent.Practitioner, *ent.Slot) error) (*ent.Slot, error) {
	seen, err := s.DB.Client.Slot.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("id")
	}
	if err != nil {
		return nil, err
	}
	p, err := s.calendarOwner(ctx, &seen.PractitionerID)
	if err != nil {
		return nil, err
	}
	err = s.DB.WithTx(access.System(ctx, cause), func(ctx context.Context) error {
		if err := s.DB.Lock(ctx, practitioner.Table, p.ID); err != nil {
			return err
		}
		if err := s.DB.Lock(ctx, slot.Table, id); err != nil {
			return err
		}
		present, err := s.DB.Client.Slot.Get(ctx, id)
		switch {
		case err != nil:
			return err
		case present.Status == slot.StatusREMOVED:
			return fault.ErrNotFound.At("id")
		case version != nil && *version != present.Version:
			return fault.ErrConflict.At("expectedVersion")
		}
		if err := s.notHeld(ctx, id, cause); err != nil {
			return err
		}
		return do(ctx, p, present)
	})
	if err != nil && !errors.Is(err, fault.ErrConflict) {
		return nil, slotRefusal(err)
	}
	present, readErr := s.DB.Client.Slot.Get(ctx, id)
	return present, errors.Join(err, ent.MaskNotFound(readErr))
}

// notHeld refuses a slot that a live appointment holds; one whose time to pay is over gives way. The caller holds the slot's lock.
func (s *Service) notHeld(ctx context.Context, id uuid.UUID, cause string) error {
	holder, err := s.holder(ctx, id)
	if err != nil || holder == nil {
		return err
	}
	gone, err := s.givesWay(ctx, holder, cause)
	if err == nil && !gone {
		err = ErrSlotHeld.At("id")
	}
	return err
}
