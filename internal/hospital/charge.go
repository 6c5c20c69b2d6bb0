package hospital

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/wallet"
)

const (
	chargeBatch = 5000 // admissions of one transaction
	chargeTries = 3    // of an admission that fails, in one run
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

// ChargeResult is what a run of daily charges came to. The lists hold the first 1,000 each.
type ChargeResult struct {
	Date    civil.Date
	Entries []ChargeEntry
	Skipped []ChargeSkip
	Failed  []ChargeFailed
	Totals  ChargeTotals
	Reasons map[SkipReason]int // how many were left out for each
}

// charging is a run of daily charges.
type charging struct {
	*Service
	ChargeInput
	result  *ChargeResult
	isAgain bool // the batch before had been charged already, as this one probably has: a look without locks comes first
	hasOpen bool // there may be failures to resolve
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
	c := &charging{Service: s, ChargeInput: in, isAgain: true, result: &ChargeResult{
		Date: in.Date, Totals: ChargeTotals{Amount: s.amount(0)}, Reasons: map[SkipReason]int{},
	}}
	if in.AdmissionID != nil {
		a, err := s.DB.Client.Admission.Get(ctx, *in.AdmissionID)
		if ent.IsNotFound(err) {
			return nil, fault.ErrNotFound.At("admissionId")
		} else if err != nil {
			return nil, err
		}
		c.hasOpen = true
		return c.result, c.batch(access.System(ctx, "charge an admission"), in.Date, []candidate{{a.ID, a.PatientID}})
	}
	ctx = access.System(ctx, "daily charges")
	if err := c.retryOpen(ctx); err != nil {
		return c.result, err
	}
	return c.result, c.all(ctx)
}

// all charges whoever was in hospital at the date's first instant, in batches as the ids ascend.
func (c *charging) all(ctx context.Context) error {
	start := civil.StartOfDay(c.Date, c.Zone)
	var last uuid.UUID
	for {
		rows, err := c.DB.Client.Admission.Query().
			Where(admission.IDGT(last), admission.AdmittedAtLTE(start), admission.Or(admission.DischargedAtIsNil(), admission.DischargedAtGT(start))).
			Order(admission.ByID()).Limit(c.perBatch).Select(admission.FieldPatientID).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		list := make([]candidate, len(rows))
		for i, a := range rows {
			list[i] = candidate{a.ID, a.PatientID}
		}
		if err := c.batch(ctx, c.Date, list); err != nil {
			return err
		}
		if c.Progress != nil {
			c.Progress(c.result.Totals)
		}
		if len(rows) < c.perBatch {
			return nil
		}
		last = rows[len(rows)-1].ID
	}
}

// batch charges the candidates in one transaction. When it fails, by one of them or more, it is split until those are alone.
func (c *charging) batch(ctx context.Context, d civil.Date, list []candidate) error {
	found, err := c.try(ctx, d, list)
	switch {
	case err == nil:
		return c.result.add(found)
	case len(list) > 1 && ctx.Err() == nil && errors.Is(err, fault.ErrTimeout): // fewer at once may be quick enough
	case isOfAll(ctx, err):
		return err
	case len(list) == 1:
		return c.alone(ctx, d, list[0], err)
	}
	half := len(list) / 2
	if err := c.batch(ctx, d, list[:half]); err != nil {
		return err
	}
	return c.batch(ctx, d, list[half:])
}

// alone tries one candidate that has failed once again, and writes down when that is of no use.
func (c *charging) alone(ctx context.Context, d civil.Date, one candidate, err error) error {
	for range chargeTries - 1 {
		var found findings
		if found, err = c.try(ctx, d, []candidate{one}); err == nil {
			return c.result.add(found)
		}
		if isOfAll(ctx, err) {
			return err
		}
	}
	c.Log.ErrorContext(ctx, "an admission could not be charged", slog.String("admission", one.id.String()), slog.String("date", d.String()), slog.Any("error", err))
	return c.fail(ctx, d, one, err)
}

// isOfAll tells whether an error is not one admission's: the database is away, or the run is to stop.
func isOfAll(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fault.ErrTimeout)
}

var errPanicked = errors.New("charging panicked")

// try charges the candidates, all or none.
func (c *charging) try(ctx context.Context, d civil.Date, list []candidate) (found findings, err error) {
	defer func() { // a mistake that one admission's rows lay bare is not the end of the run
		if value := recover(); value != nil {
			err = fmt.Errorf("%w: %T at %s", errPanicked, value, debug.Stack())
		}
	}()
	if err := ctx.Err(); err != nil {
		return found, err
	}
	if c.IsDry || c.isAgain {
		found, err = c.look(ctx, d, list)
		if err != nil || c.IsDry || len(found.entries) == 0 && !c.hasOpen {
			return found, err
		}
	}
	err = c.DB.WithTx(ctx, func(ctx context.Context) error {
		patients := make([]uuid.UUID, len(list))
		for i, one := range list {
			patients[i] = one.patient
		}
		if err := c.Wallets.Lock(ctx, patients...); err != nil {
			return err
		}
		if found, err = c.look(ctx, d, list); err != nil {
			return err
		}
		if err := c.post(ctx, found); err != nil {
			return err
		}
		return c.resolve(ctx, d, list)
	})
	c.isAgain = len(found.entries) == 0
	return found, err
}

// post writes the entries into the ledger.
func (c *charging) post(ctx context.Context, found findings) (err error) {
	postings := make([]wallet.Posting, len(found.entries))
	for i, e := range found.entries {
		if c.spoil != nil {
			if err := c.spoil(e); err != nil {
				return err
			}
		}
		due := Due{Date: e.ChargeDate, WardID: e.WardID, Amount: e.Amount}
		if postings[i], err = c.posting(e.AdmissionID, e.PatientID, due, found.sequences[i]); err != nil {
			return err
		}
	}
	_, err = c.Wallets.Post(ctx, postings)
	return err
}

func (s *Service) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: s.Currency}
}
