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

const (
	maxBulk   = 2000
	bulkChunk = 500
)

// CreateSlots offers times by a wall-clock rule, at most 2,000 candidates at once. Past, overlapping and nonexistent ones are left out with the
// reason. A practitioner may for himself, schedulers and administrators for anyone. Errors: NOT_FOUND, SLOT_LENGTH, UNKNOWN_TIME_ZONE,
// INVALID_INPUT, FORBIDDEN.
func (s *Service) CreateSlots(ctx context.Context, in CreateSlotsInput) ([]*ent.Slot, []*SkippedSlot, error) {
	p, err := s.calendarOwner(ctx, in.PractitionerID)
	if err != nil {
		return nil, nil, err
	}
	zone, zoneErr := slotZone(p, in.TimeZone)
	length, lengthErr := slotLength(p, in.Type, in.DurationMinutes)
	if err := errors.Join(zoneErr, lengthErr); err != nil {
		return nil, nil, err
	}
	rule := BulkRule{From: in.StartDate, To: in.EndDate, Weekdays: in.Weekdays, Start: in.StartTime, End: in.EndTime, Length: length, Zone: zone}
	candidates, err := Expand(rule, s.DB.Now(), maxBulk)
	if err != nil {
		return nil, nil, err
	}
	made, err := idem.Do(ctx, s.DB, "createSlots", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		return s.createAll(ctx, p, in.Type, zone, candidates)
	})
	if err != nil {
		return nil, nil, err
	}
	created, err := s.DB.Client.Slot.Query().Where(slot.IDIn(made...)).Order(slot.ByStartsAt()).All(ctx)
	if err != nil {
		return nil, nil, err
	}
	away, err := s.leavesAround(access.System(ctx, "createSlots"), p.ID, candidates)
	return created, skippedOf(candidates, created, away), err
}

// createAll writes the candidates that fit into the calendar, which is locked meanwhile. calendarOwner has decided that the viewer may; the system writes in
// bulk, as row by row every slot would be read back.
func (s *Service) createAll(ctx context.Context, p *ent.Practitioner, t slot.Type, zone *time.Location, candidates []Candidate) ([]uuid.UUID, error) {
	ctx = access.System(ctx, "createSlots")
	if err := s.DB.Lock(ctx, practitioner.Table, p.ID); err != nil {
		return nil, err
	}
	busy, err := s.busy(ctx, p.ID, candidates)
	if err != nil {
		return nil, err
	}
	away, err := s.leavesAround(ctx, p.ID, candidates)
	if err != nil {
		return nil, err
	}
	var rows []*ent.SlotCreate
	for _, c := range candidates {
		if c.Skip != "" || clashes(c, busy) || isAway(c.StartsAt, c.EndsAt, away) {
			continue
		}
		rows = append(rows, s.DB.Client.Slot.Create().SetPractitionerID(p.ID).SetStartsAt(c.StartsAt).SetEndsAt(c.EndsAt).SetType(t).
			SetDurationMinutes(int(c.EndsAt.Sub(c.StartsAt)/time.Minute)).SetTimeZone(zone.String()).SetLocalDate(c.LocalDate))
	}
	var made []uuid.UUID
	for start := 0; start < len(rows); start += bulkChunk {
		slots, err := s.DB.Client.Slot.CreateBulk(rows[start:min(start+bulkChunk, len(rows))]...).Save(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range slots {
			made = append(made, one.ID)
		}
	}
	return made, nil
}

// busy returns the slots of the calendar around the candidates, by start.
func (s *Service) busy(ctx context.Context, id uuid.UUID, candidates []Candidate) ([]*ent.Slot, error) {
	first, last := reach(candidates)
	return s.DB.Client.Slot.Query().Order(slot.ByStartsAt()).
		Where(slot.PractitionerID(id), slot.StatusNEQ(slot.StatusREMOVED), slot.StartsAtLT(last), slot.EndsAtGT(first)).All(ctx)
}

// leavesAround returns the leaves around the candidates.
func (s *Service) leavesAround(ctx context.Context, id uuid.UUID, candidates []Candidate) ([]*ent.Leave, error) {
	first, last := reach(candidates)
	return s.DB.Client.Leave.Query().Where(leave.PractitionerID(id), leave.StartsAtLT(last), leave.EndsAtGT(first)).All(ctx)
}

// reach is from the first start to the last end of candidates that exist.
func reach(candidates []Candidate) (first, last time.Time) {
	for _, c := range candidates {
		if c.StartsAt.IsZero() {
			continue
		}
		if first.IsZero() || c.StartsAt.Before(first) {
			first = c.StartsAt
		}
		if c.EndsAt.After(last) {
			last = c.EndsAt
		}
	}
	return first, last
}

func clashes(c Candidate, busy []*ent.Slot) bool {
	for _, b := range busy {
		if overlaps(c.StartsAt, c.EndsAt, b.StartsAt, b.EndsAt) {
			return true
		}
	}
	return false
}

func isAway(startsAt, endsAt time.Time, away []*ent.Leave) bool {
	return slices.ContainsFunc(away, func(l *ent.Leave) bool { return overlaps(startsAt, endsAt, l.StartsAt, l.EndsAt) })
}

// skippedOf tells the candidates that did not become slots; one without a reason of its own met a leave or another slot.
func skippedOf(candidates []Candidate, created []*ent.Slot, away []*ent.Leave) []*SkippedSlot {
	made := make(map[int64]bool, len(created))
	for _, c := range created {
		made[c.StartsAt.UnixMicro()] = true
	}
	skipped := []*SkippedSlot{}
	for _, c := range candidates {
		if !c.StartsAt.IsZero() && made[c.StartsAt.UnixMicro()] {
			continue
		}
		reason := c.Skip
		switch {
		case reason != "":
		case isAway(c.StartsAt, c.EndsAt, away):
			reason = SkipSlotBlocked
		default:
			reason = SkipSlotOverlap
		}
		skipped = append(skipped, &SkippedSlot{LocalDate: c.LocalDate, LocalTime: c.LocalStart, Reason: fault.Code(reason)})
	}
	return skipped
}
