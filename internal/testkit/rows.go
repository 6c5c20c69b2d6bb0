package testkit

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/store"
)

// Zone is where the practice and its people are.
const Zone = "Australia/Brisbane"

// Password is that of every User.
const Password = "seven wet umbrellas"

// passwordHash is cheap to check: no test is about its cost.
var passwordHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(Password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return hash
})

var serial atomic.Int64

// next returns a number that no other row of this process has.
func next() int64 { return serial.Add(1) }

// Write runs fn in a transaction of its own as the system, and fails the test on an error. Within another transaction it would wait for itself.
func Write(tb testing.TB, db *store.DB, fn func(ctx context.Context) error) {
	tb.Helper()
	must(tb, db.WithTx(System(tb), fn))
}

// save stores one row.
func save[T any](tb testing.TB, db *store.DB, create interface {
	Save(ctx context.Context) (T, error)
}) (row T) {
	tb.Helper()
	Write(tb, db, func(ctx context.Context) (err error) {
		row, err = create.Save(ctx)
		return err
	})
	return row
}

// User makes an account that can sign in with Password: active, with a verified address. To give it several roles pass
// func(c *ent.UserCreate) { c.SetRoles(...) }.
func User(tb testing.TB, db *store.DB, role access.Role, opts ...func(*ent.UserCreate)) *ent.User {
	tb.Helper()
	email := fmt.Sprintf("%s%d@caregraph.test", strings.ToLower(string(role)), next())
	c := db.Client.User.Create().SetEmail(email).SetPasswordHash(passwordHash()).SetGivenName("Robin").SetFamilyName("Ashdown").
		SetRoles([]string{string(role)}).SetEmailVerifiedAt(db.Now())
	apply(c, opts)
	if given, ok := c.Mutation().Email(); ok {
		c.SetEmailKey(strings.ToLower(given))
	}
	return save(tb, db, c)
}

// Patient makes a patient record with an account; see Record for one without.
func Patient(tb testing.TB, db *store.DB, opts ...func(*ent.PatientCreate)) *ent.Patient {
	tb.Helper()
	u := User(tb, db, access.Patient)
	return Record(tb, db, append([]func(*ent.PatientCreate){func(c *ent.PatientCreate) {
		c.SetUserID(u.ID).SetEmail(u.Email)
	}}, opts...)...)
}

// Record makes a patient record without an account.
func Record(tb testing.TB, db *store.DB, opts ...func(*ent.PatientCreate)) *ent.Patient {
	tb.Helper()
	c := db.Client.Patient.Create().SetNumber(fmt.Sprintf("T%06d", next())).SetGivenName("Noor").SetFamilyName("Fairweather").
		SetBirthDate(civil.Date{Year: 1984, Month: time.May, Day: 17}).SetTimeZone(Zone)
	apply(c, opts)
	given, _ := c.Mutation().GivenName()
	family, _ := c.Mutation().FamilyName()
	number, _ := c.Mutation().Number()
	if _, ok := c.Mutation().SearchKey(); !ok {
		c.SetSearchKey(strings.ToLower(given + " " + family + " " + number))
	}
	return save(tb, db, c)
}

// Practitioner makes a doctor, or a clinician when an option sets the kind, with account and credentials.
func Practitioner(tb testing.TB, db *store.DB, opts ...func(*ent.PractitionerCreate)) *ent.Practitioner {
	tb.Helper()
	c := db.Client.Practitioner.Create().SetName("Dr Robin Ashdown").SetKind(practitioner.KindDOCTOR).SetSpecialty("General practice").SetTimeZone(Zone)
	apply(c, opts)
	if _, ok := c.Mutation().UserID(); !ok {
		role := access.Doctor
		if kind, _ := c.Mutation().Kind(); kind == practitioner.KindCLINICIAN {
			role = access.Clinician
		}
		c.SetUserID(User(tb, db, role).ID)
	}
	p := save(tb, db, c)
	save(tb, db, db.Client.PractitionerCredential.Create().SetPractitionerID(p.ID).SetAhpraNumber("MED0001234567").
		SetPrescriberNumber("2425739").SetProviderNumber("988939BJ"))
	return p
}

// Slot makes a free time of half an hour.
func Slot(tb testing.TB, db *store.DB, p *ent.Practitioner, startsAt time.Time, opts ...func(*ent.SlotCreate)) *ent.Slot {
	tb.Helper()
	zone, err := time.LoadLocation(p.TimeZone)
	must(tb, err)
	c := db.Client.Slot.Create().SetPractitionerID(p.ID).SetStartsAt(startsAt).SetEndsAt(startsAt.Add(30 * time.Minute)).
		SetType(slot.TypeLONG).SetDurationMinutes(30).SetTimeZone(p.TimeZone).SetLocalDate(civil.DateOf(startsAt, zone))
	apply(c, opts)
	return save(tb, db, c)
}

// Appointment makes a visit that takes the slot: paid and booked by the patient, or by an administrator when the patient has no account.
func Appointment(tb testing.TB, db *store.DB, s *ent.Slot, p *ent.Patient, opts ...func(*ent.AppointmentCreate)) *ent.Appointment {
	tb.Helper()
	c := db.Client.Appointment.Create().SetSlotID(s.ID).SetPractitionerID(s.PractitionerID).SetPatientID(p.ID).
		SetStartsAt(s.StartsAt).SetEndsAt(s.EndsAt).SetStatus(appointment.StatusBOOKED).SetIsInitial(true).
		SetPriceMinor(9500).SetCurrency("AUD").SetExpiresAt(db.Now().Add(15 * time.Minute))
	apply(c, opts)
	if _, ok := c.Mutation().BookedBy(); !ok {
		var by uuid.UUID
		if p.UserID != nil {
			by = *p.UserID
		} else {
			by = User(tb, db, access.Admin).ID
		}
		c.SetBookedBy(by)
	}
	return save(tb, db, c)
}

// CaredForBy makes the patient one of the practitioner's own.
func CaredForBy(tb testing.TB, db *store.DB, p *ent.Practitioner, of *ent.Patient) {
	tb.Helper()
	Write(tb, db, func(ctx context.Context) error {
		return db.Client.CareRelation.Create().SetPractitionerID(p.ID).SetPatientID(of.ID).SetSource(carerelation.SourceAPPOINTMENT).SetSourceID(of.ID).Exec(ctx)
	})
}

// Intake makes the clinical context of a visit.
func Intake(tb testing.TB, db *store.DB, a *ent.Appointment, opts ...func(*ent.AppointmentIntakeCreate)) *ent.AppointmentIntake {
	tb.Helper()
	c := db.Client.AppointmentIntake.Create().SetAppointmentID(a.ID).SetPatientID(a.PatientID).SetPractitionerID(a.PractitionerID).SetNote("A cough since Monday.")
	apply(c, opts)
	return save(tb, db, c)
}

// Order makes a paid order for the price of the visit.
func Order(tb testing.TB, db *store.DB, a *ent.Appointment, opts ...func(*ent.OrderCreate)) *ent.Order {
	tb.Helper()
	c := db.Client.Order.Create().SetAppointmentID(a.ID).SetPatientID(a.PatientID).SetAmountMinor(a.PriceMinor).SetCurrency(a.Currency).
		SetStatus(order.StatusPAID).SetProvider("sandbox").SetProviderRef(fmt.Sprintf("checkout-%d", next())).
		SetExpiresAt(a.ExpiresAt).SetPaidAt(db.Now())
	apply(c, opts)
	return save(tb, db, c)
}

func apply[T any](c T, opts []func(T)) {
	for _, opt := range opts {
		opt(c)
	}
}
