package patient

import (
	"context"
	"fmt"
	"strings"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/store"
)

// Config is what the service needs; the first group is obligatory.
type Config struct {
	DB             *store.DB
	IdentifierMode identifier.Mode
	PracticeZone   *time.Location

	// What mails codes that join records to accounts; without Mail none are made.
	Mail             func(ctx context.Context, m Mail) error // into the outbox, in the transaction of ctx
	LinkMailsPerHour int                                     // per e-mail address
	PracticeName     string
}

// Mail is a mail to be sent; it has the shape of the outbox's own.
type Mail struct {
	Kind       string     // what it tells
	UserID     *uuid.UUID // nil when the address has no account
	To         string
	SubjectID  uuid.UUID // the record that it is about
	Occurrence string    // tells mails of one kind about one record apart
	Subject    string
	Body       string
}

// Service is the domain's entry.
type Service struct {
	Config
}

// New returns the service.
func New(c Config) *Service { return &Service{Config: c} }

func (s *Service) rules() rules {
	return rules{mode: s.IdentifierMode, today: civil.DateOf(s.DB.Now(), s.PracticeZone)}
}

// CounterName is the running number that patient numbers are taken from.
const CounterName = "patient"

// nextNumber takes the next patient number. The counter's row stays locked until the transaction ends, and a rollback gives the number back.
func (s *Service) nextNumber(ctx context.Context) (string, error) {
	now, last := s.DB.Now(), int64(0)
	take := s.DB.Build().Insert(counter.Table).
		Columns(counter.FieldID, counter.FieldCreatedAt, counter.FieldName, counter.FieldValue).Values(s.DB.NewID(ent.TypeCounter), now, CounterName, 1).
		OnConflict(entsql.ConflictColumns(counter.FieldName), entsql.ResolveWith(func(u *entsql.UpdateSet) { u.Add(counter.FieldValue, 1) })).
		Returning(counter.FieldValue)
	err := s.DB.Query(access.System(ctx, "patient number"), "patient number", take, func(row *entsql.Rows) error { return row.Scan(&last) })
	return fmt.Sprintf("P%06d", last), err
}

const (
	maxWords  = 8
	maxSearch = 200 // bytes
)

// Search returns a query for the patients whose names and number hold all of the words, whatever case and accents; for all patients when there are
// none. Anybody may run it: the access policy limits it to the records that its viewer may see.
func (s *Service) Search(_ context.Context, words string) *ent.PatientQuery {
	list := strings.Fields(Fold(cut(words, maxSearch)))
	matches := make([]predicate.Patient, 0, maxWords)
	for _, word := range list[:min(len(list), maxWords)] {
		matches = append(matches, patient.SearchKeyContains(word))
	}
	return s.DB.Client.Patient.Query().Where(matches...)
}

// Account is what a record takes over from the account of its patient, normalised already.
type Account struct {
	UserID                uuid.UUID
	GivenName, FamilyName string
	Email, Phone          string
}

// CreateFor makes the record of a new account in the transaction of ctx. It is for the system: the caller has decided that the account may be.
func (s *Service) CreateFor(ctx context.Context, a Account) (*ent.Patient, error) {
	ctx = access.System(ctx, "patient record of an account")
	f := fields{givenName: &a.GivenName, familyName: &a.FamilyName, email: &a.Email, phone: &a.Phone}
	create := s.DB.Client.Patient.Create().SetUserID(a.UserID)
	return s.create(ctx, create, f)
}

// create completes and stores a record.
func (s *Service) create(ctx context.Context, create *ent.PatientCreate, f fields) (*ent.Patient, error) {
	number, err := s.nextNumber(ctx)
	if err != nil {
		return nil, err
	}
	f.apply(create.Mutation())
	if f.timeZone == nil {
		create.SetTimeZone(s.PracticeZone.String())
	}
	return create.SetNumber(number).SetSearchKey(SearchKey(*f.givenName, *f.familyName, number)).Save(ctx)
}
