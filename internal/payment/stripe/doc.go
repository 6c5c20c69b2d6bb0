// Package stripe takes payments by Stripe: Checkout Sessions, refunds and signed webhook events, through stripe-go.
//
// Model: one Checkout Session per order. Order and appointment are in the metadata of the session and of its payment, so that every event tells which
// order it is about; charges inherit the payment's metadata.
//
// Invariants:
//   - The order's id is the idempotency key of its session, the refund's id that of the refund: asking again makes no second one. All parameters of a
//     session follow from the order, because Stripe refuses a key that comes with others.
//   - A session ends at our deadline because booking expires it (ExpireCheckout), or reconciles what was paid later; Stripe's own expiry, which is at least
//     30 minutes away, is left at its default of 24 hours.
//   - The signature of a webhook is checked over the raw body, and its age with the injected clock; 5 minutes are tolerated either way.
//   - Events of any API version are taken: only fields that have been the same for years are read, and a mismatch must not lose a payment. Requests are
//     made in the library's own version.
//   - Neither keys nor anything of the payer is in errors or logs: of Stripe's errors only type, code, status and request id are passed on.
//
// The fee comes from the balance transaction. When Stripe has not made it yet, or the account settles in another currency, it is zero, and
// booking asks again (Lookup). A refund that Stripe accepts counts as made.
package stripe
