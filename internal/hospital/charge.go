package hospital

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	chargeBatch = 5000 // admissions of one transaction
	chargeTries = 3    // of an admission that fails, in one run
	slowInARow  = 5    // admissions that take too long: more than that are the database's failure
	chargeLists = 1000 // entries, skips and failures that a result keeps
)

// ChargeInput says which daily charges are to be posted.
type ChargeInput struct {
	Date        civil.Date
	AdmissionID *uuid.UUID // nil = all
	IsDry       bool       // says what would be posted, and writes nothing
	// Progress is told what the run has come to after each batch; nil = nobody looks.
	Progress func(ChargeTotals)
}

// charging is a run of daily charges. Its batches are charged by several workers: no two of them share a wallet.
type charging struct {
	*Service
	ChargeInput
	hasOpen bool         // there may be failures to resolve
	isAgain atomic.Bool  // the batch before had been charged already, as this one probably has: a look without locks comes first
	opened  atomic.Int64 // failures that are new, or were resolved
	slow    atomic.Int64 // admissions in a row that took too long
}

// candidate is an admission that may owe something.
type candidate struct{ id, patient uuid.UUID }

// ChargeDate posts the daily charges of a date, or of one admission that the viewer sees, and returns what it came to; a dry run returns what would be posted.
// Of all admissions it first tries again what failed in earlier runs, whatever its date. What stands is never changed, so it can be run again, at once
// with itself and on several instances. One admission's failure does not stop the others (see fail); the error is that of a database that is away, after which it is
// to be run again. For billers and administrators, and the job. Errors: DATE_IN_FUTURE, NOT_FOUND.
func (s *Service) ChargeDate(ctx context.Context, in ChargeInput) (*ChargeResult, error) {
	if in.Date.After(s.today()) {
		return nil, ErrDateInFuture.At("date")
	}
	c, result := &charging{Service: s, ChargeInput: in}, s.newResult(in.Date)
	c.isAgain.Store(true)
	if in.AdmissionID != nil {
		a, err := s.visible(ctx, *in.AdmissionID)
		if err != nil {
			return nil, err
		}
		c.hasOpen = true
		return result, c.batch(access.System(ctx, "charge an admission"), result, in.Date, []candidate{{a.ID, a.PatientID}})
	}
	ctx = access.System(ctx, "daily charges")
	if err := c.retryOpen(ctx, result); err != nil {
		return result, err
	}
	return result, c.all(ctx, result)
}

// workers is how many batches are charged at once: while one is computed the database writes another. SQLite has one writer.
func (c *charging) workers() int {
	if c.DB.Dialect() == dialect.Postgres {
		return 2
	}
	return 1
}

// all charges whoever was in hospital at the date's first instant, in batches as the ids ascend.
func (c *charging) all(ctx context.Context, result *ChargeResult) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.workers())
	sum := &tally{total: result, early: map[int]*ChargeResult{}, progress: c.Progress}
	var last uuid.UUID
	for n := 0; ; n++ {
		list, err := c.candidates(ctx, last)
		if err != nil || len(list) == 0 {
			return cmp.Or(group.Wait(), err) // what a batch failed of ends the listing too
		}
		last = list[len(list)-1].id
		group.Go(func() error {
			part := c.newResult(c.Date)
			return errors.Join(c.batch(ctx, part, c.Date, list), sum.add(n, part))
		})
	}
}

// candidates lists the next batch of those who were in hospital at the date's first instant.
func (c *charging) candidates(ctx context.Context, after uuid.UUID) (list []candidate, err error) {
	err = c.DB.Query(ctx, "find who is in hospital", c.present(civil.StartOfDay(c.Date, c.Zone), after), func(row *sql.Rows) error {
		var one candidate
		err := row.Scan(&one.id, &one.patient)
		list = append(list, one)
		return err
	})
	return list, err
}

// present selects, as the ids ascend, a batch of admissions at an instant: those that go on, and those of whom lay in a bed then and has left it since. Indexes
// find both, however many admissions are over for longer.
func (s *Service) present(at time.Time, after uuid.UUID) store.Statement {
	build, going, left := s.DB.Build(), sql.Table(admission.Table), sql.Table(stay.Table)
	in := build.Select(going.C(admission.FieldID), going.C(admission.FieldPatientID)).From(going).Where(sql.And(
		isGoingOn(going), sql.LTE(going.C(admission.FieldAdmittedAt), at), sql.GT(going.C(admission.FieldID), after)))
	in.UnionAll(build.Select(left.C(stay.FieldAdmissionID), left.C(stay.FieldPatientID)).From(left).Where(sql.And(
		sql.GT(left.C(stay.FieldToAt), at), sql.LTE(left.C(stay.FieldFromAt), at), sql.GT(left.C(stay.FieldAdmissionID), after))))
	return build.Select(admission.FieldID, admission.FieldPatientID).Distinct().From(in.As("present")).OrderBy(admission.FieldID).Limit(s.perBatch)
}

// isGoingOn matches admissions that are not over. The status stands in the statement's text, because only then SQLite may use the partial index of them.
func isGoingOn(of *sql.SelectTable) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Ident(of.C(admission.FieldStatus)).WriteString(" = '" + string(admission.StatusADMITTED) + "'")
	})
}
