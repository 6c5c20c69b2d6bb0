// Package sms sends text messages over HTTP, in the manner of Twilio: one POST of a form with To, From and Body to an address that holds the account.
//
// Neither texts nor whole numbers show in logs or errors, and no credentials. An answer of 4xx is final, except for 408 and 429; everything else may
// be tried again. Twilio knows no idempotency key: a try that got no answer may have been sent, so a message may come twice, but never not at all.
package sms
