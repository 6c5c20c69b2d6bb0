package identity_test

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Keys of tests, 32 bytes each.
var (
	oldKey = "old:HS256:" + base64.StdEncoding.EncodeToString([]byte("an old key of thirty-two letters"))
	newKey = "new:EdDSA:" + base64.StdEncoding.EncodeToString([]byte("the seed of some new private key"))
)

// cheap makes hashes that no test waits for.
var cheap = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// clinic is one instance of the service with what it needs.
type clinic struct {
	*identity.Service
	db    *store.DB
	clk   *clock.Fake
	mails *mailbox
}

// mailbox holds the mails whose transaction was committed.
type mailbox struct {
	mu   sync.Mutex
	list []identity.Mail
}

func (b *mailbox) mail(ctx context.Context, m identity.Mail) error {
	store.AfterCommit(ctx, func(context.Context) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.list = append(b.list, m)
	})
	return nil
}

// take returns the mails since the last take.
func (b *mailbox) take() []identity.Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

var linked = regexp.MustCompile(`https://clinic\.example/verify-email\?token=(\S+)`)

// tokenIn returns the token of a mailed link; "" when there is none.
func tokenIn(m identity.Mail) string {
	if found := linked.FindStringSubmatch(m.Body); found != nil {
		return found[1]
	}
	return ""
}

func config(t *testing.T, db *store.DB, mails *mailbox) identity.Config {
	t.Helper()
	zone, err := civil.LoadZone(testkit.Zone)
	require.NoError(t, err)
	keys, err := identity.ParseKeys(newKey + "," + oldKey)
	require.NoError(t, err)
	return identity.Config{
		DB: db, Limits: limit.New(db), Mail: mails.mail, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Keys: keys,
		Patients: records(db, zone, mails), TotpKeys: sealing(t, "the first sealing key of thirty-two and more"),
		PatientTimeout: 1200 * time.Second, StaffTimeout: 1200 * time.Second, Warning: 300 * time.Second,
		LoginsPerMinute: 5, RegistrationsPerHour: 10, VerificationsPerMinute: 10, ResetMailsPerHour: 3,
		PublicURL: "https://clinic.example", PracticeName: "Test Clinic", Zone: zone, Identifiers: identifier.Strict, HashParams: cheap,
	}
}

// records makes the service that has patients' records.
func records(db *store.DB, zone *time.Location, mails *mailbox) *patient.Service {
	return patient.New(patient.Config{
		DB: db, IdentifierMode: identifier.Strict, PracticeZone: zone, LinkMailsPerHour: 3, PracticeName: "Test Clinic",
		Mail: func(ctx context.Context, m patient.Mail) error { return mails.mail(ctx, identity.Mail(m)) },
	})
}

func sealing(t *testing.T, keys string) identity.TotpKeys {
	t.Helper()
	parsed, err := identity.ParseTotpKeys(keys)
	require.NoError(t, err)
	return parsed
}

// instance makes a service on the database, as one more instance of the program would.
func instance(t *testing.T, db *store.DB, change ...func(c *identity.Config)) *identity.Service {
	t.Helper()
	c := config(t, db, &mailbox{})
	for _, f := range change {
		f(&c)
	}
	s, err := identity.New(c)
	require.NoError(t, err)
	return s
}

// each runs the test on every engine.
func each(t *testing.T, fn func(t *testing.T, c *clinic), change ...func(c *identity.Config)) {
	t.Helper()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		mails := &mailbox{}
		fn(t, &clinic{Service: instance(t, db, append(change, func(c *identity.Config) {
			c.Mail, c.Patients = mails.mail, records(db, c.Zone, mails)
		})...), db: db, clk: clk, mails: mails})
	})
}

// from returns the ctx of an anonymous request from the address.
func from(t *testing.T, ip string) context.Context {
	return access.WithHolder(identity.WithClient(t.Context(), identity.Client{IP: ip, UserAgent: "browser"}))
}

const home = "203.0.113.7"

// signIn opens a session of the user.
func (c *clinic) signIn(t *testing.T, u *ent.User) *identity.LoginResult {
	t.Helper()
	result, err := c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
	require.NoError(t, err)
	return result
}

// as returns the ctx of a request with the token.
func (c *clinic) as(t *testing.T, token string) context.Context {
	t.Helper()
	ctx := from(t, home)
	v, err := c.Authenticate(ctx, token)
	require.NoError(t, err)
	return access.As(ctx, v)
}

// request is one request of a user: it is authenticated and counts as activity.
func request(t *testing.T, s *identity.Service, token string) error {
	ctx := from(t, home)
	v, err := s.Authenticate(ctx, token)
	if err != nil {
		return err
	}
	return s.Touch(access.As(ctx, v), v)
}

// row returns a session as it is stored.
func (c *clinic) row(t *testing.T, result *identity.LoginResult) *ent.Session {
	t.Helper()
	row, err := c.db.Client.Session.Get(testkit.System(t), result.Session.ID)
	require.NoError(t, err)
	return row
}

func ptr[T any](v T) *T { return &v }

// requireFault checks the code and the field of an outcome.
func requireFault(t *testing.T, err error, code fault.Code, field ...string) {
	t.Helper()
	list, known := fault.All(err)
	require.True(t, known, "%v", err)
	require.Len(t, list, 1, "%v", err)
	assert.Equal(t, code, list[0].Code)
	if field != nil {
		assert.Equal(t, field, list[0].Field)
	}
}

// fieldsOf lists the fields that were refused with their codes.
func fieldsOf(t *testing.T, err error) (list []string) {
	t.Helper()
	all, known := fault.All(err)
	require.True(t, known, "%v", err)
	for _, f := range all {
		list = append(list, strings.Join(f.Field, ".")+" "+string(f.Code))
	}
	return list
}

// outcomes counts the recorded tries to sign in.
func (c *clinic) outcomes(t *testing.T) map[string]int {
	t.Helper()
	rows, err := c.db.Client.LoginAttempt.Query().All(testkit.System(t))
	require.NoError(t, err)
	counts := map[string]int{}
	for _, row := range rows {
		counts[string(row.Outcome)]++
	}
	return counts
}

var practitioners = []access.Role{access.Doctor, access.Clinician, access.Supervisor}

func isPractitioner(roles []access.Role) bool {
	return slices.ContainsFunc(roles, func(r access.Role) bool { return slices.Contains(practitioners, r) })
}
