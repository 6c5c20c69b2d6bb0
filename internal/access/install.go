package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/intercept"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
)

type guard struct {
	driver dialect.Driver
	clock  clock.Clock
}

// Install puts the policy on the client. driver runs the read-back of written rows in the transaction of ctx.
func Install(client *ent.Client, driver dialect.Driver, clk clock.Clock) {
	g := &guard{driver: driver, clock: clk}
	client.Intercept(intercept.TraverseFunc(g.limitQuery))
	client.Use(g.limitMutation)
}

// limitQuery adds the rows that the viewer may see to every query.
func (g *guard) limitQuery(ctx context.Context, q intercept.Query) error {
	v := From(ctx)
	if v.IsSystem() {
		return nil
	}
	if p := g.predicate(v, q.Type(), Read, nil); p != nil {
		q.WhereP(func(s *sql.Selector) { s.Where(p(s)) })
	}
	return nil
}

// ownAccount is what a viewer who has to set up a second factor reaches, as far as the roles allow it too.
var ownAccount = map[string]Rule{ent.TypeUser: column("id", userID), ent.TypeSession: ownUser}

// predicate is what the viewer's roles allow; nil = all rows. fields are those that an update changes.
func (g *guard) predicate(v *Viewer, entity string, a Action, fields []string) Predicate {
	allowed := g.allowed(v, entity, a, fields)
	if v == nil || !v.NeedsTotp {
		return allowed
	}
	own, ok := ownAccount[entity]
	if !ok {
		return None(v, time.Time{})
	}
	mine := own(v, time.Time{})
	if allowed == nil {
		return mine
	}
	return func(s *sql.Selector) *sql.Predicate { return wrapped(sql.And(mine(s), allowed(s))) }
}

// allowed joins the rules of the viewer's roles; nil = all rows.
func (g *guard) allowed(v *Viewer, entity string, a Action, fields []string) Predicate {
	now := g.clock.Now()
	var allowed []Predicate
	if v != nil {
		policy := Policy[entity]
		for _, role := range v.Roles {
			rule, ok := policy.rules(a)[role]
			if !ok || a == Update && !mayChange(policy.Fields, role, fields) {
				continue
			}
			p := rule(v, now)
			if p == nil {
				return nil
			}
			allowed = append(allowed, p)
		}
	}
	if len(allowed) == 0 {
		return None(v, time.Time{})
	}
	return func(s *sql.Selector) *sql.Predicate {
		parts := make([]*sql.Predicate, len(allowed))
		for i, p := range allowed {
			parts[i] = p(s)
		}
		return wrapped(sql.Or(parts...))
	}
}

// wrapped puts the predicate in brackets. ent leaves them out around a disjunction that stands alone in another one, and what is then
// joined to it by AND would let rows through.
func wrapped(p *sql.Predicate) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Wrap(func(b *sql.Builder) { b.Join(p) })
	})
}

func mayChange(limits map[Role][]string, role Role, fields []string) bool {
	allowed, limited := limits[role]
	return !limited || !slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(allowed, f) })
}

type row interface {
	ID() (uuid.UUID, bool)
	WhereP(...func(*sql.Selector))
}

// limitMutation lets a viewer write allowed rows only, and reads every written row back by the rule of its action.
func (g *guard) limitMutation(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		v := From(ctx)
		if v.IsSystem() {
			return next.Mutate(ctx, m)
		}
		target, ok := m.(row)
		if !ok || m.Op().Is(ent.OpUpdate|ent.OpDelete) || writesOthers(m) {
			return nil, fault.ErrForbidden.Because(fmt.Errorf("access: write of many rows by %s", m.Type()))
		}
		action, fields := actionOf(m), slices.Concat(m.Fields(), m.AddedFields(), m.ClearedFields())
		if denied(v, m.Type(), action, fields) {
			return nil, fault.ErrForbidden.Because(fmt.Errorf("access: %s of %s", action, m.Type()))
		}
		p := g.predicate(v, m.Type(), action, fields)
		if p == nil {
			return next.Mutate(ctx, m)
		}
		if action != Create {
			target.WhereP(func(s *sql.Selector) { s.Where(p(s)) })
		}
		value, err := next.Mutate(ctx, m)
		if err != nil || action == Delete {
			return value, err
		}
		return value, g.readBack(ctx, m.Type(), target, p)
	})
}

// writesOthers tells whether the mutation would also write rows of another entity, through an edge whose key they hold.
func writesOthers(m ent.Mutation) bool {
	touched := slices.Concat(m.AddedEdges(), m.RemovedEdges(), m.ClearedEdges())
	return slices.ContainsFunc(touched, func(e string) bool { return slices.Contains(ent.ForeignEdges[m.Type()], e) })
}

func actionOf(m ent.Mutation) Action {
	switch {
	case m.Op().Is(ent.OpCreate):
		return Create
	case m.Op().Is(ent.OpDeleteOne):
		return Delete
	default:
		return Update
	}
}

// denied tells whether no role of the viewer may do this with any row.
func denied(v *Viewer, entity string, a Action, fields []string) bool {
	policy := Policy[entity]
	return v == nil || !slices.ContainsFunc(v.Roles, func(r Role) bool {
		return policy.rules(a)[r] != nil && (a != Update || mayChange(policy.Fields, r, fields))
	})
}

// readBack is SQL's WITH CHECK.
func (g *guard) readBack(ctx context.Context, entity string, target row, p Predicate) error {
	id, ok := target.ID()
	if !ok {
		return fault.ErrForbidden
	}
	s := sql.Dialect(g.driver.Dialect()).Select("id").From(sql.Table(ent.Tables[entity]))
	query, args := s.Where(sql.And(sql.EQ(s.C("id"), id), p(s))).Query()
	rows := &sql.Rows{}
	if err := g.driver.Query(ctx, query, args, rows); err != nil {
		return err
	}
	found := rows.Next()
	if err := rows.Close(); err != nil {
		return err
	}
	if !found {
		return fault.ErrForbidden.Because(fmt.Errorf("access: a written %s is outside the viewer's rows", entity))
	}
	return rows.Err()
}
