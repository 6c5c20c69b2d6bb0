package sandbox

import "errors"

// Refusals of the provider. They are for the log of the caller, who knows what to tell the patient.
var (
	errInTransaction  = errors.New("sandbox: a provider is not called inside a transaction")
	errInvalid        = errors.New("sandbox: the request is not valid")
	errUnknown        = errors.New("sandbox: there is no such checkout")
	errOtherAmount    = errors.New("sandbox: the order has a checkout with another amount")
	errOtherPayment   = errors.New("sandbox: the payment is not that of the order")
	errNotPaid        = errors.New("sandbox: the checkout is not paid")
	errRefundTooLarge = errors.New("sandbox: more would be paid back than was paid")
	errRefundReused   = errors.New("sandbox: the refund's id was used for another refund")
	errNotConnected   = errors.New("sandbox: nobody to deliver events to")
)
