// Package demo fills an empty database with an invented clinic to try Caregraph with. All people and numbers are made up.
package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/civil"
	record "github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
)

// Password signs in every account of the demo.
const Password = "try-caregraph"

// Account is a sign-in of the demo.
type Account struct {
	Role  access.Role
	Email string
	Name  string
}

// person is an invented account.
type person struct {
	role                           access.Role
	given, family                  string
	specialty, qualification, zone string
}

var staff = []person{
	{role: access.Admin, given: "Ada", family: "Okafor"},
	{role: access.Doctor, given: "Dora", family: "Lindqvist", specialty: "General practice", qualification: "MBBS, FRACGP", zone: "Australia/Brisbane"},
	{role: access.Doctor, given: "Hugo", family: "Marchetti", specialty: "Dermatology", qualification: "MBBS, FACD", zone: "Australia/Sydney"},
	{role: access.Doctor, given: "Priya", family: "Raman", specialty: "Cardiology", qualification: "MD, FRACP", zone: "Australia/Perth"},
	{role: access.Clinician, given: "Cleo", family: "Brandt", specialty: "Psychology", qualification: "MPsych (Clin)", zone: "Australia/Adelaide"},
	{role: access.Supervisor, given: "Sana", family: "Whitford", specialty: "Psychology", qualification: "PhD, MPsych", zone: "Australia/Brisbane"},
	{role: access.Nurse, given: "Noah", family: "Tennant"},
	{role: access.Scheduler, given: "Mina", family: "Castellano"},
	{role: access.Biller, given: "Bela", family: "Fenwick"},
	{role: access.Pharmacist, given: "Faye", family: "Novak"},
}

var patients = []person{
	{role: access.Patient, given: "Alice", family: "Nguyen"},
	{role: access.Patient, given: "Bruno", family: "Keller"},
	{role: access.Patient, given: "Chiara", family: "Walsh"},
	{role: access.Patient, given: "Tomás", family: "Ferreira"},
}

// Seeder makes the clinic.
type Seeder struct {
	DB   *store.DB
	Hash func() (string, error) // of Password; asked for when there is somebody to add
	Zone *time.Location
	Chat *chat.Service

	hash          string
	talks         []talk
	practitioners []*ent.Practitioner
	patients      []*ent.Patient
}

// Accounts lists the sign-ins, one per person, patients first.
func Accounts() []Account {
	var list []Account
	for _, p := range append(append([]person{}, patients...), staff...) {
		list = append(list, Account{Role: p.role, Email: p.email(), Name: p.given + " " + p.family})
	}
	return list
}

func (p person) email() string {
	return strings.ToLower(strings.ReplaceAll(p.given, "á", "a")) + "@demo.caregraph.test"
}

// Seed fills an empty database in one transaction; one that has users is left as it is.
func (s *Seeder) Seed(ctx context.Context) error {
	ctx = access.System(ctx, "demo")
	filled, err := s.DB.Client.User.Query().Exist(ctx)
	if err != nil || filled {
		return err
	}
	if s.hash, err = s.Hash(); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		s.practitioners, s.patients, s.talks = nil, nil, nil
		for _, p := range staff {
			if err := s.addStaff(ctx, p); err != nil {
				return fmt.Errorf("demo: %s: %w", p.given, err)
			}
		}
		for i, p := range patients {
			if err := s.addPatient(ctx, p, i+1); err != nil {
				return fmt.Errorf("demo: %s: %w", p.given, err)
			}
		}
		if err := s.DB.Client.Counter.Create().SetName(record.CounterName).SetValue(int64(len(patients))).Exec(ctx); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		if err := s.addQuestions(ctx); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		return s.addVisits(ctx)
	})
	if err == nil {
		err = s.speak(ctx)
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

func (s *Seeder) addUser(ctx context.Context, p person) (*ent.User, error) {
	return s.DB.Client.User.Create().SetEmail(p.email()).SetEmailKey(p.email()).SetPasswordHash(s.hash).
		SetGivenName(p.given).SetFamilyName(p.family).SetRoles([]string{string(p.role)}).SetEmailVerifiedAt(s.DB.Now()).Save(ctx)
}

func (s *Seeder) addStaff(ctx context.Context, p person) error {
	u, err := s.addUser(ctx, p)
	if err != nil || !p.role.IsPractitioner() {
		return err
	}
	kind, title := practitioner.KindDOCTOR, "Dr "
	if p.role != access.Doctor {
		kind, title = practitioner.KindCLINICIAN, ""
	}
	made, err := s.DB.Client.Practitioner.Create().SetUserID(u.ID).SetName(title + p.given + " " + p.family).SetKind(kind).
		SetSpecialty(p.specialty).SetQualification(p.qualification).SetTimeZone(p.zone).Save(ctx)
	if err != nil {
		return err
	}
	s.practitioners = append(s.practitioners, made)
	return s.DB.Client.PractitionerCredential.Create().SetPractitionerID(made.ID).SetAhpraNumber("MED0001234567").
		SetAhpraExpiresOn(civil.DateOf(s.DB.Now(), s.Zone).AddDays(300)).SetPrescriberNumber("2425739").SetProviderNumber("988939BJ").Exec(ctx)
}

func (s *Seeder) addPatient(ctx context.Context, p person, number int) error {
	u, err := s.addUser(ctx, p)
	if err != nil {
		return err
	}
	made, err := s.DB.Client.Patient.Create().SetUserID(u.ID).SetNumber(fmt.Sprintf("P%06d", number)).
		SetGivenName(p.given).SetFamilyName(p.family).SetSearchKey(record.SearchKey(p.given, p.family, fmt.Sprintf("P%06d", number))).
		SetBirthDate(civil.Date{Year: 1960 + 9*number, Month: time.Month(number), Day: 3 * number}).SetEmail(p.email()).
		SetPhone(fmt.Sprintf("+6149157015%d", number)).SetSuburb("Brisbane").SetState("QLD").SetPostcode("4000").
		SetType(patient.TypeREGULAR).SetTimeZone(s.Zone.String()).Save(ctx)
	s.patients = append(s.patients, made)
	return err
}
