package hospital

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/admissionrecord"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/money"
)

// Discharged is an admission that has ended, and what there is to tell the patient.
type Discharged struct {
	Admission         *ent.Admission
	IsWalletOverdrawn *bool // nil for who may not see the wallet
	Warnings          []string
}

// DischargePatient ends an admission, now or, for late paperwork, at a time that is past: charges of dates that are then not owed are reversed. Nurses, doctors
// and administrators may. An overdrawn wallet is no obstacle; it is told. Errors: NOT_FOUND, ALREADY_DISCHARGED, DATE_IN_FUTURE, INVALID_INPUT.
func (s *Service) DischargePatient(ctx context.Context, in DischargePatientInput) (*Discharged, error) {
	a, err := s.end(ctx, ending{
		of: in.AdmissionID, as: admission.StatusDISCHARGED, notes: in.Notes, at: in.DischargedAt, field: "dischargedAt",
		cause: "dischargePatient", key: in.IdempotencyKey, input: in,
	})
	if err != nil {
		return nil, err
	}
	result := &Discharged{Admission: a, Warnings: []string{}}
	w, err := s.DB.Client.Wallet.Query().Where(entwallet.PatientID(a.PatientID)).Only(ctx)
	if err != nil {
		return result, ent.MaskNotFound(err)
	}
	balance := money.Amount{Minor: w.BalanceMinor, Currency: w.Currency}
	isOverdrawn := balance.Sign() < 0
	result.IsWalletOverdrawn = &isOverdrawn
	if isOverdrawn {
		owed, err := balance.Neg()
		if err != nil {
			return nil, err
		}
		result.Warnings = append(result.Warnings, "The wallet is overdrawn by "+owed.String()+".")
	}
	return result, nil
}

// RecordDeath ends an admission because the patient has died. Doctors and administrators may. Errors: as DischargePatient.
func (s *Service) RecordDeath(ctx context.Context, in RecordDeathInput) (*ent.Admission, error) {
	return s.end(ctx, ending{
		of: in.AdmissionID, as: admission.StatusDECEASED, notes: in.Notes, at: in.DiedAt, field: "diedAt",
		cause: "recordDeath", key: in.IdempotencyKey, input: in,
	})
}

// ending is how an admission ends.
type ending struct {
	of    uuid.UUID
	as    admission.Status
	notes *string
	at    *time.Time // nil: now
	field string     // of at, in the input
	cause string
	key   *string
	input any
}

// end ends an admission that the viewer may see, and returns it as the viewer then sees it.
func (s *Service) end(ctx context.Context, e ending) (*ent.Admission, error) {
	at, timeErr := instant(e.at, s.DB.Now(), e.field)
	if err := errors.Join(optional(e.notes, "notes"), timeErr); err != nil {
		return nil, err
	}
	seen, err := s.visible(ctx, e.of)
	if err != nil {
		return nil, err
	}
	by := access.From(ctx).UserID
	_, err = idem.Do(access.System(ctx, e.cause), s.DB, e.cause, e.key, e.input, func(ctx context.Context) ([]uuid.UUID, error) {
		return []uuid.UUID{seen.ID}, s.ends(ctx, seen, e, at, by)
	})
	if err != nil {
		return nil, err
	}
	return s.DB.Client.Admission.Get(ctx, e.of)
}

// ends writes the end of an admission. Locks: patient, admission, wallet.
func (s *Service) ends(ctx context.Context, seen *ent.Admission, e ending, at time.Time, by uuid.UUID) error {
	a, present, err := s.lying(ctx, seen)
	if err != nil {
		return err
	}
	if e.at == nil {
		at = notBefore(at, present.FromAt)
	}
	if at.Before(present.FromAt) { // the stays before it are over, and are never rewritten
		return fault.InvalidAt("This lies before the admission or the last transfer.", e.field)
	}
	_, err = s.settling(ctx, []uuid.UUID{a.ID}, func() error {
		if err := s.DB.Client.Stay.UpdateOne(present).SetToAt(at).Exec(ctx); err != nil {
			return err
		}
		if err := s.DB.Client.Admission.UpdateOne(a).SetStatus(e.as).SetDischargedAt(at).SetDischargedBy(by).Exec(ctx); err != nil {
			return err
		}
		return s.note(ctx, a, trimmed(e.notes))
	})
	return err
}

// note writes the notes on the end into the admission's record.
func (s *Service) note(ctx context.Context, a *ent.Admission, notes string) error {
	if notes == "" {
		return nil
	}
	record, err := s.DB.Client.AdmissionRecord.Query().Where(admissionrecord.AdmissionID(a.ID)).Only(ctx)
	if err != nil {
		return err
	}
	return s.DB.Client.AdmissionRecord.UpdateOne(record).SetDischargeNotes(notes).Exec(ctx)
}
