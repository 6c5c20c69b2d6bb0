package hospital

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/store"
)

// Wards returns the wards that the viewer may see, all or by whether they are in use.
func (s *Service) Wards(isActive *bool) *ent.WardQuery {
	q := s.DB.Client.Ward.Query()
	if isActive != nil {
		q.Where(ward.IsActive(*isActive))
	}
	return q
}

// CreateWard opens a ward, with a rate from today on if one is given; nurses and administrators may, with a rate only who sets rates. Errors: INVALID_INPUT,
// CONFLICT when the name is taken, FORBIDDEN.
func (s *Service) CreateWard(ctx context.Context, in CreateWardInput) (*ent.Ward, error) {
	name, err := wardNameOf(in.Name)
	var rate *money.Amount
	if in.DailyRate != nil {
		if !access.From(ctx).Has(access.Biller, access.Admin) {
			return nil, fault.ErrForbidden.At("dailyRate")
		}
		given, rateErr := amount(*in.DailyRate, s.Currency, false, "dailyRate")
		rate, err = &given, errors.Join(err, rateErr)
	}
	if err != nil {
		return nil, err
	}
	result, err := idem.Do(ctx, s.DB, "createWard", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		made, err := s.DB.Client.Ward.Create().SetName(name).SetNameKey(nameKey(name)).SetType(in.Type).Save(ctx)
		if err != nil {
			return nil, err
		}
		if rate != nil {
			_, err = s.putRate(ctx, made.ID, s.today(), *rate)
		}
		return []uuid.UUID{made.ID}, err
	})
	if store.Violates(err, wardName) {
		err = errWardName
	}
	if err != nil {
		return nil, err
	}
	return s.DB.Client.Ward.Get(ctx, result[0])
}

// today is the date in the practice's zone.
func (s *Service) today() civil.Date { return civil.DateOf(s.DB.Now(), s.Zone) }

// UpdateWard changes a ward; one in which patients lie stays in use. Nurses and administrators may. It returns the ward, after a CONFLICT as it is now. Errors:
// NOT_FOUND, INVALID_INPUT, CONFLICT.
func (s *Service) UpdateWard(ctx context.Context, in UpdateWardInput) (*ent.Ward, error) {
	if in.Name != nil {
		name, err := wardNameOf(*in.Name)
		if err != nil {
			return nil, err
		}
		in.Name = &name
	}
	err := s.DB.WithTx(ctx, func(ctx context.Context) error { return s.updateWard(ctx, in) })
	if store.Violates(err, wardName) {
		err = errWardName
	}
	if err != nil && !errors.Is(err, fault.ErrConflict) {
		return nil, err
	}
	present, readErr := s.DB.Client.Ward.Get(ctx, in.ID)
	return present, errors.Join(err, readErr)
}

func (s *Service) updateWard(ctx context.Context, in UpdateWardInput) error {
	if err := s.DB.Lock(ctx, ward.Table, in.ID); err != nil { // who admits to the ward shares it
		return err
	}
	present, err := s.DB.Client.Ward.Get(ctx, in.ID)
	switch {
	case ent.IsNotFound(err):
		return fault.ErrNotFound.At("id")
	case err != nil:
		return err
	case in.ExpectedVersion != nil && *in.ExpectedVersion != present.Version:
		return fault.ErrConflict.At("expectedVersion")
	}
	update := s.DB.Client.Ward.UpdateOne(present).SetNillableType(in.Type).SetNillableIsActive(in.IsActive)
	if in.Name != nil {
		update.SetName(*in.Name).SetNameKey(nameKey(*in.Name))
	}
	if in.IsActive != nil && !*in.IsActive {
		isInUse, err := s.DB.Client.Stay.Query().Where(stay.WardID(in.ID), stay.ToAtIsNil()).Exist(access.System(ctx, "updateWard"))
		if err != nil {
			return err
		}
		if isInUse {
			return errWardInUse
		}
	}
	return update.Exec(ctx)
}
