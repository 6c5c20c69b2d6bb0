package hospital

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

// AdmitPatient lays a patient into a free bed, now or, for late paperwork, since a time that is past: what is owed since then is charged at once. Who attends the
// patient sees the patient's clinical data from then on. Nurses, doctors and administrators may. Of any number of callers for one bed, or one patient, one
// wins. Errors: NOT_FOUND, BED_TAKEN, BED_INACTIVE, ALREADY_ADMITTED, DATE_IN_FUTURE, INVALID_INPUT.
func (s *Service) AdmitPatient(ctx context.Context, in AdmitPatientInput) (*ent.Admission, *ChargePlan, error) {
	given, timeErr := instant(in.AdmittedAt, s.DB.Now(), "admittedAt")
	if err := errors.Join(in.Validate(), timeErr); err != nil {
		return nil, nil, err
	}
	b, err := s.seenForAdmission(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	by := access.From(ctx).UserID
	result, err := idem.Do(access.System(ctx, "admitPatient"), s.DB, "admitPatient", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		a, err := s.admit(ctx, in, b, given, by)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{a.ID}, nil
	})
	if err != nil {
		return nil, nil, stayRefusal(err)
	}
	return s.withPlan(ctx, result[0])
}

// seenForAdmission looks, as the viewer, at what the input names.
func (s *Service) seenForAdmission(ctx context.Context, in AdmitPatientInput) (*ent.Bed, error) {
	isThere, err := s.DB.Client.Patient.Query().Where(patient.ID(in.PatientID)).Exist(ctx)
	if err != nil || !isThere {
		return nil, orNotFound(err, "patientId")
	}
	return s.visibleBed(ctx, in.BedID)
}

func (s *Service) visibleBed(ctx context.Context, id uuid.UUID) (*ent.Bed, error) {
	b, err := s.DB.Client.Bed.Get(ctx, id)
	if ent.IsNotFound(err) {
		err = fault.ErrNotFound.At("bedId")
	}
	return b, err
}

// withPlan reads an admission back as the viewer, with what it costs.
func (s *Service) withPlan(ctx context.Context, id uuid.UUID) (*ent.Admission, *ChargePlan, error) {
	a, err := s.DB.Client.Admission.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	plan, err := s.chargePlan(access.System(ctx, "charges of an admission"), a)
	return a, plan, err
}

// attends refuses who does not work here any more. A repeated call, which has its first result, does not come here.
func (s *Service) attends(ctx context.Context, id *uuid.UUID) error {
	if id == nil {
		return nil
	}
	isThere, err := s.DB.Client.Practitioner.Query().Where(practitioner.ID(*id), practitioner.IsActive(true)).Exist(ctx)
	if err != nil || !isThere {
		return orNotFound(err, "attendingId")
	}
	return nil
}

// admit writes the admission with all that belongs to it. Locks: patient, ward, bed, wallet.
func (s *Service) admit(ctx context.Context, in AdmitPatientInput, b *ent.Bed, at time.Time, by uuid.UUID) (*ent.Admission, error) {
	if err := s.attends(ctx, in.AttendingID); err != nil {
		return nil, err
	}
	if err := s.DB.Lock(ctx, patient.Table, in.PatientID); err != nil {
		return nil, err
	}
	isIn, err := s.DB.Client.Admission.Query().Where(admission.PatientID(in.PatientID), admission.StatusEQ(admission.StatusADMITTED)).Exist(ctx)
	if err == nil && isIn {
		err = ErrAlreadyAdmitted
	}
	if err != nil {
		return nil, err
	}
	if err := s.freeBed(ctx, b); err != nil {
		return nil, err
	}
	if in.AdmittedAt == nil {
		if at, err = s.presently(ctx, b.ID, in.PatientID); err != nil {
			return nil, err
		}
	}
	a, err := s.DB.Client.Admission.Create().SetPatientID(in.PatientID).SetNillableAttendingID(in.AttendingID).SetAdmittedAt(at).SetAdmittedBy(by).Save(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.lay(ctx, a, b, at); err != nil {
		return nil, err
	}
	err = s.DB.Client.AdmissionRecord.Create().SetAdmissionID(a.ID).SetPatientID(a.PatientID).SetReason(strings.TrimSpace(in.Reason)).
		SetDiagnosis(trimmed(in.Diagnosis)).Exec(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.care(ctx, a); err != nil {
		return nil, err
	}
	if err := s.chargeFee(ctx, a); err != nil {
		return nil, err
	}
	_, err = s.settle(ctx, a.ID)
	return a, err
}

// lay begins a stay. The caller holds the bed's lock.
func (s *Service) lay(ctx context.Context, a *ent.Admission, b *ent.Bed, at time.Time) error {
	return s.DB.Client.Stay.Create().SetAdmissionID(a.ID).SetPatientID(a.PatientID).SetBedID(b.ID).SetWardID(b.WardID).SetFromAt(at).Exec(ctx)
}

// presently is the present instant; where a stay of the bed or of the patient has just ended by another instance's clock, which was ahead, the end of that. The
// caller holds their locks: time may have passed while it waited for them.
func (s *Service) presently(ctx context.Context, bedID, patientID uuid.UUID) (time.Time, error) {
	now := s.DB.Now()
	newest, err := s.DB.Client.Stay.Query().Where(stay.Or(stay.BedID(bedID), stay.PatientID(patientID)), stay.ToAtGT(now)).Order(ent.Desc(stay.FieldToAt)).First(ctx)
	if newest == nil {
		return now, ent.MaskNotFound(err)
	}
	return *newest.ToAt, err
}

// care lets who attends the patient see the patient's clinical data.
func (s *Service) care(ctx context.Context, a *ent.Admission) error {
	if a.AttendingID == nil {
		return nil
	}
	return s.DB.Client.CareRelation.Create().SetPractitionerID(*a.AttendingID).SetPatientID(a.PatientID).
		SetSource(carerelation.SourceADMISSION).SetSourceID(a.ID).Exec(ctx)
}
