package hospital

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/ent/wardrate"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/money"
)

// SetWardRate sets what a day in a ward costs from a date on, tomorrow when none is given; a rate that begins on that date is replaced. What was owed stays: from
// today only while nobody lay in the ward at the first instant of today. Billers and administrators may. Errors: NOT_FOUND, RATE_IN_PAST, INVALID_INPUT.
func (s *Service) SetWardRate(ctx context.Context, in SetWardRateInput) (*ent.WardRate, *ent.Ward, error) {
	rate, err := amount(in.Rate, s.Currency, false, "rate")
	if err != nil {
		return nil, nil, err
	}
	result, err := idem.Do(ctx, s.DB, "setWardRate", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		if err := s.DB.Lock(ctx, ward.Table, in.WardID); err != nil { // who admits to the ward, with a time that is past, shares it
			return nil, err
		}
		if isThere, err := s.DB.Client.Ward.Query().Where(ward.ID(in.WardID)).Exist(ctx); err != nil || !isThere {
			return nil, orNotFound(err, "wardId")
		}
		from := s.today().AddDays(1)
		if in.From != nil {
			from = *in.From
		}
		if err := s.notOwed(ctx, in.WardID, from); err != nil {
			return nil, err
		}
		set, err := s.putRate(ctx, in.WardID, from, rate)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{set.ID}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	set, err := s.DB.Client.WardRate.Get(ctx, result[0])
	if err != nil {
		return nil, nil, err
	}
	of, err := s.DB.Client.Ward.Get(ctx, in.WardID)
	return set, of, err
}

// orNotFound is the error, or NOT_FOUND at the field when there is none.
func orNotFound(err error, field string) error {
	if err == nil {
		err = fault.ErrNotFound.At(field)
	}
	return err
}

// notOwed refuses dates of which a charge may be owed already. The caller holds the ward's lock.
func (s *Service) notOwed(ctx context.Context, wardID uuid.UUID, from civil.Date) error {
	today := s.today()
	if from.Before(today) {
		return ErrRateInPast
	}
	if from.After(today) {
		return s.notCharged(ctx, wardID, from)
	}
	start := civil.StartOfDay(today, s.Zone)
	isOwed, err := s.DB.Client.Stay.Query().Where(stay.WardID(wardID), stay.FromAtLTE(start), stay.Or(stay.ToAtIsNil(), stay.ToAtGT(start))).
		Exist(access.System(ctx, "setWardRate"))
	if err == nil && isOwed {
		err = errRateIsOwed
	}
	return err
}

// notCharged refuses a date still to come here that another instance, whose clock is ahead, has charged in the ward. Who charges shares the ward, whose lock the
// caller holds.
func (s *Service) notCharged(ctx context.Context, wardID uuid.UUID, from civil.Date) error {
	isCharged, err := s.DB.Client.Stay.Query().Where(stay.WardID(wardID), stay.Or(stay.ToAtIsNil(), stay.ToAtGT(civil.StartOfDay(from, s.Zone))), func(q *sql.Selector) {
		charge := sql.Dialect(q.Dialect()).Select(wallettransaction.FieldAdmissionID).From(sql.Table(wallettransaction.Table))
		isDaily(charge)
		q.Where(sql.Exists(charge.Where(sql.And(sql.ColumnsEQ(charge.C(wallettransaction.FieldAdmissionID), q.C(stay.FieldAdmissionID)),
			sql.GTE(charge.C(wallettransaction.FieldChargeDate), from)))))
	}).Exist(access.System(ctx, "setWardRate"))
	if err == nil && isCharged {
		err = errRateIsUsed
	}
	return err
}

// putRate writes the rate of a date, in place of the one that there is. The caller holds the ward's lock, or has made the ward.
func (s *Service) putRate(ctx context.Context, wardID uuid.UUID, from civil.Date, rate money.Amount) (*ent.WardRate, error) {
	by := access.From(ctx).UserID
	present, err := s.DB.Client.WardRate.Query().Where(wardrate.WardID(wardID), wardrate.FromDate(from)).Only(ctx)
	if ent.IsNotFound(err) {
		return s.DB.Client.WardRate.Create().SetWardID(wardID).SetFromDate(from).SetRateMinor(rate.Minor).SetCurrency(rate.Currency).SetSetBy(by).Save(ctx)
	}
	if err != nil {
		return nil, err
	}
	return s.DB.Client.WardRate.UpdateOne(present).SetRateMinor(rate.Minor).SetSetBy(by).Save(access.System(ctx, "setWardRate")) // another may have set it
}

// RatesToday returns what a day in each of the wards costs today, as far as the viewer may see rates; a ward without a rate is left out.
func (s *Service) RatesToday(ctx context.Context, wards []uuid.UUID) (map[uuid.UUID]*money.Amount, error) {
	today, keys := s.today(), make([]any, len(wards))
	for i, id := range wards {
		keys[i] = id
	}
	rates, err := s.DB.Client.WardRate.Query().Where(func(q *sql.Selector) {
		begun := sql.Dialect(q.Dialect()).Select(wardrate.FieldWardID, sql.As(sql.Max(wardrate.FieldFromDate), "newest")).From(sql.Table(wardrate.Table))
		begun.Where(sql.And(sql.In(begun.C(wardrate.FieldWardID), keys...), sql.LTE(begun.C(wardrate.FieldFromDate), today))).
			GroupBy(wardrate.FieldWardID).As("begun")
		q.Join(begun).On(q.C(wardrate.FieldWardID), begun.C(wardrate.FieldWardID))
		q.Where(sql.ColumnsEQ(q.C(wardrate.FieldFromDate), begun.C("newest")))
	}).All(ctx)
	found := make(map[uuid.UUID]*money.Amount, len(rates))
	for _, r := range rates {
		found[r.WardID] = &money.Amount{Minor: r.RateMinor, Currency: r.Currency}
	}
	return found, err
}
