package hospital

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/civil"
)

// findings are what some admissions owe for a date.
type findings struct {
	entries   []ChargeEntry
	sequences []int // of the entries
	skips     []ChargeSkip
}

// look finds what the candidates owe for the date and was not posted: what a dry run shows is what is posted.
func (s *Service) look(ctx context.Context, d civil.Date, list []candidate) (found findings, err error) {
	ids := make([]uuid.UUID, len(list))
	for i, one := range list {
		ids[i] = one.id
	}
	states, err := s.charges(ctx, ids, &d)
	if err != nil {
		return found, err
	}
	facts, err := s.facts(ctx, ids, d, d)
	if err != nil {
		return found, err
	}
	for _, a := range facts {
		due, state := Owed(s.Zone, a.Inpatient, d, d)[0], states[ofDate{a.id, d}]
		if due.Skip == "" && state.stands != nil {
			due.Skip = AlreadyCharged
		}
		if due.Skip != "" {
			found.skips = append(found.skips, ChargeSkip{AdmissionID: a.id, PatientID: a.patient, ChargeDate: d, Reason: due.Skip})
			continue
		}
		if due.Amount.Currency != s.Currency {
			return findings{}, errCurrency
		}
		found.entries = append(found.entries, ChargeEntry{
			AdmissionID: a.id, PatientID: a.patient, ChargeDate: d, Amount: due.Amount, WardID: due.WardID, Reference: chargeReference(a.id, d, state.next),
		})
		found.sequences = append(found.sequences, state.next)
	}
	return found, nil
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
	}
	r.Entries = append(r.Entries, f.entries[:min(len(f.entries), chargeLists-len(r.Entries))]...)
	r.Skipped = append(r.Skipped, f.skips[:min(len(f.skips), chargeLists-len(r.Skipped))]...)
	return nil
}

// addFailed counts a charge that could not be posted.
func (r *ChargeResult) addFailed(f ChargeFailed) {
	r.Totals.Processed++
	r.Totals.Failed++
	if len(r.Failed) < chargeLists {
		r.Failed = append(r.Failed, f)
	}
}
