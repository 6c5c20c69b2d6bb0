package audit

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/migrate"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Secrets and what people say of their health stand in no column of the audit, but their hashes do.
func TestSecretsAreHashed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		c := newClinic(t, db)
		recorder(db, Options{})
		secrets := []string{"argon2id$old", "argon2id$new", "It itches at night.", "It burns at night.", "Told my doctor all.", "https://pay.test/c/abc", "text of a notice"}
		testkit.Write(t, db, func(ctx context.Context) error {
			u := db.Client.User.Create().SetEmail("x@b.test").SetEmailKey("x@b.test").SetPasswordHash(secrets[0]).SetGivenName("A").SetFamilyName("B").SetRoles([]string{"NURSE"}).SaveX(ctx)
			db.Client.User.UpdateOne(u).SetPasswordHash(secrets[1]).ExecX(ctx)
			i := db.Client.AppointmentIntake.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).SetNote(secrets[2]).SaveX(ctx)
			db.Client.AppointmentIntake.UpdateOne(i).SetNote(secrets[3]).ExecX(ctx)
			db.Client.AppointmentIntake.Update().SetNote(secrets[3]).ExecX(ctx)
			db.Client.AppointmentStatusChange.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).
				SetToStatus("BOOKED").SetCause("test").SetReason(secrets[4]).ExecX(ctx)
			db.Client.Order.UpdateOne(c.order).SetCheckoutURL(secrets[5]).ExecX(ctx)
			db.Client.Notification.Create().SetUserID(u.ID).SetKind("K").SetSubjectID(u.ID).SetOccurrence("").SetTitle("T").SetText(secrets[6]).ExecX(ctx)
			return nil
		})
		everything := contents(t, db)
		for _, secret := range secrets {
			assert.NotContains(t, everything, secret)
			assert.Contains(t, everything, hash(secret))
		}
	})
}

// contents is every column of every row of the audit as text.
func contents(t *testing.T, db *store.DB) string {
	t.Helper()
	var all strings.Builder
	query := db.Build().Select(auditevent.Columns...).From(entsql.Table(auditevent.Table))
	require.NoError(t, db.Query(testkit.System(t), "test", query, func(row *entsql.Rows) error {
		values, refs := make([]entsql.NullString, len(auditevent.Columns)), make([]any, len(auditevent.Columns))
		for i := range values {
			refs[i] = &values[i]
		}
		err := row.Scan(refs...)
		for _, v := range values {
			all.WriteString(v.String + "\n")
		}
		return err
	}))
	return all.String()
}

// plainTexts are the long texts that the audit may show.
var plainTexts = map[string][]string{
	ent.TypeAppointmentStatusChange: {"context"}, // ids and flags
	ent.TypeChargeFailure:           {"error"},   // codes and fixed texts
	ent.TypeWard:                    {"name", "name_key"},
	ent.TypeQuestion:                {"prompt"},
	ent.TypeQuestionAnswer:          {"prompt"}, // what everybody is asked
	ent.TypeSession:                 {"user_agent"},
	ent.TypeRecordOpening:           {"reason"}, // it is what the opening is judged by
}

// A new field for a long text has to be hashed, unless somebody decides that everybody who reads the audit may read it.
func TestLongTextsAreHashed(t *testing.T) {
	t.Parallel()
	entities := map[string]string{}
	for entity, table := range ent.Tables {
		entities[table] = entity
	}
	for _, table := range migrate.Tables {
		entity := entities[table.Name]
		if bookkeeping[entity] {
			continue
		}
		for _, c := range table.Columns {
			decided := slices.Concat(hashed[entity], ent.SensitiveFields[entity], plainTexts[entity])
			if c.Type == field.TypeString && (c.Size == 0 || c.Size > 300) {
				assert.Contains(t, decided, c.Name, "%s.%s: say in redact.go that it is hashed, or here that it is not", entity, c.Name)
			}
		}
	}
	for entity, fields := range hashed {
		for _, name := range fields {
			table := migrate.Tables[slices.IndexFunc(migrate.Tables, func(mt *schema.Table) bool { return mt.Name == ent.Tables[entity] })]
			assert.True(t, slices.ContainsFunc(table.Columns, func(c *schema.Column) bool { return c.Name == name }), "%s has no %s", entity, name)
		}
	}
}

// What a caller sends is stored in the bounds of the columns, on both engines.
func TestCallersTextsAreBounded(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		r := recorder(db, Options{})
		long := "a\x00\xff" + strings.Repeat("ü", 1000)
		v := &access.Viewer{UserID: uuid.New(), Roles: slices.Repeat(access.Roles, 10)}
		ctx := Cause(WithRequest(access.As(t.Context(), v), Request{ID: long, IP: long, UserAgent: long}), long)
		require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
			return r.Record(ctx, Event{Action: auditevent.ActionUPDATE, Entity: long, Changes: []Change{ch("f", long, long)}})
		}))
		e := events(t, db, map[uuid.UUID]bool{})[0]
		for text, limit := range map[string]int{e.Entity: maxEntity, e.Roles: maxRoles, e.IP: maxIP, e.UserAgent: maxAgent, e.RequestID: maxRequest, e.Cause: maxCause, e.Changes[0].Old: maxValue} {
			assert.LessOrEqual(t, len(text), limit)
			assert.Greater(t, len(text), limit-4)
			assert.True(t, utf8.ValidString(text))
			assert.True(t, strings.HasSuffix(text, "…"))
		}
	})
}
