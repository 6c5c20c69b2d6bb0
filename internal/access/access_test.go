package access_test

import (
	"context"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/migrate"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Every entity has an entry, even if it says that nobody may; and what an entry names exists.
func TestPolicyIsComplete(t *testing.T) {
	t.Parallel()
	tables := map[string]*schema.Table{}
	for _, table := range migrate.Tables {
		tables[table.Name] = table
	}
	for entity, table := range ent.Tables {
		policy, ok := access.Policy[entity]
		assert.True(t, ok, "%s has no entry", entity)
		for role, fields := range policy.Fields {
			assert.Contains(t, access.Roles, role, entity)
			for _, field := range fields {
				assert.True(t, hasColumn(tables[table], field), "%s: %s may change %s, which does not exist", entity, role, field)
			}
		}
	}
	for entity := range access.Policy {
		assert.Contains(t, ent.Tables, entity)
	}
}

func hasColumn(table *schema.Table, name string) bool {
	_, ok := table.Column(name)
	return ok
}

// visit is a small world: a patient with an appointment, and another one.
type visit struct {
	patient, other *ent.Patient
	appointment    *ent.Appointment
	free           *ent.Slot
}

func newVisit(t *testing.T, db *store.DB, clk *clock.Fake) visit {
	t.Helper()
	doctor := testkit.Practitioner(t, db)
	v := visit{patient: testkit.Patient(t, db), other: testkit.Patient(t, db), free: testkit.Slot(t, db, doctor, clk.Now().Add(48*time.Hour))}
	v.appointment = testkit.Appointment(t, db, testkit.Slot(t, db, doctor, clk.Now().Add(24*time.Hour)), v.patient)
	return v
}

// Without a viewer there are no rows and no writes; the same holds for one without a role, with an unknown one, and for a system that does not say why.
func TestDefaultDeny(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		v := newVisit(t, db, clk)
		for name, ctx := range map[string]context.Context{
			"no viewer":             t.Context(),
			"no role":               access.As(t.Context(), &access.Viewer{UserID: *v.patient.UserID, PatientID: v.patient.ID}),
			"unknown role":          access.As(t.Context(), &access.Viewer{UserID: *v.patient.UserID, PatientID: v.patient.ID, Roles: []access.Role{"OWNER"}}),
			"system without reason": access.System(t.Context(), ""),
		} {
			n, err := db.Client.Appointment.Query().Count(ctx)
			require.NoError(t, err, name)
			assert.Zero(t, n, name)
			_, err = db.Client.User.Get(ctx, *v.patient.UserID)
			assert.True(t, ent.IsNotFound(err), "%s: %v", name, err)
			for write, fn := range map[string]func(ctx context.Context) error{
				"create": func(ctx context.Context) error { return db.Client.Counter.Create().SetName("x").SetValue(1).Exec(ctx) },
				"update": func(ctx context.Context) error {
					return v.appointment.Update().SetStatus(appointment.StatusNO_SHOW).Exec(ctx)
				},
				"delete": func(ctx context.Context) error { return db.Client.Slot.DeleteOne(v.free).Exec(ctx) },
			} {
				require.ErrorIs(t, db.WithTx(ctx, fn), fault.ErrForbidden, "%s: %s", name, write)
			}
		}
		kept, err := db.Client.Appointment.Get(testkit.System(t), v.appointment.ID)
		require.NoError(t, err)
		assert.Equal(t, appointment.StatusBOOKED, kept.Status)
	})
}

// Updates and deletes without an id, and writes of another entity's rows through an edge, are the system's alone.
func TestWritesOfManyRowsAreTheSystems(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		v := newVisit(t, db, clk)
		everybody := access.Viewer{UserID: *v.patient.UserID, PatientID: v.patient.ID, Roles: access.Roles}
		writes := map[string]func(ctx context.Context) error{
			"update": func(ctx context.Context) error { return db.Client.User.Update().SetPhone("+61400000000").Exec(ctx) },
			"update of one by predicate": func(ctx context.Context) error {
				return db.Client.User.Update().Where(user.ID(*v.patient.UserID)).SetPhone("+61400000000").Exec(ctx)
			},
			"delete": func(ctx context.Context) error {
				_, err := db.Client.Slot.Delete().Exec(ctx)
				return err
			},
			"through an edge": func(ctx context.Context) error {
				return db.Client.Patient.UpdateOneID(v.other.ID).AddAppointmentIDs(v.appointment.ID).Exec(ctx)
			},
		}
		for name, write := range writes {
			require.ErrorIs(t, db.WithTx(access.As(t.Context(), &everybody), write), fault.ErrForbidden, name)
		}
		untouched, err := db.Client.User.Query().Where(user.Phone("+61400000000")).Exist(testkit.System(t))
		require.NoError(t, err)
		assert.False(t, untouched)
		testkit.Write(t, db, writes["update"])
	})
}

// A row that is written outside the viewer's rows is refused, and nothing of the transaction stands.
func TestWrittenRowsAreReadBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		v := newVisit(t, db, clk)
		book := func(ctx context.Context, patient uuid.UUID) error {
			return db.WithTx(ctx, func(ctx context.Context) error {
				return db.Client.Appointment.Create().SetSlotID(v.free.ID).SetPractitionerID(v.free.PractitionerID).SetPatientID(patient).
					SetStartsAt(v.free.StartsAt).SetEndsAt(v.free.EndsAt).SetStatus(appointment.StatusPENDING).SetIsInitial(true).
					SetPriceMinor(1).SetCurrency("AUD").SetExpiresAt(clk.Now()).SetBookedBy(*v.other.UserID).Exec(ctx)
			})
		}
		require.ErrorIs(t, book(testkit.As(t, v.other), v.patient.ID), fault.ErrForbidden)
		n, err := db.Client.Appointment.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		require.NoError(t, book(testkit.As(t, v.other), v.other.ID))
	})
}

// Another's row reads as if it were not there, to writes too.
func TestHiddenRowsAreNotFound(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		v := newVisit(t, db, clk)
		ctx := testkit.As(t, v.other)
		_, err := db.Client.Appointment.Get(ctx, v.appointment.ID)
		assert.True(t, ent.IsNotFound(err), "%v", err)
		err = db.WithTx(ctx, func(ctx context.Context) error {
			return db.Client.Appointment.UpdateOneID(v.appointment.ID).SetStatus(appointment.StatusNO_SHOW).Exec(ctx)
		})
		assert.True(t, ent.IsNotFound(err), "%v", err)
	})
}

// The rights of several roles add up, row by row.
func TestRolesAddUp(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		v := newVisit(t, db, clk)
		testkit.Order(t, db, v.appointment)
		orders := func(rows ...any) int {
			n, err := db.Client.Order.Query().Count(testkit.As(t, rows...))
			require.NoError(t, err)
			return n
		}
		assert.Zero(t, orders(v.other), "a patient sees the own ones")
		assert.Equal(t, 1, orders(v.other, access.Patient, access.Biller), "a biller all of them")

		// A field that only one of the roles may change.
		staff := testkit.User(t, db, access.Nurse)
		rename := func(roles ...any) error {
			return db.WithTx(testkit.As(t, roles...), func(ctx context.Context) error {
				return db.Client.Patient.UpdateOneID(v.patient.ID).SetFamilyName("Marsh").Exec(ctx)
			})
		}
		require.ErrorIs(t, rename(v.patient), fault.ErrForbidden, "not a contact field")
		require.NoError(t, rename(staff))
		require.NoError(t, rename(v.patient, access.Patient, access.Nurse))
	})
}
