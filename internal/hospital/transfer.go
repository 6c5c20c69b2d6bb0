package hospital

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

// TransferPatient moves an admitted patient to a free bed: the present stay ends now, and at the same instant the next begins. Nurses, doctors and
// administrators may. Errors: NOT_FOUND, BED_TAKEN, BED_INACTIVE, NOT_ADMITTED, ALREADY_DISCHARGED, INVALID_INPUT for the bed in which the patient lies.
func (s *Service) TransferPatient(ctx context.Context, in TransferPatientInput) (*ent.Admission, *ChargePlan, error) {
	seen, err := s.visible(ctx, in.AdmissionID)
	if err != nil {
		return nil, nil, err
	}
	b, err := s.visibleBed(ctx, in.BedID)
	if err != nil {
		return nil, nil, err
	}
	result, err := idem.Do(access.System(ctx, "transferPatient"), s.DB, "transferPatient", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		return []uuid.UUID{seen.ID}, s.transfer(ctx, seen, b)
	})
	if err != nil {
		return nil, nil, stayRefusal(err)
	}
	return s.withPlan(ctx, result[0])
}

// visible returns an admission that the viewer may see.
func (s *Service) visible(ctx context.Context, id uuid.UUID) (*ent.Admission, error) {
	a, err := s.DB.Client.Admission.Get(ctx, id)
	if ent.IsNotFound(err) {
		err = fault.ErrNotFound.At("admissionId")
	}
	return a, err
}

// transfer writes the move. Locks: patient, admission, ward, bed, wallet.
func (s *Service) transfer(ctx context.Context, seen *ent.Admission, b *ent.Bed) error {
	a, present, err := s.lying(ctx, seen)
	if err != nil {
		return err
	}
	if present.BedID == b.ID {
		return fault.InvalidAt("The patient lies in this bed.", "bedId")
	}
	if err := s.freeBed(ctx, b); err != nil {
		return err
	}
	at, err := s.presently(ctx, b.ID, a.PatientID)
	if err != nil {
		return err
	}
	at = notBefore(at, present.FromAt)
	_, err = s.settling(ctx, []uuid.UUID{a.ID}, func() error {
		if err := s.DB.Client.Stay.UpdateOne(present).SetToAt(at).Exec(ctx); err != nil {
			return err
		}
		return s.lay(ctx, a, b, at)
	})
	return err
}

// lying returns, locked, an admission that goes on, and where the patient lies.
func (s *Service) lying(ctx context.Context, seen *ent.Admission) (*ent.Admission, *ent.Stay, error) {
	if err := s.DB.Lock(ctx, patient.Table, seen.PatientID); err != nil {
		return nil, nil, err
	}
	a, err := s.DB.Client.Admission.Query().Where(admission.ID(seen.ID), s.DB.ForUpdate).Only(ctx)
	if err != nil {
		return nil, nil, err
	}
	if a.Status != admission.StatusADMITTED {
		return nil, nil, ErrAlreadyDischarged
	}
	present, err := s.DB.Client.Stay.Query().Where(stay.AdmissionID(a.ID), stay.ToAtIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		err = ErrNotAdmitted
	}
	return a, present, err
}

// notBefore is the present instant; where another instance's clock was ahead, the one that it wrote.
func notBefore(now, other time.Time) time.Time {
	if now.Before(other) {
		return other
	}
	return now
}

// settling changes what the charges of admissions follow from, and settles them before and after; see settle. It returns what the change has posted and reversed.
func (s *Service) settling(ctx context.Context, admissionIDs []uuid.UUID, change func() error) (settled, error) {
	if _, err := s.settle(ctx, admissionIDs...); err != nil {
		return settled{}, err
	}
	if err := change(); err != nil {
		return settled{}, err
	}
	return s.settle(ctx, admissionIDs...)
}
