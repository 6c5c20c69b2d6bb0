// Package sandbox is the payment provider that comes with Caregraph, for use without an account at a real one. It behaves as a real one
// would: it keeps a record of its own, serves the page on which a checkout is paid, and tells of what happened by signed webhook events alone.
// No real money moves.
//
// Model: one SandboxCheckout row per order.
//
//	OPEN -> PAID (the payer) | CANCELLED (the payer) | EXPIRED (ExpireCheckout)
//
// A decline leaves the checkout open: it can still be paid. A refund leaves it PAID and raises what was paid back.
//
// Invariants:
//   - A checkout leaves OPEN once, by one conditional update; of any number of clicks one counts.
//   - An open checkout can be paid, declined and cancelled while now < expires_at. Nothing has to run for it to expire.
//   - The id of an event is made from its effect (a paid checkout, a sum refunded so far), so an event that is delivered again, by any
//     instance, is recognised. Declines alone have ids of chance: each of them is an effect.
//   - Never more is paid back than was paid, and once per RefundID: an idempotency key of the provider's own, which outlives the order.
//   - An event is delivered after the commit of what it tells, once at once. What was not accepted is delivered again whenever the page is
//     shown; an order whose page nobody opens again is found by Lookup.
//   - An event arrives while the call or click that caused it is still being answered, so it may be handled before the caller knows.
//
// Time: the store's clock decides expiry and the age of events; a webhook may be 5 minutes old or early.
package sandbox
