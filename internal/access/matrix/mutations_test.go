package matrix_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/testkit"
)

// rules is what the policy says of one action.
type rules = map[access.Role]access.Rule

// with gives a role a rule; without takes it away. Neither touches the policy itself.
func with(r rules, rule access.Rule, roles ...access.Role) rules {
	r = maps.Clone(r)
	if r == nil {
		r = rules{}
	}
	for _, role := range roles {
		r[role] = rule
	}
	return r
}

func without(r rules, role access.Role) rules {
	r = maps.Clone(r)
	delete(r, role)
	return r
}

// mine matches rows whose column holds the viewer's own user or record.
func mine(column string, id func(*access.Viewer) any) access.Rule {
	return func(v *access.Viewer, _ time.Time) access.Predicate {
		return func(s *sql.Selector) *sql.Predicate { return sql.EQ(s.C(column), id(v)) }
	}
}

// everOpened matches what belongs to rooms that the viewer has opened at any time.
func everOpened(v *access.Viewer, _ time.Time) access.Predicate {
	return func(s *sql.Selector) *sql.Predicate {
		opened := sql.Dialect(s.Dialect()).Select("room_id").From(sql.Table("record_openings")).Where(sql.EQ("user_id", v.UserID))
		return sql.In(s.C("room_id"), opened)
	}
}

func userOf(v *access.Viewer) any    { return v.UserID }
func patientOf(v *access.Viewer) any { return v.PatientID }

// mutations are mistakes in the policy that the matrix has to notice, and by which way at least.
var mutations = []struct {
	name, entity, way string
	seed              func(e *access.Entity)
}{
	{"patients read all visits", "Appointment", wayList, func(e *access.Entity) { e.Read = with(e.Read, access.All, access.Patient) }},
	{"nurses read orders", "Order", wayNodes, func(e *access.Entity) { e.Read = with(e.Read, access.All, access.Nurse) }},
	{"administrators read intake notes", "AppointmentIntake", wayNested, func(e *access.Entity) { e.Read = with(e.Read, access.All, access.Admin) }},
	{"patients see past slots", "Slot", wayCursor, func(e *access.Entity) { e.Read = with(e.Read, access.All, access.Patient) }},
	{"withdrawn notices show", "Notification", wayCount, func(e *access.Entity) { e.Read = with(e.Read, mine("user_id", userOf), access.Roles...) }},
	{"doctors lose their own visits", "Appointment", wayNode, func(e *access.Entity) { e.Read = without(e.Read, access.Doctor) }},
	{"clinicians read all credentials", "PractitionerCredential", wayOrder, func(e *access.Entity) { e.Read = with(e.Read, access.All, access.Clinician) }},
	{"the audit opens to administrators", "AuditEvent", wayFilter, func(e *access.Entity) { e.Read = with(e.Read, access.All, access.Admin) }},
	{"patients change every field of their record", "Patient", wayUpdate, func(e *access.Entity) { e.Fields = withoutFields(e.Fields, access.Patient) }},
	{"schedulers move records to other accounts", "Patient", wayMove, func(e *access.Entity) { e.Fields = withoutFields(e.Fields, access.Scheduler) }},
	{"doctors may not change their slots", "Slot", wayUpdate, func(e *access.Entity) { e.Update = without(e.Update, access.Doctor) }},
	{"patients order under visits of others", "Order", wayCreate, func(e *access.Entity) { e.Create = with(e.Create, mine("patient_id", patientOf), access.Patient) }},
	{"openings of a conversation do not end", "ChatMessage", wayNode, func(e *access.Entity) { e.Read = with(e.Read, everOpened, access.Admin) }},
	{"billers delete slots", "Slot", wayDelete, func(e *access.Entity) { e.Delete = with(e.Delete, access.All, access.Biller) }},
}

func withoutFields(fields map[access.Role][]string, role access.Role) map[access.Role][]string {
	fields = maps.Clone(fields)
	delete(fields, role)
	return fields
}

// mutationLimit lets a run go on past violations of other ways than the one that is looked for.
const mutationLimit = 200

// seeded runs fn with each of the mistakes that show, one at a time, in the policy. That is one for the process: such a test is not parallel.
func seeded(t *testing.T, shows func(entity, way string) bool, fn func(t *testing.T, entity, way string)) {
	t.Helper()
	for _, mutation := range mutations {
		if !shows(mutation.entity, mutation.way) {
			continue
		}
		t.Run(mutation.name, func(t *testing.T) {
			sound := access.Policy[mutation.entity]
			defer func() { access.Policy[mutation.entity] = sound }()
			mutated := sound
			mutation.seed(&mutated)
			access.Policy[mutation.entity] = mutated
			fn(t, mutation.entity, mutation.way)
		})
	}
}

// Each mistake, seeded alone, must turn the matrix red by the way that is named.
func TestMatrixNoticesMutations(t *testing.T) {
	w := build(t, testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start)))
	seeded(t, func(string, string) bool { return true }, func(t *testing.T, entity, way string) {
		m := newMatrix(w, mutationLimit)
		m.only = entity
		m.by(t.Context(), way)
		i := slices.IndexFunc(m.violations, func(v violation) bool { return v.way == way && !v.undecided })
		if i < 0 {
			t.Fatalf("the matrix is green after %d cells of the way %q", m.cells[way], way)
		}
		t.Log(m.violations[i])
	})
}

// Mistakes about reading show over HTTP too.
func TestMatrixOverHTTPNoticesMutations(t *testing.T) {
	testkit.Long(t)
	served := serve(t, testkit.SQLite)
	isRead := func(entity, way string) bool { return slices.Contains(apiWays, way) && isNode(entity) }
	seeded(t, isRead, func(t *testing.T, _, way string) {
		a := &api{matrix: newMatrix(served.world, 1), t: t, clients: served.clients}
		switch way {
		case wayNested:
			a.tryTrees()
		case wayNode, wayNodes, wayOrder:
			a.tryNodeFields()
		default:
			a.tryRootLists()
		}
		if len(a.violations) == 0 {
			t.Fatalf("the matrix is green after %d cells", a.total())
		}
		t.Log(a.violations[0])
	})
}

// by runs the matrix by one way, as far as its parts can be told apart.
func (m *matrix) by(ctx context.Context, way string) {
	switch way {
	case wayNode:
		m.each(ctx, m.tryNode)
	case wayNodes, wayList:
		m.each(ctx, m.tryLists)
	case wayCount:
		m.each(ctx, m.tryCounts)
	case wayCursor:
		m.each(ctx, m.tryPages)
	case wayNested:
		m.each(ctx, m.tryEager)
	case wayFilter, wayOrder:
		m.tryColumns(ctx)
	default:
		m.writes(ctx)
	}
}
