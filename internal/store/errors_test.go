package store_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMapError(t *testing.T) {
	t.Parallel()
	const unknown = fault.Code("")
	for name, c := range map[string]struct {
		err  error
		want fault.Code
	}{
		"deadline":                            {context.DeadlineExceeded, fault.CodeTimeout},
		"cancelled":                           {fmt.Errorf("query: %w", context.Canceled), fault.CodeTimeout},
		"query_canceled":                      {&pq.Error{Code: "57014"}, fault.CodeTimeout},
		"lock_not_available":                  {&pq.Error{Code: "55P03"}, fault.CodeTimeout},
		"idle_in_transaction_session_timeout": {&pq.Error{Code: "25P03"}, fault.CodeTimeout},
		"connection_failure":                  {&pq.Error{Code: "08006"}, fault.CodeUnavailable},
		"too_many_connections":                {&pq.Error{Code: "53300"}, fault.CodeUnavailable},
		"disk_full":                           {&pq.Error{Code: "53100"}, fault.CodeUnavailable},
		"admin_shutdown":                      {&pq.Error{Code: "57P01"}, fault.CodeUnavailable},
		"cannot_connect_now":                  {&pq.Error{Code: "57P03"}, fault.CodeUnavailable},
		"read_only_sql_transaction":           {&pq.Error{Code: "25006"}, fault.CodeUnavailable},
		"refused":                             {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, fault.CodeUnavailable},
		"bad connection":                      {sqldriver.ErrBadConn, fault.CodeUnavailable},
		"end of file":                         {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), fault.CodeUnavailable},
		"connection done":                     {sql.ErrConnDone, fault.CodeUnavailable},
		"zero byte in a text":                 {&pq.Error{Code: "22021"}, fault.CodeInvalidInput},
		"zero byte in a document":             {&pq.Error{Code: "22P05"}, fault.CodeInvalidInput},
		"an outcome stays":                    {fault.ErrNotFound, fault.CodeNotFound},
		"unique_violation":                    {&pq.Error{Code: "23505"}, unknown},
		"syntax_error":                        {&pq.Error{Code: "42601"}, unknown},
		"other":                               {errRefused, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := store.MapError(c.err)
			require.ErrorIs(t, got, c.err, "the cause stays for the log")
			if c.want == unknown {
				assert.Equal(t, c.err, got)
				return
			}
			requireCode(t, got, c.want)
		})
	}
	assert.NoError(t, store.MapError(nil))
}

func TestIsRetryable(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		&pq.Error{Code: "40001"}:                                   true, // serialization_failure
		&pq.Error{Code: "40P01"}:                                   true, // deadlock_detected
		&pq.Error{Code: "0A000", Routine: "RevalidateCachedQuery"}: true,
		&pq.Error{Code: "0A000"}:                                   false,
		&pq.Error{Code: "23505"}:                                   false,
		&pq.Error{Code: "57014"}:                                   false,
		context.DeadlineExceeded:                                   false,
		errRefused:                                                 false,
		nil:                                                        false,
	} {
		assert.Equal(t, want, store.IsRetryable(err), "%v", err)
		if err != nil {
			assert.Equal(t, want, store.IsRetryable(fault.ErrInternal.Because(fmt.Errorf("save: %w", err))), "wrapped: %v", err)
		}
	}
}

// What the server itself refuses: each ends the statement with a coded answer, and the next one works.
func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, shared *store.DB, clk *clock.Fake) {
		if shared.Dialect() != testkit.Postgres {
			t.Skip("only a server has them")
		}
		db := testkit.OpenURL(t, store.Config{URL: testkit.URL(t, testkit.Postgres), StatementTimeout: 200 * time.Millisecond}, clk)
		ctx := testkit.System(t)
		sleep := func(ctx context.Context) error {
			return db.Query(ctx, "test", raw("SELECT pg_sleep(30)"), func(*entsql.Rows) error { return nil })
		}
		t.Run("Statement", func(t *testing.T) { requireCode(t, sleep(ctx), fault.CodeTimeout) })
		t.Run("StatementInATransaction", func(t *testing.T) { requireCode(t, db.WithTx(ctx, sleep), fault.CodeTimeout) })
		t.Run("StatementThatHasAnsweredInPart", func(t *testing.T) {
			testkit.Write(t, db, func(ctx context.Context) error {
				rows := make([]*ent.CounterCreate, 500)
				for i := range rows {
					rows[i] = db.Client.Counter.Create().SetName(fmt.Sprint("row ", i)).SetValue(int64(i))
				}
				return db.Client.Counter.CreateBulk(rows...).Exec(ctx)
			})
			_, err := db.Client.Counter.Query().Where(func(s *entsql.Selector) {
				s.Where(entsql.ExprP("(value < 499 OR pg_sleep(30) IS NULL)"))
			}).All(ctx)
			requireCode(t, err, fault.CodeTimeout)
		})
		t.Run("Context", func(t *testing.T) {
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			requireCode(t, sleep(short), fault.CodeTimeout)
		})
		t.Run("Lock", func(t *testing.T) {
			row := newCounter(t, db, "held")
			require.NoError(t, db.WithTx(ctx, func(holder context.Context) error {
				require.NoError(t, db.Lock(holder, "counters", row.ID))
				requireCode(t, db.WithTx(ctx, func(ctx context.Context) error { return db.Lock(ctx, "counters", row.ID) }), fault.CodeTimeout)
				return nil
			}))
		})
		t.Run("ConnectionEndedByAnAdministrator", func(t *testing.T) {
			err := db.WithTx(ctx, func(ctx context.Context) error {
				return db.Query(ctx, "test", raw("SELECT pg_terminate_backend(pg_backend_pid())::text"), func(*entsql.Rows) error { return nil })
			})
			requireCode(t, err, fault.CodeUnavailable)
		})
		t.Run("ZeroByteInAText", func(t *testing.T) {
			_, err := db.Client.Counter.Query().Where(counter.Name("a\x00b")).Exist(ctx)
			requireCode(t, err, fault.CodeInvalidInput)
		})
		newCounter(t, db, "works on")
	})
}

// A full or write-protected file is an unavailable database, and nothing of the transaction stands.
func TestSQLiteCannotWrite(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(testkit.Start)

	t.Run("Full", func(t *testing.T) {
		t.Parallel()
		db := testkit.OpenURL(t, store.Config{URL: testkit.URL(t, testkit.SQLite), MaxConns: 1}, clk)
		require.NotEmpty(t, texts(t, db, "PRAGMA max_page_count = 1"), "no more than it has")
		err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
			for i := range 10000 {
				if err := createCounter(ctx, db, fmt.Sprint(i, strings.Repeat("x", 50))); err != nil {
					return err
				}
			}
			return nil
		})
		requireCode(t, err, fault.CodeUnavailable)
		assert.Equal(t, []string{"0"}, texts(t, db, "SELECT count(*) FROM counters"))
	})
	t.Run("WriteProtected", func(t *testing.T) {
		t.Parallel()
		db := testkit.OpenURL(t, store.Config{URL: testkit.URL(t, testkit.SQLite), MaxConns: 1}, clk)
		_ = texts(t, db, "PRAGMA query_only = 1")
		err := db.WithTx(testkit.System(t), func(ctx context.Context) error { return createCounter(ctx, db, "refused") })
		requireCode(t, err, fault.CodeUnavailable)
	})
}

var (
	liveSlot     = store.Constraint{Postgres: "appointments_live_slot", SQLite: "appointments.slot_id"}
	slotsOverlap = store.Constraint{Postgres: "slots_overlap", SQLite: "slots_overlap"}
	emailKey     = store.Constraint{Postgres: "users_email_key_key", SQLite: "users.email_key"}
)

// The database decides the claims, and tells which one was lost.
func TestViolates(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		doctor := testkit.Practitioner(t, db)
		free := testkit.Slot(t, db, doctor, clk.Now().Add(24*time.Hour))
		taken := testkit.Slot(t, db, doctor, clk.Now().Add(48*time.Hour))
		visit := testkit.Appointment(t, db, taken, testkit.Patient(t, db))
		other := testkit.Patient(t, db)
		write := func(fn func(ctx context.Context) error) error { return db.WithTx(testkit.System(t), fn) }

		book := func(s *ent.Slot) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return db.Client.Appointment.Create().SetSlotID(s.ID).SetPractitionerID(doctor.ID).SetPatientID(other.ID).SetStartsAt(s.StartsAt).
					SetEndsAt(s.EndsAt).SetStatus(appointment.StatusPENDING).SetIsInitial(true).SetPriceMinor(1).SetCurrency("AUD").
					SetExpiresAt(clk.Now()).SetBookedBy(*other.UserID).Exec(ctx)
			}
		}
		for name, c := range map[string]struct {
			want store.Constraint
			err  error
		}{
			"unique partial index": {liveSlot, write(book(taken))},
			"trigger on insert": {slotsOverlap, write(func(ctx context.Context) error {
				return db.Client.Slot.Create().SetPractitionerID(doctor.ID).SetStartsAt(free.StartsAt.Add(29 * time.Minute)).SetEndsAt(free.EndsAt.Add(time.Hour)).
					SetType(free.Type).SetDurationMinutes(30).SetTimeZone(free.TimeZone).SetLocalDate(free.LocalDate).Exec(ctx)
			})},
			"trigger on update": {slotsOverlap, write(func(ctx context.Context) error {
				return free.Update().SetStartsAt(taken.StartsAt.Add(time.Minute)).SetEndsAt(taken.EndsAt.Add(time.Minute)).Exec(ctx)
			})},
			"unique column": {emailKey, write(func(ctx context.Context) error {
				u, err := db.Client.User.Get(ctx, *other.UserID)
				require.NoError(t, err)
				return db.Client.User.UpdateOneID(doctor.UserID).SetEmailKey(u.EmailKey).Exec(ctx)
			})},
		} {
			require.Error(t, c.err, name)
			for _, one := range []store.Constraint{liveSlot, slotsOverlap, emailKey} {
				assert.Equal(t, one == c.want, store.Violates(c.err, one), "%s: %v against %v", name, c.err, one)
			}
			assert.False(t, store.Violates(c.err, store.Constraint{}), name)
		}

		t.Run("AdjacentSlotsDoNotOverlap", func(t *testing.T) {
			testkit.Slot(t, db, doctor, free.EndsAt)
			testkit.Slot(t, db, doctor, free.StartsAt.Add(-30*time.Minute))
			testkit.Slot(t, db, testkit.Practitioner(t, db), free.StartsAt)
		})
		t.Run("CancelledVisitFreesTheSlot", func(t *testing.T) {
			require.NoError(t, write(func(ctx context.Context) error {
				return visit.Update().SetStatus(appointment.StatusCANCELLED_BY_PATIENT).Exec(ctx)
			}))
			require.NoError(t, write(book(taken)))
		})
		t.Run("NotOtherErrors", func(t *testing.T) {
			err := write(func(ctx context.Context) error {
				_, err := db.Exec(ctx, "test", raw("UPDATE users SET email = NULL"))
				return err
			})
			require.Error(t, err)
			for _, one := range []store.Constraint{liveSlot, {Postgres: "users_email_key_key"}, {SQLite: "users.email_key"}, {}} {
				assert.False(t, store.Violates(err, one), "%v", one)
			}
			assert.False(t, store.Violates(nil, liveSlot))
		})
	})
}
