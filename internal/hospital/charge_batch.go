package hospital

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/wallet"
)

// batch charges the candidates in one transaction. When it fails, by one of them or more, it is split until those are alone.
func (c *charging) batch(ctx context.Context, into *ChargeResult, d civil.Date, list []candidate) error {
	found, err := c.try(ctx, d, list)
	switch {
	case err == nil:
		return into.add(found)
	case len(list) > 1 && ctx.Err() == nil && errors.Is(err, fault.ErrTimeout): // fewer at once may be quick enough
	case c.isOfAll(ctx, err):
		return err
	case len(list) == 1:
		return c.alone(ctx, into, d, list[0], err)
	}
	half := len(list) / 2
	if err := c.batch(ctx, into, d, list[:half]); err != nil {
		return err
	}
	return c.batch(ctx, into, d, list[half:])
}

// alone tries one candidate that has failed once again, and writes down when that is of no use.
func (c *charging) alone(ctx context.Context, into *ChargeResult, d civil.Date, one candidate, err error) error {
	for range chargeTries - 1 {
		var found findings
		if found, err = c.try(ctx, d, []candidate{one}); err == nil {
			return into.add(found)
		}
		if c.isOfAll(ctx, err) {
			return err
		}
	}
	if errors.Is(err, fault.ErrTimeout) {
		c.slow.Add(1)
	}
	c.Log.ErrorContext(ctx, "an admission could not be charged", slog.String("admission", one.id.String()), slog.String("date", d.String()), slog.Any("error", err))
	return c.fail(ctx, into, d, one, err)
}

// isOfAll tells whether an error is not one admission's: the database is away, or too slow for one after the other, or the run is to stop. A wallet that somebody
// holds locked makes its own admission fail.
func (c *charging) isOfAll(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fault.ErrTimeout) && c.slow.Load() >= slowInARow
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
	if c.IsDry || c.isAgain.Load() {
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
	if c.isAgain.Store(len(found.entries) == 0); err == nil {
		c.slow.Store(0)
	}
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
