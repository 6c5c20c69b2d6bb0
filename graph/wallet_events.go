package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/wallet"
)

// walletEvent shows an event of a wallet.
func walletEvent(_ context.Context, e *stream.Event) (model.WalletEvent, error) {
	cursor, previous := cursorsOf(e)
	if e.Kind == stream.Opened {
		return &model.StreamOpened{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt}, nil
	}
	t, err := wallet.Told(e)
	if err != nil {
		return nil, err
	}
	return &model.WalletTransactionPosted{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, Transaction: t}, nil
}
