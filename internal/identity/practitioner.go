package identity

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/practitionercredential"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/patient"
)

// normalized reports all errors of the input's fields, or returns them as they are stored.
func (in UpdatePractitionerProfileInput) normalized(mode identifier.Mode) (UpdatePractitionerProfileInput, error) {
	var p problems
	text := func(value **string, field string, normalize func(string) (string, error)) {
		if *value != nil {
			normal, err := normalize(**value)
			p.add(err, field)
			*value = &normal
		}
	}
	line := func(most int) func(string) (string, error) {
		return func(s string) (string, error) { return patient.NormalizeText(s, most) }
	}
	checked := func(kind identifier.Kind) func(string) (string, error) {
		return func(s string) (string, error) {
			verdict := identifier.Validate(kind, s, mode)
			if s == "" || verdict.IsValid {
				return verdict.Normalized, nil
			}
			return "", ErrInvalidIdentifier.Says(verdict.Reason)
		}
	}
	text(&in.Name, "name", func(s string) (string, error) {
		s, err := patient.NormalizeText(s, 220)
		if err == nil && s == "" {
			err = fault.ErrInvalid.Says("Give a name.")
		}
		return s, err
	})
	text(&in.Specialty, "specialty", line(100))
	text(&in.Qualification, "qualification", line(200))
	text(&in.TimeZone, "timeZone", func(s string) (string, error) {
		_, err := civil.LoadZone(s)
		return s, err
	})
	text(&in.AhpraNumber, "ahpraNumber", checked(identifier.AHPRA))
	text(&in.PrescriberNumber, "prescriberNumber", checked(identifier.Prescriber))
	text(&in.ProviderNumber, "providerNumber", checked(identifier.Provider))
	text(&in.HpiI, "hpiI", checked(identifier.HPII))
	return in, p.join()
}

// UpdatePractitionerProfile changes the profile of a practitioner and the numbers behind it: one's own, or any for administrators, who alone give and
// take the Schedule 8 authority. Errors: NOT_FOUND, FORBIDDEN, INVALID_IDENTIFIER, UNKNOWN_TIME_ZONE and INVALID_INPUT (all fields at once),
// CONFLICT (with the present profile).
func (s *Service) UpdatePractitionerProfile(ctx context.Context, in UpdatePractitionerProfileInput) (*ent.Practitioner, error) {
	v, err := signedIn(ctx)
	if err != nil {
		return nil, err
	}
	in, err = in.normalized(s.Identifiers)
	if err != nil {
		return nil, err
	}
	if err := mayGiveSchedule8(v, in); err != nil {
		return nil, err
	}
	id := v.PractitionerID
	if in.PractitionerID != nil {
		id = *in.PractitionerID
	}
	if !v.Has(access.Admin) && id != v.PractitionerID || id == uuid.Nil {
		return nil, fault.ErrNotFound.At("practitionerId")
	}
	var changed *ent.Practitioner
	err = s.DB.WithTx(ctx, func(ctx context.Context) (err error) {
		changed, err = s.updatePractitioner(ctx, id, in)
		return err
	})
	if err != nil && !errors.Is(err, fault.ErrConflict) {
		return nil, err
	}
	return changed, err
}

func mayGiveSchedule8(v *access.Viewer, in UpdatePractitionerProfileInput) error {
	var p problems
	if in.HasSchedule8Authority != nil && !v.Has(access.Admin) {
		p.add(fault.ErrForbidden, "hasSchedule8Authority")
	}
	if in.Schedule8ExpiresOn != nil && !v.Has(access.Admin) {
		p.add(fault.ErrForbidden, "schedule8ExpiresOn")
	}
	return p.join()
}

// updatePractitioner writes the profile in any case: its version stands for the numbers too. After a CONFLICT it returns the present profile.
func (s *Service) updatePractitioner(ctx context.Context, id uuid.UUID, in UpdatePractitionerProfileInput) (*ent.Practitioner, error) {
	if err := s.DB.Lock(ctx, practitioner.Table, id); err != nil {
		return nil, err
	}
	present, err := s.DB.Client.Practitioner.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("practitionerId")
	}
	if err != nil {
		return nil, err
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != present.Version {
		return present, fault.ErrConflict.At("expectedVersion")
	}
	changed, err := s.DB.Client.Practitioner.UpdateOneID(id).SetNillableName(in.Name).SetNillableTimeZone(in.TimeZone).
		SetNillableSpecialty(in.Specialty).SetNillableQualification(in.Qualification).Save(ctx)
	if err != nil {
		return nil, err
	}
	numbers, err := s.DB.Client.PractitionerCredential.Query().Where(practitionercredential.PractitionerID(id)).Only(ctx)
	if err != nil {
		return nil, err
	}
	return changed, s.DB.Client.PractitionerCredential.UpdateOneID(numbers.ID).
		SetNillableAhpraNumber(in.AhpraNumber).SetNillablePrescriberNumber(in.PrescriberNumber).SetNillableProviderNumber(in.ProviderNumber).
		SetNillableHpiI(in.HpiI).SetNillableAhpraExpiresOn(in.AhpraExpiresOn).
		SetNillableHasSchedule8Authority(in.HasSchedule8Authority).SetNillableSchedule8ExpiresOn(in.Schedule8ExpiresOn).Exec(ctx)
}
