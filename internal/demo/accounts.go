package demo

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/identity"
	records "github.com/caregraph/caregraph/internal/patient"
)

const (
	browser = "Demo browser"
	proof   = "/verify-email?token=" // of the link in the mail
)

// addStaff makes the first administrator, as the command line would, who makes the others. Each proves the own address; practitioners fill in their profiles.
func (s *Seeder) addStaff(ctx context.Context) error {
	for i, p := range staff {
		by := ctx
		if i > 0 {
			by = s.as(ctx, adminKey)
		}
		_, err := s.Identity.CreateUser(by, identity.CreateUserInput{
			Email: p.email(), Password: Password, GivenName: p.given, FamilyName: p.family, Roles: []access.Role{p.role},
		})
		if err == nil {
			err = s.welcome(ctx, p, fmt.Sprintf("198.51.100.%d", i+1))
		}
		if err == nil && p.practice != nil {
			err = s.addPractice(ctx, p)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.given, err)
		}
	}
	return nil
}

// addPatients lets patients register and the desk complete their records; it enters those who have no account.
func (s *Seeder) addPatients(ctx context.Context) error {
	for i, p := range everyPatient() {
		add := s.register
		if p.record.isWithoutAccount {
			add = s.enter
		}
		if err := add(ctx, p, fmt.Sprintf("203.0.113.%d", i+1)); err != nil {
			return fmt.Errorf("%s: %w", p.given, err)
		}
	}
	return nil
}

// welcome proves the address of a new account by the mailed link, and remembers who that is.
func (s *Seeder) welcome(ctx context.Context, p person, ip string) error {
	u, err := s.DB.Client.User.Query().Where(user.Email(p.email())).Only(ctx)
	if err != nil {
		return err
	}
	mail, err := s.DB.Client.Delivery.Query().Where(delivery.UserID(u.ID), delivery.Kind("VERIFY_EMAIL")).Only(ctx)
	if err != nil {
		return err
	}
	_, token, _ := strings.Cut(mail.Body, proof)
	if token, err = url.QueryUnescape(strings.Fields(token)[0]); err != nil {
		return err
	}
	visitor := identity.WithClient(access.As(ctx, nil), identity.Client{IP: ip, UserAgent: browser})
	if _, err := s.Identity.VerifyEmail(visitor, identity.VerifyEmailInput{Token: token}); err != nil {
		return err
	}
	v := &access.Viewer{UserID: u.ID, Email: u.Email, Roles: []access.Role{p.role}, IP: ip, UserAgent: browser}
	s.viewers[p.key()] = v
	switch {
	case p.practice != nil:
		made, err := s.DB.Client.Practitioner.Query().Where(practitioner.UserID(u.ID)).Only(ctx)
		if err != nil {
			return err
		}
		v.PractitionerID, s.practitioners[p.key()] = made.ID, made
	case p.record != nil:
		if v.PatientID, err = s.DB.Client.Patient.Query().Where(patient.UserID(u.ID)).OnlyID(ctx); err != nil {
			return err
		}
		s.patients[p.key()] = v.PatientID
	}
	return nil
}

// addPractice is the practitioner's own profile, and the authority that an administrator gives.
func (s *Seeder) addPractice(ctx context.Context, p person) error {
	d, until := p.practice, civil.DateOf(s.now, s.Zone).AddDays(300)
	in := identity.UpdatePractitionerProfileInput{
		Specialty: &d.specialty, Qualification: &d.qualification, TimeZone: &d.zone,
		AhpraNumber: &d.ahpra, AhpraExpiresOn: &until, ProviderNumber: &d.provider, HpiI: &d.hpiI,
	}
	if d.prescriber != "" {
		in.PrescriberNumber = &d.prescriber
	}
	changed, err := s.Identity.UpdatePractitionerProfile(s.as(ctx, p.key()), in)
	if err != nil {
		return err
	}
	s.practitioners[p.key()] = changed
	if !d.hasSchedule8 {
		return nil
	}
	_, err = s.Identity.UpdatePractitionerProfile(s.as(ctx, adminKey), identity.UpdatePractitionerProfileInput{
		PractitionerID: &changed.ID, HasSchedule8Authority: &d.hasSchedule8, Schedule8ExpiresOn: &until,
	})
	return err
}

// register is what a patient does, and the desk afterwards.
func (s *Seeder) register(ctx context.Context, p person, ip string) error {
	visitor := identity.WithClient(access.As(ctx, nil), identity.Client{IP: ip, UserAgent: browser})
	_, err := s.Identity.RegisterPatient(visitor, identity.RegisterPatientInput{
		Email: p.email(), Password: Password, GivenName: p.given, FamilyName: p.family, Phone: &p.phone,
	})
	if err != nil {
		return err
	}
	if err := s.welcome(ctx, p, ip); err != nil {
		return err
	}
	d := p.record
	_, err = s.Patients.Update(s.as(ctx, plannerKey), records.UpdatePatientInput{
		ID: s.patients[p.key()], BirthDate: &d.birth, Gender: &d.gender, Type: &d.kind, AddressLine: &d.address, Suburb: &d.suburb, State: &d.state,
		Postcode: &d.postcode, TimeZone: &d.zone, MedicareNumber: &d.medicare, Ihi: &d.ihi,
	})
	return err
}

// enter is what the desk does for who telephones.
func (s *Seeder) enter(ctx context.Context, p person, _ string) error {
	d, mail := p.record, p.email()
	in := records.CreatePatientInput{
		GivenName: p.given, FamilyName: p.family, Phone: &p.phone, Gender: &d.gender, Type: &d.kind, Suburb: &d.suburb, State: &d.state,
		Postcode: &d.postcode, TimeZone: &d.zone, MedicareNumber: &d.medicare,
	}
	if !d.hasNoMail {
		in.Email = &mail
	}
	if d.birth.IsValid() {
		in.BirthDate = &d.birth
	}
	made, _, err := s.Patients.Create(s.as(ctx, plannerKey), in)
	if err != nil {
		return err
	}
	s.patients[p.key()] = made.ID
	return nil
}
