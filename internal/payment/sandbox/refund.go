package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/idempotencykey"
	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	refundScope = "sandbox provider refund"
	refundYears = 10 // a key is kept longer than any order
)

// refundClaim decides which of two calls with the same RefundID pays.
var refundClaim = store.Constraint{
	Postgres: "idempotencykey_scope_key", SQLite: "idempotency_keys.scope, idempotency_keys.key",
}

// Refund implements payment.Provider. It refuses a payment that is not the order's, more than was paid and not yet paid back, and a
// RefundID that was used for another refund. charge.refunded is delivered before it returns; a repeated call delivers it again if it was not accepted.
func (p *Provider) Refund(ctx context.Context, r payment.RefundRequest) (string, error) {
	if store.InTx(ctx) {
		return "", errInTransaction
	}
	ctx = asProvider(ctx)
	row, err := p.find(ctx, sandboxcheckout.OrderID(r.OrderID))
	switch {
	case err != nil:
		return "", err
	case row.Status != sandboxcheckout.StatusPAID:
		return "", errNotPaid
	case r.PaymentRef != paymentRef(row.Ref):
		return "", errOtherPayment
	case r.Amount.Minor <= 0, r.Amount.Currency != row.Currency:
		return "", fmt.Errorf("%w: amount", errInvalid)
	}
	if err := p.payBack(ctx, row, r); err != nil {
		return "", err
	}
	if row, err = p.find(ctx, sandboxcheckout.ID(row.ID)); err != nil {
		return "", err
	}
	p.announce(ctx, refundedEvent(row))
	return "re_" + r.RefundID.String(), nil
}

// payBack claims the RefundID and raises the sum, or finds that this was done before.
func (p *Provider) payBack(ctx context.Context, row *ent.SandboxCheckout, r payment.RefundRequest) error {
	sum := sha256.Sum256([]byte(r.OrderID.String() + " " + r.Amount.String()))
	hash := hex.EncodeToString(sum[:])
	err := p.db.WithTx(ctx, func(ctx context.Context) error {
		err := p.db.Client.IdempotencyKey.Create().SetScope(refundScope).SetKey(r.RefundID.String()).SetInputHash(hash).
			SetExpiresAt(p.db.Now().AddDate(refundYears, 0, 0)).Exec(ctx)
		if err != nil {
			return err
		}
		raised, err := p.db.Client.SandboxCheckout.Update().
			Where(sandboxcheckout.ID(row.ID), sandboxcheckout.RefundedMinorLTE(row.AmountMinor-r.Amount.Minor)).
			AddRefundedMinor(r.Amount.Minor).Save(ctx)
		if err == nil && raised == 0 {
			err = errRefundTooLarge
		}
		return err
	})
	if !store.Violates(err, refundClaim) {
		return err
	}
	first, err := p.db.Client.IdempotencyKey.Query().
		Where(idempotencykey.Scope(refundScope), idempotencykey.Key(r.RefundID.String())).Only(ctx)
	if err == nil && first.InputHash != hash {
		err = errRefundReused
	}
	return err
}
