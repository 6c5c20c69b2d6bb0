package audit

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// A step before the commit that writes has its event too, and so has what callers record themselves.
func TestRecord(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		c, seen := newClinic(t, db), map[uuid.UUID]bool{}
		r := recorder(db, Options{})
		ctx := Cause(access.System(t.Context(), "a step"), "job:nightly")
		require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
			err := r.Record(ctx, Event{Action: auditevent.ActionUPDATE, Entity: ent.TypeOrder, EntityID: c.order.ID, PatientID: c.patient.ID,
				Changes: []Change{ch("status", "PAID", "COMPLETED"), ch("checkout_url", "", "https://pay.test/secret")}})
			return errors.Join(err, store.BeforeCommit(ctx, func(ctx context.Context) error {
				return db.Client.Patient.UpdateOneID(c.patient.ID).SetPhone("7").Exec(access.System(ctx, "late"))
			}))
		}))
		list := events(t, db, seen)
		require.Len(t, list, 2)
		assert.Equal(t, []string{"Order", "Patient"}, []string{list[0].Entity, list[1].Entity})
		assert.Equal(t, ch("status", "PAID", "COMPLETED"), list[0].Changes[0])
		assert.Equal(t, hash("https://pay.test/secret"), list[0].Changes[1].New)
		for _, e := range list {
			assert.Equal(t, "job:nightly", e.Cause)
			assert.Nil(t, e.ActorID, "nobody is behind the job")
			assert.Empty(t, e.Roles)
		}
		assert.Error(t, r.Record(ctx, Event{}), "outside a transaction")
	})
}

// Without an operation or a named cause the system's own reason stands.
func TestCause(t *testing.T) {
	t.Parallel()
	v := &access.Viewer{UserID: uuid.New()}
	user := access.As(t.Context(), v)
	for want, ctx := range map[string]context.Context{
		"unknown":    user,
		"hold slot":  access.System(user, "hold slot"),
		"bookIt":     access.System(WithRequest(user, Request{Operation: "bookIt"}), "hold slot"),
		"webhook:pl": Cause(WithOperation(user, "bookIt"), "webhook:pl"),
	} {
		assert.Equal(t, want, causeOf(ctx, access.From(ctx), RequestOf(ctx)))
	}
}

// Nobody changes or deletes the audit, not even the system.
func TestAuditIsImmutable(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		recorder(db, Options{})
		testkit.Record(t, db)
		ctx := testkit.System(t)
		for name, statement := range map[string]store.Statement{
			"update": db.Build().Update(auditevent.Table).Set("cause", "other"),
			"delete": db.Build().Delete(auditevent.Table),
		} {
			err := db.WithTx(ctx, func(ctx context.Context) error {
				_, err := db.Exec(ctx, "test", statement)
				return err
			})
			assert.True(t, store.Violates(err, store.Constraint{Postgres: "caregraph_immutable", SQLite: "caregraph_immutable"}), "%s: %v", name, err)
		}
		err := db.WithTx(ctx, func(ctx context.Context) error {
			_, err := db.Client.AuditEvent.Delete().Exec(ctx)
			return err
		})
		assert.Error(t, err)
		assert.Len(t, events(t, db, map[uuid.UUID]bool{}), 1)
	})
}
