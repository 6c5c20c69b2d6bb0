package identity

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/internal/access"
)

// kindOf is the kind of practitioner that the roles make; ok is false for those who treat nobody. A doctor who is a clinician too is a doctor.
func kindOf(roles []access.Role) (kind practitioner.Kind, ok bool) {
	if slices.Contains(roles, access.Doctor) {
		return practitioner.KindDOCTOR, true
	}
	return practitioner.KindCLINICIAN, slices.ContainsFunc(roles, access.Role.IsPractitioner)
}

// matchPractitioner brings a practitioner's profile in line with the account: in the directory are those who work here. ctx is the system's.
func (s *Service) matchPractitioner(ctx context.Context, u *ent.User) error {
	kind, treats := kindOf(rolesOf(u))
	works := treats && u.IsActive
	present, err := s.DB.Client.Practitioner.Query().Where(practitioner.UserID(u.ID)).Only(ctx)
	switch {
	case ent.IsNotFound(err) && treats:
		return s.addPractitioner(ctx, u, kind)
	case ent.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case present.IsActive == works && (present.Kind == kind || !treats):
		return nil
	}
	update := s.DB.Client.Practitioner.UpdateOne(present).SetIsActive(works)
	if treats {
		update.SetKind(kind)
	}
	return update.Exec(ctx)
}

func (s *Service) addPractitioner(ctx context.Context, u *ent.User, kind practitioner.Kind) error {
	name := u.GivenName + " " + u.FamilyName
	if kind == practitioner.KindDOCTOR {
		name = "Dr " + name
	}
	made, err := s.DB.Client.Practitioner.Create().SetUserID(u.ID).SetName(name).SetKind(kind).SetTimeZone(s.Zone.String()).
		SetIsActive(u.IsActive).Save(ctx)
	if err != nil {
		return err
	}
	return s.DB.Client.PractitionerCredential.Create().SetPractitionerID(made.ID).Exec(ctx)
}

func (s *Service) hasRecord(ctx context.Context, userID uuid.UUID) (bool, error) {
	return s.DB.Client.Patient.Query().Where(patient.UserID(userID)).Exist(ctx)
}
