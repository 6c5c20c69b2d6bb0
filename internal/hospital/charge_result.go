package hospital

import (
	"sync"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
)

// ChargeResult is what a run of daily charges came to. The lists hold the first 1,000 each.
type ChargeResult struct {
	Date    civil.Date
	Entries []ChargeEntry
	Skipped []ChargeSkip
	Failed  []ChargeFailed
	Totals  ChargeTotals
	Reasons map[SkipReason]int // how many were left out for each
	Stands  Standing
}

// Standing are the charges of the date that stand after a run, whichever run has posted them.
type Standing struct {
	Charges int
	Amount  money.Amount
}

// add counts charges.
func (s *Standing) add(charges int, amount money.Amount) (err error) {
	s.Charges += charges
	s.Amount, err = s.Amount.Add(amount)
	return err
}

func (s *Service) newResult(d civil.Date) *ChargeResult {
	return &ChargeResult{Date: d, Totals: ChargeTotals{Amount: s.amount(0)}, Reasons: map[SkipReason]int{}, Stands: Standing{Amount: s.amount(0)}}
}

func (s *Service) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: s.Currency}
}

// add counts what was found, and keeps as much of it as a result holds.
func (r *ChargeResult) add(f findings) (err error) {
	t := &r.Totals
	t.Processed += len(f.entries) + len(f.skips)
	t.Charged += len(f.entries)
	t.Skipped += len(f.skips)
	for _, skip := range f.skips {
		r.Reasons[skip.Reason]++
	}
	t.Exempt = r.Reasons[NHIAExempt]
	for _, e := range f.entries {
		if t.Amount, err = t.Amount.Add(e.Amount); err != nil {
			return err
		}
		if e.ChargeDate == r.Date {
			if err := r.Stands.add(1, e.Amount); err != nil {
				return err
			}
		}
	}
	for _, amount := range f.stood {
		if err := r.Stands.add(1, amount); err != nil {
			return err
		}
	}
	r.Entries = capped(r.Entries, f.entries)
	r.Skipped = capped(r.Skipped, f.skips)
	return nil
}

// addFailed counts a charge that could not be posted.
func (r *ChargeResult) addFailed(f ChargeFailed) {
	r.Totals.Processed++
	r.Totals.Failed++
	r.Failed = capped(r.Failed, []ChargeFailed{f})
}

// merge adds what another part of the run came to.
func (r *ChargeResult) merge(part *ChargeResult) (err error) {
	t, more := &r.Totals, part.Totals
	t.Processed += more.Processed
	t.Charged += more.Charged
	t.Exempt += more.Exempt
	t.Skipped += more.Skipped
	t.Failed += more.Failed
	for reason, n := range part.Reasons {
		r.Reasons[reason] += n
	}
	r.Entries = capped(r.Entries, part.Entries)
	r.Skipped = capped(r.Skipped, part.Skipped)
	r.Failed = capped(r.Failed, part.Failed)
	if t.Amount, err = t.Amount.Add(more.Amount); err != nil {
		return err
	}
	return r.Stands.add(part.Stands.Charges, part.Stands.Amount)
}

// capped appends as much as a result holds.
func capped[T any](list, more []T) []T {
	return append(list, more[:min(len(more), chargeLists-len(list))]...)
}

// tally adds the parts of a run up in their order, whichever is done first.
type tally struct {
	mu       sync.Mutex
	total    *ChargeResult
	next     int                   // the part to add next
	early    map[int]*ChargeResult // those that wait for it
	progress func(ChargeTotals)
}

// add takes the n-th part.
func (t *tally) add(n int, part *ChargeResult) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.early[n] = part
	for ; t.early[t.next] != nil; t.next++ {
		if err := t.total.merge(t.early[t.next]); err != nil {
			return err
		}
		delete(t.early, t.next)
		if t.progress != nil {
			t.progress(t.total.Totals)
		}
	}
	return nil
}
