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
