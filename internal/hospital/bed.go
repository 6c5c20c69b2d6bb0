package hospital

import (
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/bed"
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
)

// AddBed adds a bed to a ward; nurses and administrators may. Errors: NOT_FOUND, INVALID_INPUT, CONFLICT when the number is taken.
func (s *Service) AddBed(ctx context.Context, in AddBedInput) (*ent.Bed, error) {
	number, err := line(in.Number, maxNumber, "A number", "number")
	if err != nil {
		return nil, err
	}
	result, err := idem.Do(ctx, s.DB, "addBed", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		if isThere, err := s.DB.Client.Ward.Query().Where(ward.ID(in.WardID)).Exist(ctx); err != nil || !isThere {
			return nil, orNotFound(err, "wardId")
		}
		made, err := s.DB.Client.Bed.Create().SetWardID(in.WardID).SetNumber(number).Save(ctx)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{made.ID}, nil
	})
	if store.Violates(err, bedNumber) {
		err = errBedNumber
	}
	if err != nil {
		return nil, err
	}
	return s.DB.Client.Bed.Get(ctx, result[0])
}

// UpdateBed changes a bed; one in which a patient lies stays in use. Nurses and administrators may. It returns the bed, after a CONFLICT as it is now. Errors:
// NOT_FOUND, INVALID_INPUT, CONFLICT, BED_TAKEN.
func (s *Service) UpdateBed(ctx context.Context, in UpdateBedInput) (*ent.Bed, error) {
	if in.Number != nil {
		number, err := line(*in.Number, maxNumber, "A number", "number")
		if err != nil {
			return nil, err
		}
		in.Number = &number
	}
	err := s.DB.WithTx(ctx, func(ctx context.Context) error { return s.updateBed(ctx, in) })
	if store.Violates(err, bedNumber) {
		err = errBedNumber
	}
	if err != nil && !errors.Is(err, fault.ErrConflict) {
		return nil, err
	}
	present, readErr := s.DB.Client.Bed.Get(ctx, in.ID)
	return present, errors.Join(err, readErr)
}

func (s *Service) updateBed(ctx context.Context, in UpdateBedInput) error {
	if err := s.DB.Lock(ctx, bed.Table, in.ID); err != nil { // as who lays a patient into it does
		return err
	}
	present, err := s.DB.Client.Bed.Get(ctx, in.ID)
	switch {
	case ent.IsNotFound(err):
		return fault.ErrNotFound.At("id")
	case err != nil:
		return err
	case in.ExpectedVersion != nil && *in.ExpectedVersion != present.Version:
		return fault.ErrConflict.At("expectedVersion")
	}
	if in.IsActive != nil && !*in.IsActive {
		isTaken, err := s.DB.Client.Stay.Query().Where(stay.BedID(in.ID), stay.ToAtIsNil()).Exist(access.System(ctx, "updateBed"))
		if err != nil {
			return err
		}
		if isTaken {
			return ErrBedTaken.At("isActive")
		}
	}
	return s.DB.Client.Bed.UpdateOne(present).SetNillableNumber(in.Number).SetNillableIsActive(in.IsActive).Exec(ctx)
}

// freeBed locks the bed, if it takes a patient now: from then on nobody else takes it, or puts it or its ward out of use. Locks: ward, bed. Errors: BED_TAKEN,
// BED_INACTIVE.
func (s *Service) freeBed(ctx context.Context, b *ent.Bed) error {
	isTaken := func() (bool, error) {
		return s.DB.Client.Stay.Query().Where(stay.BedID(b.ID), stay.ToAtIsNil()).Exist(ctx)
	}
	if taken, err := isTaken(); err != nil || taken { // told without waiting for others
		return orBedTaken(err)
	}
	if err := s.DB.Share(ctx, ward.Table, b.WardID); err != nil {
		return err
	}
	if err := s.DB.Lock(ctx, bed.Table, b.ID); err != nil {
		return err
	}
	isInUse, err := s.DB.Client.Bed.Query().Where(bed.ID(b.ID), inUse).Exist(ctx)
	if err == nil && !isInUse {
		err = ErrBedInactive
	}
	if err != nil {
		return err
	}
	if taken, err := isTaken(); err != nil || taken {
		return orBedTaken(err)
	}
	return nil
}

func orBedTaken(err error) error {
	if err == nil {
		err = ErrBedTaken
	}
	return err
}

// inUse matches beds that may take a patient: they are in use, and so is their ward.
func inUse(q *sql.Selector) {
	open := sql.Dialect(q.Dialect()).Select(ward.FieldID).From(sql.Table(ward.Table)).Where(sql.EQ(ward.FieldIsActive, true))
	q.Where(sql.And(sql.EQ(q.C(bed.FieldIsActive), true), sql.In(q.C(bed.FieldWardID), open)))
}

// isEmpty matches beds in which nobody lies, whoever that is: it tells no more than that.
func isEmpty(q *sql.Selector) {
	taken := sql.Dialect(q.Dialect()).Select(stay.FieldBedID).From(sql.Table(stay.Table)).Where(sql.IsNull(stay.FieldToAt))
	q.Where(sql.NotIn(q.C(bed.FieldID), taken))
}

var isFree = predicate.Bed(sql.AndPredicates(inUse, isEmpty))

// worksWithBeds tells whether the viewer is told who lies where. Others, who once lay in a bed, are not told whether somebody does now.
func worksWithBeds(ctx context.Context) bool {
	v := access.From(ctx)
	return v.IsSystem() || v.Has(access.Nurse, access.Doctor, access.Biller, access.Admin)
}

// FreeBeds tells which of the beds are in use and empty; of none for who does not work with beds.
func (s *Service) FreeBeds(ctx context.Context, beds []uuid.UUID) (map[uuid.UUID]*bool, error) {
	if !worksWithBeds(ctx) {
		return nil, nil
	}
	found, err := s.DB.Client.Bed.Query().Where(bed.IDIn(beds...), isFree).IDs(ctx)
	free := make(map[uuid.UUID]*bool, len(beds))
	for _, id := range beds {
		free[id] = new(bool)
	}
	for _, id := range found {
		*free[id] = true
	}
	return free, err
}

// perWard counts by ward.
type perWard []struct {
	WardID uuid.UUID `json:"ward_id"`
	Count  int       `json:"count"`
}

// of gives each of the wards its count.
func (list perWard) of(wards []uuid.UUID) map[uuid.UUID]*int {
	counts := make(map[uuid.UUID]*int, len(wards))
	for _, id := range wards {
		counts[id] = new(int)
	}
	for _, one := range list {
		*counts[one.WardID] = one.Count
	}
	return counts
}

// Occupied counts the beds of each ward in which somebody lies; of none for who does not work with beds.
func (s *Service) Occupied(ctx context.Context, wards []uuid.UUID) (map[uuid.UUID]*int, error) {
	if !worksWithBeds(ctx) {
		return nil, nil
	}
	var found perWard
	err := s.DB.Client.Stay.Query().Where(stay.WardIDIn(wards...), stay.ToAtIsNil()).GroupBy(stay.FieldWardID).Aggregate(ent.Count()).
		Scan(access.System(ctx, "beds of wards"), &found)
	return found.of(wards), err
}

// Free counts the beds of each ward that are in use and empty; of none for who does not work with beds.
func (s *Service) Free(ctx context.Context, wards []uuid.UUID) (map[uuid.UUID]*int, error) {
	if !worksWithBeds(ctx) {
		return nil, nil
	}
	var found perWard
	err := s.DB.Client.Bed.Query().Where(bed.WardIDIn(wards...), isFree).GroupBy(bed.FieldWardID).Aggregate(ent.Count()).
		Scan(access.System(ctx, "beds of wards"), &found)
	return found.of(wards), err
}
