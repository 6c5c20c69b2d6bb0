package hospital

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
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

// PerBatch sets how many admissions are charged in one transaction.
func (s *Service) PerBatch(n int) { s.perBatch = n }
