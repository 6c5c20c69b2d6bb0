package identity

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/patient"
)

// account is what an input says of a new account, normalised.
type account struct {
	email, key            string // as given, and folded
	givenName, familyName string
	phone                 string // "" when there is none
	roles                 []access.Role
}

// newAccount reports all errors of the fields that make an account.
func newAccount(email, password, givenName, familyName string, phone *string, roles []access.Role) (a account, err error) {
	var p problems
	a.email, err = patient.NormalizeEmail(email)
	p.add(err, "email")
	a.key = foldEmail(email)
	p.add(checkPassword(password, a.key), "password")
	a.givenName, err = patient.NormalizeName(givenName)
	p.add(err, "givenName")
	a.familyName, err = patient.NormalizeName(familyName)
	p.add(err, "familyName")
	if phone != nil && *phone != "" {
		a.phone, err = patient.NormalizePhone(*phone)
		p.add(err, "phone")
	}
	a.roles, err = normalRoles(roles)
	p.add(err, "roles")
	return a, p.join()
}

// normalRoles returns the roles in their usual order, each once.
func normalRoles(given []access.Role) (roles []access.Role, err error) {
	for _, role := range given {
		if !slices.Contains(access.Roles, role) {
			return nil, errRole
		}
	}
	for _, role := range access.Roles {
		if slices.Contains(given, role) {
			roles = append(roles, role)
		}
	}
	switch {
	case len(roles) == 0:
		return nil, errNoRole
	case len(roles) > 1 && slices.Contains(roles, access.Patient):
		return nil, errAlone
	}
	return roles, nil
}

func textsOf(roles []access.Role) []string {
	texts := make([]string, len(roles))
	for i, role := range roles {
		texts[i] = string(role)
	}
	return texts
}

// addAccount makes the account with what its roles need, and mails the link that proves its address. It runs in the transaction and with the rights of ctx.
func (s *Service) addAccount(ctx context.Context, a account, hash string) (uuid.UUID, error) {
	create := s.DB.Client.User.Create().SetEmail(a.email).SetEmailKey(a.key).SetPasswordHash(hash).
		SetGivenName(a.givenName).SetFamilyName(a.familyName).SetRoles(textsOf(a.roles))
	if a.phone != "" {
		create.SetPhone(a.phone)
	}
	u, err := create.Save(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	ctx = access.System(ctx, "account of a user") // who may make the user may make what belongs to it
	if err := s.matchProfiles(ctx, u); err != nil {
		return uuid.Nil, err
	}
	return u.ID, s.mailVerification(ctx, u)
}

// matchProfiles makes, brings back or retires what the roles of a user need: practitioners have a profile with credentials, patients a record. What a
// former role has left stays with the account, out of sight.
func (s *Service) matchProfiles(ctx context.Context, u *ent.User) error {
	if err := s.matchPractitioner(ctx, u); err != nil {
		return err
	}
	if !slices.Contains(rolesOf(u), access.Patient) {
		return nil
	}
	has, err := s.hasRecord(ctx, u.ID)
	if err != nil || has {
		return err
	}
	_, err = s.Patients.CreateFor(ctx, patient.Account{
		UserID: u.ID, GivenName: u.GivenName, FamilyName: u.FamilyName, Email: u.Email, Phone: u.Phone,
	})
	return err
}
