package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

var (
	staysImmutable = store.Constraint{Postgres: "stays_immutable", SQLite: "stays_immutable"}
	staysKept      = store.Constraint{Postgres: "caregraph_immutable", SQLite: "caregraph_immutable"}
	staysInBed     = store.Constraint{Postgres: "stays_bed_overlap", SQLite: "stays_bed_overlap"}
	staysOfPatient = store.Constraint{Postgres: "stays_patient_overlap", SQLite: "stays_patient_overlap"}
)

// A stay begins, and it ends once: nothing else of it ever changes, by no statement of anybody.
func TestStaysAreNeverRewritten(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := testkit.Ward(t, db)
		other := testkit.Bed(t, db, w)
		a := testkit.Admission(t, db, testkit.Bed(t, db, w), testkit.Patient(t, db), clk.Now())
		run := func(statement string) error {
			return db.WithTx(testkit.System(t), func(ctx context.Context) error {
				_, err := db.Exec(ctx, "test", raw(statement))
				return err
			})
		}
		rewrites := []string{
			"UPDATE stays SET from_at = '2025-01-14 00:00:00+00:00'",
			"UPDATE stays SET from_at = '2025-01-14 00:00:00+00:00', to_at = '2025-01-16 00:00:00+00:00'",
			"UPDATE stays SET bed_id = '" + other.ID.String() + "'",
			"UPDATE stays SET bed_id = '" + other.ID.String() + "', to_at = '2025-01-16 00:00:00+00:00'",
			"UPDATE stays SET ward_id = '" + testkit.Ward(t, db).ID.String() + "', to_at = '2025-01-16 00:00:00+00:00'",
			"UPDATE stays SET patient_id = '" + testkit.Patient(t, db).ID.String() + "', to_at = '2025-01-16 00:00:00+00:00'",
			"UPDATE stays SET created_at = '2025-01-14 00:00:00+00:00', to_at = '2025-01-16 00:00:00+00:00'",
			"UPDATE stays SET id = '0194674c-d000-7000-8000-00000000002c', to_at = '2025-01-16 00:00:00+00:00'",
			"UPDATE stays SET to_at = NULL",
			"UPDATE stays SET to_at = '2025-01-14 00:00:00+00:00'", // before it began
		}
		refused := func(statements []string) {
			t.Helper()
			for _, statement := range statements {
				err := run(statement)
				assert.True(t, store.Violates(err, staysImmutable), "%s: %v", statement, err)
			}
		}
		refused(rewrites)
		testkit.Discharge(t, db, a, clk.Now().Add(time.Hour))
		refused(append(rewrites, "UPDATE stays SET to_at = '2025-01-16 00:00:00+00:00'", "UPDATE stays SET to_at = '2025-01-15 00:30:00+00:00'"))
		removals := []string{"DELETE FROM stays"}
		if db.Dialect() == testkit.Postgres {
			removals = append(removals, "TRUNCATE stays")
		} else {
			removals = append(removals, "REPLACE INTO stays SELECT * FROM stays")
		}
		for _, statement := range removals {
			err := run(statement)
			assert.True(t, store.Violates(err, staysKept), "%s: %v", statement, err)
		}
		left, err := db.Client.Stay.Query().Only(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, clk.Now(), left.FromAt.UTC())
		require.Equal(t, clk.Now().Add(time.Hour), left.ToAt.UTC())
	})
}

// No bed has two patients at one instant, and no patient two beds: the database decides, whatever ends open or lies in the past.
func TestStaysNeverOverlap(t *testing.T) {
	t.Parallel()
	type times struct{ from, to time.Duration } // from now; no to: it goes on
	const open = time.Duration(-1 << 62)
	for name, tc := range map[string]struct {
		first, second times
		overlaps      bool
	}{
		"After":               {times{0, time.Hour}, times{time.Hour, open}, false},
		"Before":              {times{time.Hour, 2 * time.Hour}, times{0, time.Hour}, false},
		"BeforeOneThatGoesOn": {times{time.Hour, open}, times{0, time.Hour}, false},
		"AMicrosecondEarly":   {times{0, time.Hour}, times{time.Hour - time.Microsecond, open}, true},
		"AMicrosecondLate":    {times{time.Hour, 2 * time.Hour}, times{0, time.Hour + time.Microsecond}, true},
		"Within":              {times{0, 3 * time.Hour}, times{time.Hour, 2 * time.Hour}, true},
		"Around":              {times{time.Hour, 2 * time.Hour}, times{0, 3 * time.Hour}, true},
		"IntoOneThatGoesOn":   {times{0, open}, times{time.Hour, 2 * time.Hour}, true},
		"GoesOnOverAnother":   {times{time.Hour, 2 * time.Hour}, times{0, open}, true},
		"TheSame":             {times{0, time.Hour}, times{0, time.Hour}, true},
		"OverAnEmptyOne":      {times{time.Hour, time.Hour}, times{0, open}, false}, // which holds no instant
		"FromAnEmptyOne":      {times{time.Hour, time.Hour}, times{time.Hour, open}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				w := testkit.Ward(t, db)
				lay := func(p *ent.Patient, b *ent.Bed, at times) error {
					return db.WithTx(testkit.System(t), func(ctx context.Context) error {
						a, err := db.Client.Admission.Create().SetPatientID(p.ID).SetAdmittedAt(clk.Now()).SetStatus(admission.StatusDISCHARGED).Save(ctx)
						require.NoError(t, err)
						c := db.Client.Stay.Create().SetAdmissionID(a.ID).SetPatientID(p.ID).SetBedID(b.ID).SetWardID(w.ID).SetFromAt(clk.Now().Add(at.from))
						if at.to != open {
							c.SetToAt(clk.Now().Add(at.to))
						}
						return c.Exec(ctx)
					})
				}
				one, bed := testkit.Record(t, db), testkit.Bed(t, db, w)
				require.NoError(t, lay(one, bed, tc.first))
				inBed := lay(testkit.Record(t, db), bed, tc.second)
				ofPatient := lay(one, testkit.Bed(t, db, w), tc.second)
				if !tc.overlaps {
					require.NoError(t, inBed)
					require.NoError(t, ofPatient)
					return
				}
				require.True(t, store.Violates(inBed, staysInBed), "%v", inBed)
				require.True(t, store.Violates(ofPatient, staysOfPatient), "%v", ofPatient)
			})
		})
	}
}
