package patient

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/ent/patienthealth"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

const maxAllergies = 2000 // characters

var (
	errAllergies  = fault.InvalidAt("Allergies have at most 2,000 characters, and none that cannot be stored.", "allergies")
	errNotTreated = fault.ErrForbidden.Says("Allergies are noted by who treats the patient.").At("allergies")
)

// noteAllergies writes what was given into the patient's health record, in the transaction of ctx; nil stays. Doctors may for their own patients, and for a record
// that they have just made. Errors: INVALID_INPUT, FORBIDDEN.
func (s *Service) noteAllergies(ctx context.Context, patientID uuid.UUID, given *string, isNew bool) error {
	if given == nil {
		return nil
	}
	text := strings.TrimSpace(*given)
	if utf8.RuneCountInString(text) > maxAllergies || !utf8.ValidString(text) || strings.ContainsFunc(text, isUnprintable) {
		return errAllergies
	}
	may, err := s.mayNote(ctx, patientID, isNew)
	if err != nil {
		return err
	}
	if !may {
		return errNotTreated
	}
	present, err := s.DB.Client.PatientHealth.Query().Where(patienthealth.PatientID(patientID)).Only(access.System(ctx, "health record"))
	switch {
	case ent.IsNotFound(err) && text == "":
		return nil
	case ent.IsNotFound(err):
		return s.DB.Client.PatientHealth.Create().SetPatientID(patientID).SetAllergies(text).Exec(ctx)
	case err != nil:
		return err
	}
	return s.DB.Client.PatientHealth.UpdateOneID(present.ID).SetAllergies(text).Exec(ctx)
}

// mayNote tells whether the viewer may note allergies of the patient.
func (s *Service) mayNote(ctx context.Context, patientID uuid.UUID, isNew bool) (bool, error) {
	v := access.From(ctx)
	if !v.Has(access.Doctor) || isNew || v.Has(access.Nurse, access.Admin) {
		return v.Has(access.Nurse, access.Doctor, access.Admin), nil
	}
	return s.DB.Client.CareRelation.Query().Where(carerelation.PractitionerID(v.PractitionerID), carerelation.PatientID(patientID)).
		Exist(access.System(ctx, "patients of a doctor"))
}

// isUnprintable tells control characters from those that lay out a text.
func isUnprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
