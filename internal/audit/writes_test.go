package audit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Every write of every audited entity leaves exactly one event: who, from where, why, whose record, and the fields that differ.
func TestWriteLeavesOneEvent(t *testing.T) {
	t.Parallel()
	covered := slices.Collect(maps.Keys(writes()))
	for entity := range ent.Tables {
		if !bookkeeping[entity] {
			assert.Contains(t, covered, entity, "an audited entity without a test")
		}
	}
	for entity := range writes() {
		t.Run(entity, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
				c, seen := newClinic(t, db), map[uuid.UUID]bool{}
				recorder(db, Options{})
				v := testkit.Viewer(c.admin)
				ctx := WithRequest(access.As(t.Context(), v), Request{ID: "r1", Operation: "doIt", IP: "192.0.2.1", UserAgent: "phone"})
				for i, w := range writes()[entity] {
					var row any
					require.NoError(t, db.WithTx(ctx, func(ctx context.Context) (err error) {
						row, err = w.do(access.System(ctx, "step"), c)
						return err
					}))
					list := slices.DeleteFunc(events(t, db, seen), func(e *ent.AuditEvent) bool { return e.Cause == "quiet" })
					require.Len(t, list, 1, "step %d", i)
					check(t, list[0], w, entity, row)
					assert.Equal(t, v.UserID, *list[0].ActorID)
					assert.Equal(t, v.SessionID, *list[0].SessionID)
					assert.Equal(t, "ADMIN|doIt|r1|192.0.2.1|phone", list[0].Roles+"|"+list[0].Cause+"|"+list[0].RequestID+"|"+list[0].IP+"|"+list[0].UserAgent)
				}
			})
		})
	}
}

func check(t *testing.T, e *ent.AuditEvent, w change, entity string, row any) {
	t.Helper()
	assert.Equal(t, w.action, e.Action)
	assert.Equal(t, entity, e.Entity)
	assert.Equal(t, row.(interface{ RecordID() uuid.UUID }).RecordID(), *e.EntityID)
	if w.of {
		require.NotNil(t, e.PatientID)
		assert.Equal(t, row.(interface{ PatientRef() uuid.UUID }).PatientRef(), *e.PatientID)
	} else {
		assert.Nil(t, e.PatientID)
	}
	var fields []string
	for _, c := range e.Changes {
		fields = append(fields, c.Field)
		assert.NotEqual(t, c.Old, c.New, c.Field)
	}
	assert.NotEmpty(t, fields)
	assert.Subset(t, fields, w.fields)
	for _, name := range unaudited {
		assert.NotContains(t, fields, name)
	}
	if w.action == auditevent.ActionUPDATE {
		assert.Equal(t, w.fields, fields)
	}
}

// Old and new values are those of the database, as text, whatever the caller had in hand.
func TestWriteOldAndNew(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		seen := map[uuid.UUID]bool{}
		stale := testkit.Record(t, db, func(c *ent.PatientCreate) { c.SetPhone("1") })
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Patient.UpdateOneID(stale.ID).SetPhone("2").Exec(ctx)
		})
		recorder(db, Options{})
		u := testkit.User(t, db, access.Admin)
		events(t, db, seen)

		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Patient.UpdateOne(stale).SetPhone("3").ClearBirthDate().SetGender(patient.GenderOTHER).Exec(ctx)
		})
		list := events(t, db, seen)
		require.Len(t, list, 1)
		assert.Equal(t, []Change{ch("birth_date", "1984-05-17", ""), ch("gender", "UNKNOWN", "OTHER"), ch("phone", "2", "3")}, list[0].Changes)

		// A Select of the caller's does not make the other columns look emptied.
		testkit.Write(t, db, func(ctx context.Context) error {
			_, err := db.Client.User.UpdateOneID(u.ID).SetDeactivatedAt(clk.Now()).SetRoles([]string{"ADMIN", "NURSE"}).SetIsActive(false).Select("id").Save(ctx)
			return err
		})
		list = events(t, db, seen)
		require.Len(t, list, 1)
		assert.Equal(t, []Change{
			ch("roles", `["ADMIN"]`, `["ADMIN","NURSE"]`), ch("is_active", "true", "false"), ch("deactivated_at", "", "2025-01-15T00:00:00Z"),
		}, list[0].Changes)
	})
}

// Writers of one row at the same time: what one has found is what another has left.
func TestWritesAtTheSameTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		p, seen := testkit.Record(t, db, func(c *ent.PatientCreate) { c.SetPhone("0") }), map[uuid.UUID]bool{}
		recorder(db, Options{})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				testkit.Write(t, db, func(ctx context.Context) error {
					return db.Client.Patient.UpdateOneID(p.ID).SetPhone(strconv.Itoa(i + 1)).Exec(ctx)
				})
			})
		}
		wg.Wait()
		next, at := map[string]string{}, "0"
		for _, e := range events(t, db, seen) {
			next[e.Changes[0].Old] = e.Changes[0].New
		}
		assert.Len(t, next, 20)
		for range 20 {
			at = next[at]
		}
		assert.Equal(t, db.Client.Patient.GetX(testkit.System(t), p.ID).Phone, at)
	})
}

// What is rolled back, refused or not found leaves nothing.
func TestWriteRolledBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c, seen := newClinic(t, db), map[uuid.UUID]bool{}
		recorder(db, Options{})
		failure := errors.New("no")
		err := write(t, db, testkit.Viewer(c.admin), func(ctx context.Context) error {
			if err := db.Client.Patient.UpdateOneID(c.patient.ID).SetPhone("9").Exec(ctx); err != nil {
				return err
			}
			return failure
		})
		require.ErrorIs(t, err, failure)
		err = write(t, db, testkit.Viewer(c.practitioner), func(ctx context.Context) error {
			return db.Client.User.UpdateOneID(c.admin.ID).SetGivenName("X").Exec(ctx)
		})
		require.Error(t, err, "a doctor may not rename an administrator")
		testkit.Write(t, db, func(ctx context.Context) error {
			err := db.Client.Patient.UpdateOneID(ids.New(ent.TypePatient, clk.Now())).SetPhone("9").Exec(ctx)
			assert.True(t, ent.IsNotFound(err))
			n, err := db.Client.Slot.Delete().Where(slot.TimeZone("nowhere")).Exec(ctx)
			assert.Zero(t, n)
			return err
		})
		assert.Empty(t, events(t, db, seen))
	})
}

// Bookkeeping leaves nothing: neither the audit itself nor a session's activity.
func TestWriteBookkeeping(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		seen, now := map[uuid.UUID]bool{}, clk.Now()
		u := testkit.User(t, db, access.Admin)
		recorder(db, Options{})
		testkit.Write(t, db, func(ctx context.Context) error {
			_, err := db.Client.RateEvent.Create().SetKey("k").Save(ctx)
			return errors.Join(err,
				db.Client.Counter.Create().SetName("n").SetValue(1).Exec(ctx),
				db.Client.IdempotencyKey.Create().SetScope("s").SetKey("k").SetInputHash("h").SetExpiresAt(now).Exec(ctx),
				db.Client.LoginAttempt.Create().SetEmailHash("h").SetIP("i").SetUserAgent("u").SetOutcome("SUCCESS").Exec(ctx),
				db.Client.SandboxCheckout.Create().SetRef("r").SetOrderID(u.ID).SetAmountMinor(1).SetCurrency("AUD").SetDescription("d").SetStatus("OPEN").SetExpiresAt(now).Exec(ctx),
				db.Client.Delivery.Create().SetKind("k").SetSubjectID(u.ID).SetOccurrence("").SetChannel("EMAIL").SetAddress("a").SetSubject("s").SetBody("b").
					SetStatus("QUEUED").SetNextAttemptAt(now).Exec(ctx))
		})
		assert.Empty(t, events(t, db, seen))

		var s *ent.Session
		testkit.Write(t, db, func(ctx context.Context) (err error) {
			s, err = db.Client.Session.Create().SetUserID(u.ID).SetLastActivityAt(now).SetExpiresAt(now).SetEndsAt(now).SetIP("i").SetUserAgent("u").Save(ctx)
			return err
		})
		assert.Len(t, events(t, db, seen), 1, "a sign-in is told")
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Session.UpdateOneID(s.ID).SetLastActivityAt(now).SetExpiresAt(now).Exec(ctx)
		})
		assert.Empty(t, events(t, db, seen))
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Session.UpdateOneID(s.ID).SetLastActivityAt(now).SetIsSuspicious(true).Exec(ctx)
		})
		assert.Len(t, events(t, db, seen), 1)
	})
}

// Rows made in bulk have an event each; a change of many has one, with the fields and the number of rows.
func TestWriteMany(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		seen := map[uuid.UUID]bool{}
		recorder(db, Options{})
		testkit.Write(t, db, func(ctx context.Context) error {
			rows := make([]*ent.PatientCreate, 300)
			for i := range rows {
				rows[i] = db.Client.Patient.Create().SetNumber(strconv.Itoa(i)).SetGivenName("N").SetFamilyName("F").SetSearchKey("n").SetTimeZone(testkit.Zone)
			}
			return db.Client.Patient.CreateBulk(rows...).Exec(ctx)
		})
		list := events(t, db, seen)
		require.Len(t, list, 300)
		patients := map[uuid.UUID]bool{}
		for _, e := range list {
			patients[*e.PatientID] = true
		}
		assert.Len(t, patients, 300)

		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Patient.Update().Where(patient.NumberIn("1", "2")).SetPhone("5").ClearBirthDate().Exec(ctx)
		})
		list = events(t, db, seen)
		require.Len(t, list, 1)
		assert.Equal(t, auditevent.ActionUPDATE, list[0].Action)
		assert.Nil(t, list[0].EntityID)
		assert.ElementsMatch(t, []Change{ch("phone", "", "5"), ch("birth_date", "", ""), ch("#rows", "", "2")}, list[0].Changes)

		testkit.Write(t, db, func(ctx context.Context) error {
			_, err := db.Client.Patient.Delete().Where(patient.NumberIn("1", "2", "3")).Exec(ctx)
			return err
		})
		list = events(t, db, seen)
		require.Len(t, list, 1)
		assert.Equal(t, auditevent.ActionDELETE, list[0].Action)
		assert.Equal(t, []Change{ch("#rows", "", "3")}, list[0].Changes)
	})
}

// A write through an edge would change a row of another entity unseen.
func TestWriteThroughEdge(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		c := newClinic(t, db)
		recorder(db, Options{})
		err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
			return db.Client.Patient.UpdateOneID(c.patient.ID).AddAppointmentIDs(c.appointment.ID).Exec(ctx)
		})
		assert.ErrorContains(t, err, "through an edge")
	})
}
