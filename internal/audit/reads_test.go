package audit

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	entgo "entgo.io/ent"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// opens runs fn as one operation and returns, per patient, the entities that its READ events tell.
func opens(t *testing.T, r *Recorder, ctx context.Context, fn func(ctx context.Context) error) map[uuid.UUID][]string {
	t.Helper()
	ctx = r.Begin(ctx)
	require.NoError(t, fn(ctx))
	seen := map[uuid.UUID]bool{}
	events(t, r.db, seen)
	require.NoError(t, r.End(ctx))
	require.NoError(t, r.Flush(t.Context()))
	found := map[uuid.UUID][]string{}
	for _, e := range events(t, r.db, seen) {
		require.Equal(t, auditevent.ActionREAD, e.Action)
		require.NotContains(t, found, *e.PatientID, "two events of one operation for one patient")
		require.Equal(t, ent.TypePatient, e.Entity)
		require.Equal(t, *e.PatientID, *e.EntityID)
		found[*e.PatientID] = []string{}
		for _, c := range e.Changes {
			found[*e.PatientID] = append(found[*e.PatientID], c.Field)
		}
	}
	return found
}

// Every patient whose record an operation opens has one event, however the rows were reached.
func TestReads(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		r := recorder(db, Options{})
		c := newClinic(t, db)
		other := testkit.Patient(t, db)
		testkit.Appointment(t, db, testkit.Slot(t, db, c.practitioner, db.Now().Add(48*time.Hour)), other)
		testkit.Intake(t, db, c.appointment)
		admin, doctor := testkit.As(t, c.admin), testkit.As(t, c.practitioner)
		type found = map[uuid.UUID][]string
		one := func(names ...string) found { return found{c.patient.ID: names} }

		for name, test := range map[string]struct {
			ctx  context.Context
			do   func(ctx context.Context) error
			want found
		}{
			"one row, twice": {admin, func(ctx context.Context) error {
				_, err := db.Client.Patient.Get(ctx, c.patient.ID)
				_, again := db.Client.Patient.Query().Where(patient.ID(c.patient.ID)).First(ctx)
				return errors.Join(err, again)
			}, one("Patient")},
			"several patients": {admin, func(ctx context.Context) error {
				_, err := db.Client.Appointment.Query().All(ctx)
				return err
			}, found{c.patient.ID: {"Appointment"}, other.ID: {"Appointment"}}},
			"eager-loaded": {doctor, func(ctx context.Context) error {
				_, err := db.Client.Practitioner.Query().WithSlots().All(ctx)
				_, again := db.Client.Appointment.Query().Where(appointment.ID(c.appointment.ID)).WithPatient().WithIntake().Only(ctx)
				return errors.Join(err, again)
			}, one("Appointment", "AppointmentIntake", "Patient")},
			"only through a nested edge": {admin, func(ctx context.Context) error {
				_, err := db.Client.Order.Query().Where(order.ID(c.order.ID)).Select(order.FieldID).QueryAppointment().QueryPatient().Only(ctx)
				return err
			}, one("Patient")},
			"fields of a selection": {admin, func(ctx context.Context) error {
				rows, err := db.Client.Appointment.Query().Where(appointment.ID(c.appointment.ID)).
					WithOrders(func(q *ent.OrderQuery) { q.Select(order.FieldStatus, order.FieldAppointmentID) }).Select(appointment.FieldStatus).All(ctx)
				assert.Len(t, rows[0].Edges.Orders, 1)
				return err
			}, one("Appointment", "Order")},
			"fields of a selection, by an edge": {admin, func(ctx context.Context) error {
				_, err := db.Client.Patient.Query().Where(patient.ID(c.patient.ID)).Select(patient.FieldID).QueryAppointments().Select(appointment.FieldStatus).All(ctx)
				return err
			}, one("Appointment")},
			"fields of a selection, twice from one builder": {admin, func(ctx context.Context) error {
				q := db.Client.Order.Query()
				q.Select(order.FieldStatus)
				_, err := q.Clone().All(ctx)
				_, again := q.All(ctx)
				n, counted := q.Count(ctx)
				assert.Equal(t, 1, n)
				return errors.Join(err, again, counted)
			}, one("Order")},
			"numbers, ids and columns": {admin, func(ctx context.Context) error {
				var status []string
				_, counted := db.Client.Appointment.Query().Count(ctx)
				_, exists := db.Client.Appointment.Query().Exist(ctx)
				listed, err := db.Client.Appointment.Query().IDs(ctx)
				assert.Len(t, listed, 2)
				return errors.Join(counted, exists, err, db.Client.Appointment.Query().Select(appointment.FieldStatus).Scan(ctx, &status))
			}, found{}},
			"counts made along with rows": {admin, func(ctx context.Context) error {
				var counts []struct {
					PatientID uuid.UUID `json:"patient_id"`
					Count     int       `json:"count"`
				}
				ctx = entgo.NewQueryContext(ctx, &entgo.QueryContext{Op: entgo.OpQueryAll}) // as when a list loads totals of its edges
				err := db.Client.Appointment.Query().GroupBy(appointment.FieldPatientID).Aggregate(ent.Count()).Scan(ctx, &counts)
				assert.Len(t, counts, 2)
				return err
			}, found{}},
			"hidden rows": {testkit.As(t, other), func(ctx context.Context) error {
				_, err := db.Client.Appointment.Query().Where(appointment.ID(c.appointment.ID)).All(ctx)
				return err
			}, found{}},
			"the system": {access.System(admin, "test"), func(ctx context.Context) error {
				_, err := db.Client.Patient.Query().All(ctx)
				return err
			}, found{}},
			"nobody": {t.Context(), func(ctx context.Context) error {
				_, err := db.Client.Patient.Query().All(ctx)
				return err
			}, found{}},
			"other entities": {admin, func(ctx context.Context) error {
				_, err := db.Client.Slot.Query().WithPractitioner().All(ctx)
				return err
			}, found{}},
		} {
			assert.Equal(t, test.want, opens(t, r, test.ctx, test.do), name)
		}
	})
}

// The event of a read says who read, how and when.
func TestReadTellsWho(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		r := recorder(db, Options{})
		p, nurse := testkit.Record(t, db), testkit.User(t, db, access.Nurse)
		seen := map[uuid.UUID]bool{}
		events(t, db, seen)
		v := testkit.Viewer(nurse)
		ctx := r.Begin(WithRequest(access.As(t.Context(), v), Request{ID: "r", Operation: "patients", IP: "192.0.2.9"}))
		_, err := db.Client.Patient.Get(ctx, p.ID)
		require.NoError(t, err)
		read := clk.Advance(time.Second)
		require.NoError(t, r.End(ctx))
		clk.Advance(time.Minute)
		require.NoError(t, r.Flush(t.Context()))
		list := events(t, db, seen)
		require.Len(t, list, 1)
		e := list[0]
		assert.Equal(t, []any{nurse.ID, v.SessionID, "NURSE", "patients", "192.0.2.9", "testkit", "r"}, []any{*e.ActorID, *e.SessionID, e.Roles, e.Cause, e.IP, e.UserAgent, e.RequestID})
		assert.Equal(t, read, e.CreatedAt)
	})
}

// A subscription, which ends after every event that it delivers, has one event per patient all the same.
func TestReadsOfSubscription(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		r := recorder(db, Options{})
		a, b := testkit.Record(t, db), testkit.Record(t, db)
		ctx := r.Begin(testkit.As(t, testkit.User(t, db, access.Nurse)))
		seen := map[uuid.UUID]bool{}
		events(t, db, seen)
		var got []int
		for _, id := range []uuid.UUID{a.ID, a.ID, b.ID} {
			_, err := db.Client.Patient.Get(ctx, id)
			require.NoError(t, err)
			require.NoError(t, r.End(ctx))
			require.NoError(t, r.Flush(t.Context()))
			got = append(got, len(events(t, db, seen)))
		}
		assert.Equal(t, []int{1, 0, 1}, got)
	})
}

// One operation in which somebody signs in has the reads of both under their own names.
func TestReadsOfTwoPersons(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		r := recorder(db, Options{})
		p := testkit.Record(t, db)
		a, b := testkit.User(t, db, access.Nurse), testkit.User(t, db, access.Admin)
		seen := map[uuid.UUID]bool{}
		events(t, db, seen)
		ctx := r.Begin(access.WithHolder(t.Context()))
		for _, u := range []*ent.User{a, b} {
			access.Become(ctx, testkit.Viewer(u))
			_, err := db.Client.Patient.Get(ctx, p.ID)
			require.NoError(t, err)
		}
		require.NoError(t, r.End(ctx))
		require.NoError(t, r.Flush(t.Context()))
		var actors []uuid.UUID
		for _, e := range events(t, db, seen) {
			actors = append(actors, *e.ActorID)
		}
		assert.ElementsMatch(t, []uuid.UUID{a.ID, b.ID}, actors)
	})
}

// Fields of one operation are read by several goroutines.
func TestReadsInParallel(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		r := recorder(db, Options{})
		p := testkit.Record(t, db)
		found := opens(t, r, testkit.As(t, testkit.User(t, db, access.Nurse)), func(ctx context.Context) error {
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() { _, _ = db.Client.Patient.Query().All(ctx) })
			}
			wg.Wait()
			return nil
		})
		assert.Equal(t, map[uuid.UUID][]string{p.ID: {"Patient"}}, found)
	})
}

// An operation that opens more records than can be told is refused.
func TestReadsOfTooManyPatients(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		r := recorder(db, Options{MaxPatients: 2})
		ctx := r.Begin(testkit.As(t, testkit.User(t, db, access.Nurse)))
		for range 3 {
			testkit.Record(t, db)
		}
		_, err := db.Client.Patient.Query().Limit(2).All(ctx)
		require.NoError(t, err)
		_, err = db.Client.Patient.Query().All(ctx)
		assert.ErrorIs(t, err, fault.ErrTooComplex)
	})
}

// A refused operation is told, also of somebody who is not signed in.
func TestDenied(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		r := recorder(db, Options{})
		nurse := testkit.User(t, db, access.Nurse)
		seen := map[uuid.UUID]bool{}
		events(t, db, seen)
		r.Denied(testkit.As(t, nurse), "deactivateUser")
		r.Denied(WithRequest(t.Context(), Request{IP: "192.0.2.1", Operation: "users"}), "users")
		require.NoError(t, r.Flush(t.Context()))
		list := events(t, db, seen)
		require.Len(t, list, 2)
		assert.Equal(t, []any{auditevent.ActionDENIED, "deactivateUser", nurse.ID}, []any{list[0].Action, list[0].Entity, *list[0].ActorID})
		assert.Equal(t, []any{"users", "192.0.2.1", "users"}, []any{list[1].Entity, list[1].IP, list[1].Cause})
		assert.Nil(t, list[1].ActorID)
	})
}
