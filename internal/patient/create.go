package patient

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/idem"
)

// Create makes a record without an account, for administrators, schedulers, nurses and doctors. It returns the record and those that may be of the
// same person, as far as the caller may see them. Errors: DUPLICATE_PATIENT, INVALID_IDENTIFIER, UNKNOWN_TIME_ZONE, INVALID_INPUT (all
// fields at once), FORBIDDEN, IDEMPOTENCY_KEY_REUSED.
func (s *Service) Create(ctx context.Context, in CreatePatientInput) (*ent.Patient, []*ent.Patient, error) {
	f, err := in.validate(s.rules())
	if err != nil {
		return nil, nil, err
	}
	made, err := idem.Do(ctx, s.DB, "createPatient", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		record, err := s.create(ctx, s.DB.Client.Patient.Create(), f)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{record.ID}, s.noteAllergies(ctx, record.ID, in.Allergies, true)
	})
	if err != nil {
		return nil, nil, clash(err)
	}
	record, err := s.DB.Client.Patient.Get(ctx, made[0])
	if err != nil {
		return nil, nil, err
	}
	duplicates, err := s.probableDuplicates(ctx, record)
	return record, duplicates, err
}

const maxDuplicates = 20

// probableDuplicates are other records with the same folded names and birth date that the viewer may see.
func (s *Service) probableDuplicates(ctx context.Context, of *ent.Patient) ([]*ent.Patient, error) {
	if of.BirthDate == nil {
		return nil, nil
	}
	names := foldedName(of.GivenName, of.FamilyName)
	list, err := s.DB.Client.Patient.Query().
		Where(patient.IDNEQ(of.ID), patient.BirthDate(*of.BirthDate), patient.SearchKeyHasPrefix(names+" ")).
		Order(ent.Asc(patient.FieldCreatedAt)).Limit(maxDuplicates).All(ctx)
	if err != nil {
		return nil, err
	}
	var same []*ent.Patient
	for _, p := range list {
		if rest := strings.TrimPrefix(p.SearchKey, names+" "); !strings.Contains(rest, " ") { // the number alone, no further name
			same = append(same, p)
		}
	}
	return same, nil
}
