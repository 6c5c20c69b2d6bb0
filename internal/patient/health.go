package patient

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/patienthealth"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

const maxAllergies = 2000 // characters

var (
	errAllergies  = fault.InvalidAt("Allergies have at most 2,000 characters, and none that cannot be stored.", "allergies")
	errNotTreated = fault.ErrForbidden.Says("Allergies are noted by who treats the patient.").At("allergies")
)

// noteAllergies writes what was given into the patient's health record, in the transaction of ctx; nil stays. Errors: INVALID_INPUT, FORBIDDEN.
func (s *Service) noteAllergies(ctx context.Context, patientID uuid.UUID, given *string) error {
	if given == nil {
		return nil
	}
	text := strings.TrimSpace(*given)
	if utf8.RuneCountInString(text) > maxAllergies || !utf8.ValidString(text) || strings.ContainsFunc(text, isUnprintable) {
		return errAllergies
	}
	if v := access.From(ctx); !v.IsSystem() && !v.Has(access.Nurse, access.Doctor, access.Admin) {
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
	err = s.DB.Client.PatientHealth.UpdateOneID(present.ID).SetAllergies(text).Exec(ctx)
	if ent.IsNotFound(err) {
		err = errNotTreated // the policy hides it
	}
	return err
}

// isUnprintable tells control characters from those that lay out a text.
func isUnprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
