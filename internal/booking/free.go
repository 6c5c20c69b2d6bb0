package booking

import (
	"cmp"
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/leave"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
)

const maxAlternatives = 3

// free matches slots to come, of practitioners who work here, that no appointment holds at the instant now. It looks at appointments of everybody, which tells a viewer no more
// than that the slot is taken.
func free(now time.Time) predicate.Slot {
	return func(s *sql.Selector) {
		held := sql.Dialect(s.Dialect()).Select(appointment.FieldSlotID).From(sql.Table(appointment.Table)).Where(sql.And(
			sql.GT(appointment.FieldStartsAt, now),
			sql.Or(
				sql.In(appointment.FieldStatus, appointment.StatusBOOKED, appointment.StatusCOMPLETED, appointment.StatusNO_SHOW),
				sql.And(sql.EQ(appointment.FieldStatus, appointment.StatusPENDING), sql.GT(appointment.FieldExpiresAt, now)),
			),
		))
		gone := sql.Dialect(s.Dialect()).Select(practitioner.FieldID).From(sql.Table(practitioner.Table)).Where(sql.EQ(practitioner.FieldIsActive, false))
		s.Where(sql.And(sql.GT(s.C(slot.FieldStartsAt), now), sql.EQ(s.C(slot.FieldStatus), slot.StatusOPEN), sql.NotIn(s.C(slot.FieldID), held), notOnLeave(s),
			sql.NotIn(s.C(slot.FieldPractitionerID), gone)))
	}
}

// notOnLeave leaves out slots that were held when their practitioner's leave was entered, and are not any more.
func notOnLeave(s *sql.Selector) *sql.Predicate {
	l := sql.Table(leave.Table).As("on_leave")
	return sql.NotExists(sql.Dialect(s.Dialect()).Select(l.C(leave.FieldID)).From(l).Where(sql.And(
		sql.ColumnsEQ(l.C(leave.FieldPractitionerID), s.C(slot.FieldPractitionerID)),
		sql.ColumnsLT(l.C(leave.FieldStartsAt), s.C(slot.FieldEndsAt)),
		sql.ColumnsGT(l.C(leave.FieldEndsAt), s.C(slot.FieldStartsAt)),
	)))
}

// Slots returns the slots of calendars that the viewer may see, all or by whether they can be booked now.
func (s *Service) Slots(isFree *bool) *ent.SlotQuery {
	q := s.DB.Client.Slot.Query().Where(slot.StatusNEQ(slot.StatusREMOVED)) // which patients see with the visits that they had
	switch {
	case isFree == nil:
		return q
	case *isFree:
		return q.Where(free(s.DB.Now()))
	default:
		return q.Where(slot.Not(free(s.DB.Now())))
	}
}

// FreeOf tells which of the slots can be booked now.
func (s *Service) FreeOf(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	found, err := s.DB.Client.Slot.Query().Where(slot.IDIn(ids...), free(s.DB.Now())).IDs(ctx)
	result := make(map[uuid.UUID]bool, len(found))
	for _, id := range found {
		result[id] = true
	}
	return result, err
}

// NextFree returns the next free slot of each practitioner that has one.
func (s *Service) NextFree(ctx context.Context, practitioners []uuid.UUID) (map[uuid.UUID]*ent.Slot, error) {
	result := make(map[uuid.UUID]*ent.Slot, len(practitioners))
	keys := make([]any, len(practitioners))
	for i, id := range practitioners {
		keys[i] = id
	}
	now := s.DB.Now()
	slots, err := s.DB.Client.Slot.Query().Where(func(q *sql.Selector) {
		inner := sql.Dialect(q.Dialect()).Select(slot.FieldPractitionerID, sql.As(sql.Min(slot.FieldStartsAt), "first")).From(sql.Table(slot.Table))
		inner.Where(sql.In(inner.C(slot.FieldPractitionerID), keys...))
		free(now)(inner)
		inner.GroupBy(slot.FieldPractitionerID).As("next")
		q.Join(inner).On(q.C(slot.FieldPractitionerID), inner.C(slot.FieldPractitionerID))
		q.Where(sql.And(sql.ColumnsEQ(q.C(slot.FieldStartsAt), inner.C("first")), sql.EQ(q.C(slot.FieldStatus), slot.StatusOPEN)))
	}).All(ctx)
	for _, one := range slots {
		result[one.PractitionerID] = one
	}
	return result, err
}

// alternatives returns up to three free slots of the same practitioner and type, nearest in time first. Slots are the directory's, so the
// system looks for whoever may book.
func (s *Service) alternatives(ctx context.Context, wanted *ent.Slot) ([]*ent.Slot, error) {
	ctx = access.System(ctx, "alternatives to a taken slot")
	q := s.DB.Client.Slot.Query().
		Where(slot.PractitionerID(wanted.PractitionerID), slot.TypeEQ(wanted.Type), slot.IDNEQ(wanted.ID), free(s.DB.Now())).Limit(maxAlternatives)
	after, err := q.Clone().Where(slot.StartsAtGTE(wanted.StartsAt)).Order(slot.ByStartsAt()).All(ctx)
	if err != nil {
		return nil, err
	}
	before, err := q.Where(slot.StartsAtLT(wanted.StartsAt)).Order(slot.ByStartsAt(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, err
	}
	both := slices.Concat(after, before)
	slices.SortStableFunc(both, func(a, b *ent.Slot) int {
		return cmp.Compare(a.StartsAt.Sub(wanted.StartsAt).Abs(), b.StartsAt.Sub(wanted.StartsAt).Abs())
	})
	return both[:min(len(both), maxAlternatives)], nil
}
