package hospital

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/civil"
)

// Settle is settle.
func (s *Service) Settle(ctx context.Context, ids ...uuid.UUID) (posted, reversed []*ent.WalletTransaction, err error) {
	done, err := s.settle(ctx, ids...)
	return done.posted, done.reversed, err
}

// Spoil makes charges fail with what spoil returns.
func (s *Service) Spoil(spoil func(ChargeEntry) error) { s.spoil = spoil }

// Unsettled names the dates at which what stands is not what is owed.
func (s *Service) Unsettled(ctx context.Context, ids ...uuid.UUID) ([]string, error) {
	c, err := s.compare(ctx, ids)
	wrong := []string{}
	for _, m := range c.missing {
		wrong = append(wrong, m.admission.String()+" "+m.due.Date.String())
	}
	for reason, rows := range c.undo {
		for _, id := range rows {
			wrong = append(wrong, reason+" "+id.String())
		}
	}
	return wrong, err
}

// DryTime sets how long a dry run of all admissions looks.
func (s *Service) DryTime(d time.Duration) { s.dryTime = d }

// PerBatch sets how many admissions are charged in one transaction.
func (s *Service) PerBatch(n int) { s.perBatch = n }

// Tally adds parts up as they come in the order, and returns the sum and how many were processed whenever progress was told.
func Tally(tb testing.TB, parts []ChargeResult, order []int) (total *ChargeResult, told []int) {
	tb.Helper()
	s := &Service{Config: Config{Currency: "AUD"}}
	total = s.newResult(civil.Date{})
	t := &tally{total: total, early: map[int]*ChargeResult{}, progress: func(sum ChargeTotals) { told = append(told, sum.Processed) }}
	for _, n := range order {
		if err := t.add(n, &parts[n]); err != nil {
			tb.Fatal(err)
		}
	}
	return total, told
}
