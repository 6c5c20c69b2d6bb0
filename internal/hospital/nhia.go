package hospital

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/nhiamembership"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
)

// RegisterNhia notes that a patient is a member of the national scheme, from today or a past date on: what was charged for those dates, and for admissions on
// them, is reversed. Nurses and
// administrators may. Errors: NOT_FOUND, CONFLICT for a member, and for a number that is or was another patient's, DATE_IN_FUTURE, INVALID_INPUT, also for
// a date on which an earlier membership counts.
func (s *Service) RegisterNhia(ctx context.Context, in RegisterNhiaInput) (*ent.NhiaMembership, []*ent.WalletTransaction, error) {
	number, err := registrationNumber(in.RegistrationNumber)
	from, dateErr := s.dateOf(in.RegisteredOn, "registeredOn")
	if err := errors.Join(err, dateErr); err != nil {
		return nil, nil, err
	}
	return s.member(ctx, "registerNhia", in.PatientID, in.IdempotencyKey, in, func(ctx context.Context) (*ent.NhiaMembership, []*ent.WalletTransaction, error) {
		if err := s.mayJoin(ctx, in.PatientID, number, from); err != nil {
			return nil, nil, err
		}
		var made *ent.NhiaMembership
		moved, err := s.resettle(ctx, in.PatientID, from, func() (err error) {
			made, err = s.DB.Client.NhiaMembership.Create().SetPatientID(in.PatientID).SetRegistrationNumber(number).SetRegisteredOn(from).
				SetRegisteredBy(access.From(ctx).Person().UserID).Save(ctx)
			return err
		})
		return made, moved.reversed, err
	})
}

// DeactivateNhia ends a patient's membership; the last date on which it counts is today or a past one, and dates after it are owed again, as are the fees
// of admissions on them. Nurses and administrators may. Errors: NOT_FOUND, ILLEGAL_STATUS for who is no member, DATE_IN_FUTURE, INVALID_INPUT for a date before the first one.
func (s *Service) DeactivateNhia(ctx context.Context, in DeactivateNhiaInput) (*ent.NhiaMembership, []*ent.WalletTransaction, error) {
	last, err := s.dateOf(in.EndedOn, "endedOn")
	if err != nil {
		return nil, nil, err
	}
	return s.member(ctx, "deactivateNhia", in.PatientID, in.IdempotencyKey, in, func(ctx context.Context) (*ent.NhiaMembership, []*ent.WalletTransaction, error) {
		present, err := s.DB.Client.NhiaMembership.Query().Where(nhiamembership.PatientID(in.PatientID), nhiamembership.EndedOnIsNil()).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return nil, nil, errIsNoMember
		case err != nil:
			return nil, nil, err
		case last.Before(present.RegisteredOn):
			return nil, nil, fault.InvalidAt("This lies before the first date of the membership.", "endedOn")
		}
		var ended *ent.NhiaMembership
		moved, err := s.resettle(ctx, in.PatientID, last.AddDays(1), func() (err error) {
			ended, err = s.DB.Client.NhiaMembership.UpdateOne(present).SetEndedOn(last).SetEndedBy(access.From(ctx).Person().UserID).Save(ctx)
			return err
		})
		return ended, moved.posted, err
	})
}

// dateOf is the given date, or today; it may not lie ahead.
func (s *Service) dateOf(given *civil.Date, field string) (civil.Date, error) {
	today := s.today()
	switch {
	case given == nil:
		return today, nil
	case given.After(today):
		return *given, ErrDateInFuture.At(field)
	default:
		return *given, nil
	}
}

// member changes the membership of a patient whom the viewer may see, who is locked meanwhile, and returns it with what the change has moved.
func (s *Service) member(ctx context.Context, cause string, patientID uuid.UUID, key *string, input any,
	change func(context.Context) (*ent.NhiaMembership, []*ent.WalletTransaction, error),
) (*ent.NhiaMembership, []*ent.WalletTransaction, error) {
	if isThere, err := s.DB.Client.Patient.Query().Where(patient.ID(patientID)).Exist(ctx); err != nil || !isThere {
		return nil, nil, orNotFound(err, "patientId")
	}
	result, err := idem.Do(access.System(ctx, cause), s.DB, cause, key, input, func(ctx context.Context) ([]uuid.UUID, error) {
		if err := s.DB.Lock(ctx, patient.Table, patientID); err != nil {
			return nil, err
		}
		m, moved, err := change(ctx)
		if err != nil {
			return nil, err
		}
		return append([]uuid.UUID{m.ID}, idsOf(moved)...), nil
	})
	if err != nil {
		return nil, nil, membershipRefusal(err)
	}
	m, err := s.DB.Client.NhiaMembership.Get(ctx, result[0])
	if err != nil {
		return nil, nil, err
	}
	moved, err := s.transactions(ctx, result[1:])
	return m, moved, err
}

func membershipRefusal(err error) error {
	switch {
	case store.Violates(err, membershipOpen):
		return errIsMember
	case store.Violates(err, membershipOwned):
		return errNumberTaken
	default:
		return err
	}
}

// mayJoin refuses who is a member on the date or after it, and a number that is or ever was another's. The caller holds the patient's lock.
func (s *Service) mayJoin(ctx context.Context, patientID uuid.UUID, number string, from civil.Date) error {
	if err := s.DB.LockName(ctx, "nhia:"+number); err != nil { // another patient may be registering with it
		return err
	}
	isAnothers, err := s.DB.Client.NhiaMembership.Query().Where(nhiamembership.RegistrationNumber(number), nhiamembership.PatientIDNEQ(patientID)).Exist(ctx)
	if err == nil && isAnothers {
		err = errNumberTaken
	}
	if err != nil {
		return err
	}
	earlier, err := s.DB.Client.NhiaMembership.Query().Where(nhiamembership.PatientID(patientID)).All(ctx)
	if err != nil {
		return err
	}
	for _, m := range earlier {
		switch {
		case m.EndedOn == nil:
			return errIsMember
		case !from.After(*m.EndedOn):
			return fault.InvalidAt("The patient was a member on that date, or after it.", "registeredOn")
		}
	}
	return nil
}

// resettle changes whether the patient is a member from a date on, and settles the admissions that have such dates, with their fees. Locks, behind the patient: admissions, wallet.
func (s *Service) resettle(ctx context.Context, patientID uuid.UUID, from civil.Date, change func() error) (settled, error) {
	start := civil.StartOfDay(from, s.Zone)
	ids, err := s.DB.Client.Admission.Query().
		Where(admission.PatientID(patientID),
			admission.Or(admission.DischargedAtIsNil(), admission.DischargedAtGT(start), admission.AdmittedAtGTE(start))).IDs(ctx)
	if err != nil {
		return settled{}, err
	}
	if err := s.DB.Lock(ctx, admission.Table, ids...); err != nil {
		return settled{}, err
	}
	var fees settled
	daily, err := s.settling(ctx, ids, func() (err error) {
		fees, err = s.settlingFees(ctx, patientID, ids, change)
		return err
	})
	return settled{posted: append(fees.posted, daily.posted...), reversed: append(fees.reversed, daily.reversed...)}, err
}

const exemptBatch = 5000

// IsExempt tells which of the patients are members of the national scheme on the date. It answers to everybody: whether somebody pays is known at every desk.
func (s *Service) IsExempt(ctx context.Context, patientIDs []uuid.UUID, date civil.Date) (map[uuid.UUID]bool, error) {
	return s.exemptOn(access.System(ctx, "members of the national scheme"), patientIDs, date)
}

// exemptOn tells which of the patients are members on the date, as far as who asks may see memberships.
func (s *Service) exemptOn(ctx context.Context, patientIDs []uuid.UUID, date civil.Date) (map[uuid.UUID]bool, error) {
	exempt := map[uuid.UUID]bool{}
	for chunk := range slices.Chunk(patientIDs, exemptBatch) {
		members, err := s.DB.Client.NhiaMembership.Query().Where(nhiamembership.PatientIDIn(chunk...), nhiamembership.RegisteredOnLTE(date),
			nhiamembership.Or(nhiamembership.EndedOnIsNil(), nhiamembership.EndedOnGTE(date))).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			exempt[m.PatientID] = true
		}
	}
	return exempt, nil
}

// ExemptToday tells which of the patients are members today.
func (s *Service) ExemptToday(ctx context.Context, patientIDs []uuid.UUID) (map[uuid.UUID]bool, error) {
	return s.IsExempt(ctx, patientIDs, s.today())
}
