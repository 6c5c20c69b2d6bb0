package booking

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
)

// CreateSlot offers one time. A practitioner may for himself, schedulers and administrators for anyone. Errors: NOT_FOUND, SLOT_IN_PAST,
// SLOT_LENGTH, SLOT_OVERLAP, SLOT_BLOCKED, UNKNOWN_TIME_ZONE, FORBIDDEN.
func (s *Service) CreateSlot(ctx context.Context, in CreateSlotInput) (*ent.Slot, error) {
	p, err := s.calendarOwner(ctx, in.PractitionerID)
	if err != nil {
		return nil, err
	}
	zone, zoneErr := slotZone(p, in.TimeZone)
	length, lengthErr := slotLength(p, in.Type, in.DurationMinutes)
	if lengthErr == nil && in.EndsAt != nil && !in.EndsAt.Equal(in.StartsAt.Add(length)) {
		lengthErr = ErrSlotLength.At("endsAt")
	}
	if err := errors.Join(zoneErr, lengthErr); err != nil {
		return nil, err
	}
	result, err := idem.Do(ctx, s.DB, "createSlot", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		if !in.StartsAt.After(s.DB.Now()) {
			return nil, ErrSlotInPast.At("startsAt")
		}
		if err := s.DB.Lock(ctx, practitioner.Table, p.ID); err != nil { // before the trigger's lock, as createSlots does
			return nil, err
		}
		made, err := s.DB.Client.Slot.Create().SetPractitionerID(p.ID).SetStartsAt(in.StartsAt).SetEndsAt(in.StartsAt.Add(length)).
			SetType(in.Type).SetDurationMinutes(int(length / time.Minute)).SetTimeZone(zone.String()).
			SetLocalDate(civil.DateOf(in.StartsAt, zone)).Save(ctx)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{made.ID}, nil
	})
	if err != nil {
		return nil, slotRefusal(err)
	}
	made, err := s.DB.Client.Slot.Get(ctx, result[0])
	if ent.IsNotFound(err) {
		err = fault.ErrNotFound.Says("The slot was removed again meanwhile.")
	}
	return made, err
}

// slotRefusal says what the store has refused about a slot.
func slotRefusal(err error) error {
	switch {
	case store.Violates(err, slotsOverlap):
		return ErrSlotOverlap
	case store.Violates(err, slotsLeave):
		return ErrSlotBlocked
	case store.Violates(err, slotsHeld):
		return ErrSlotHeld
	default:
		return err
	}
}

// calendarOwner returns the practitioner whose calendar is changed: the viewer, or the one given, if the viewer may.
func (s *Service) calendarOwner(ctx context.Context, id *uuid.UUID) (*ent.Practitioner, error) {
	v := access.From(ctx)
	wanted := v.PractitionerID
	if id != nil {
		wanted = *id
	}
	if wanted == uuid.Nil {
		return nil, fault.InvalidAt("Say whose calendar it is.", "practitionerId")
	}
	p, err := s.DB.Client.Practitioner.Get(ctx, wanted)
	if ent.IsNotFound(err) || err == nil && !p.IsActive {
		return nil, fault.ErrNotFound.At("practitionerId")
	}
	if err == nil && wanted != v.PractitionerID && !v.Has(access.Scheduler, access.Admin) {
		return nil, fault.ErrForbidden
	}
	return p, err
}

func slotZone(p *ent.Practitioner, name *string) (*time.Location, error) {
	if name == nil {
		return civil.LoadZone(p.TimeZone)
	}
	zone, err := civil.LoadZone(*name)
	if list, ok := fault.All(err); err != nil && ok {
		return nil, list[0].At("timeZone")
	}
	return zone, err
}

// slotLength is the length that the type asks for.
func slotLength(p *ent.Practitioner, t slot.Type, minutes *int) (time.Duration, error) {
	given := func(allowed ...int) (time.Duration, error) {
		if minutes == nil && len(allowed) == 1 {
			return time.Duration(allowed[0]) * time.Minute, nil
		}
		if minutes == nil || !slices.Contains(allowed, *minutes) {
			return 0, ErrSlotLength.At("durationMinutes")
		}
		return time.Duration(*minutes) * time.Minute, nil
	}
	switch t {
	case slot.TypeSHORT:
		return given(15)
	case slot.TypeLONG:
		return given(30)
	default:
		if p.Kind != practitioner.KindCLINICIAN {
			return 0, ErrSlotLength.At("type")
		}
		return given(45, 60, 90)
	}
}
