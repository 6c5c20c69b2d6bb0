// Package stripefake stands in for Stripe in tests: it keeps sessions, payments and refunds, answers the calls that Caregraph makes, and sends signed webhooks,
// as often and in whatever order a test wants.
package stripefake
