package hospital

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
)

// findings are what some admissions owe for a date.
type findings struct {
	entries   []ChargeEntry
	sequences []int // of the entries
	skips     []ChargeSkip
	stood     []money.Amount // what was charged for the run's date before
}

// look finds what the candidates owe for the date and was not posted: what a dry run shows is what is posted. Both are in the order of the candidates.
func (c *charging) look(ctx context.Context, d civil.Date, list []candidate) (found findings, err error) {
	ids := make([]uuid.UUID, len(list))
	for i, one := range list {
		ids[i] = one.id
	}
	states, err := c.charges(ctx, ids, &d)
	if err != nil {
		return found, err
	}
	open := slices.DeleteFunc(ids, func(id uuid.UUID) bool { return states[ofDate{id, d}].stands != nil })
	facts, err := c.facts(ctx, open, d, d)
	if err != nil {
		return found, err
	}
	dues := make(map[uuid.UUID]Due, len(facts))
	for _, a := range facts {
		dues[a.id] = Owed(c.Zone, a.Inpatient, d, d)[0]
	}
	for _, one := range list {
		due, state := dues[one.id], states[ofDate{one.id, d}]
		switch {
		case state.stands != nil:
			due.Skip = AlreadyCharged
			if d == c.Date {
				found.stood = append(found.stood, c.amount(-state.stands.AmountMinor))
			}
		case due.Skip == "" && due.Amount.Currency != c.Currency:
			return findings{}, errCurrency
		}
		found.note(one, d, due, state.next)
	}
	return found, nil
}

// note adds what is owed, or why nothing is.
func (f *findings) note(one candidate, d civil.Date, due Due, sequence int) {
	if due.Skip != "" {
		f.skips = append(f.skips, ChargeSkip{AdmissionID: one.id, PatientID: one.patient, ChargeDate: d, Reason: due.Skip})
		return
	}
	f.entries = append(f.entries, ChargeEntry{
		AdmissionID: one.id, PatientID: one.patient, ChargeDate: d, Amount: due.Amount, WardID: due.WardID, Reference: chargeReference(one.id, d, sequence),
	})
	f.sequences = append(f.sequences, sequence)
}
