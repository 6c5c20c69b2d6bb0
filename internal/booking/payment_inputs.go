package booking

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

const (
	maxReference = 60
	maxReason    = 200
)

// RecordPaymentInput is the input of recordPayment.
type RecordPaymentInput struct {
	// The order, which is paid in full.
	OrderID uuid.UUID
	// How it was paid: CASH or TERMINAL.
	Method order.Method
	// Reference of the receipt.
	Reference *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// Validate reports all errors of the input's fields.
func (in RecordPaymentInput) Validate() error {
	errs := []error{needsKey(in.IdempotencyKey)}
	if in.Method != order.MethodCASH && in.Method != order.MethodTERMINAL {
		errs = append(errs, fault.InvalidAt("At the desk one pays by CASH or TERMINAL.", "method"))
	}
	if in.Reference != nil && !fitsIn(*in.Reference, 0, maxReference) {
		errs = append(errs, fault.InvalidAt("A reference has at most 60 characters.", "reference"))
	}
	return errors.Join(errs...)
}

// RefundOrderInput is the input of refundOrder.
type RefundOrderInput struct {
	// The order.
	OrderID uuid.UUID
	// How much, in the order's currency; all that is left when it is left out.
	Amount *string
	// Why.
	Reason string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// Validate reports all errors of the input's fields.
func (in RefundOrderInput) Validate() error {
	errs := []error{needsKey(in.IdempotencyKey)}
	if !fitsIn(in.Reason, 1, maxReason) {
		errs = append(errs, fault.InvalidAt("A reason has 1 to 200 characters.", "reason"))
	}
	return errors.Join(errs...)
}

// SettleRefundInput is the input of settleRefund.
type SettleRefundInput struct {
	// The refund.
	RefundID uuid.UUID
	// Reference of the receipt or the transfer.
	Reference string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// Validate reports all errors of the input's fields.
func (in SettleRefundInput) Validate() error {
	errs := []error{needsKey(in.IdempotencyKey)}
	if !fitsIn(in.Reference, 1, maxReference) {
		errs = append(errs, fault.InvalidAt("A reference has 1 to 60 characters.", "reference"))
	}
	return errors.Join(errs...)
}

func needsKey(key *string) error {
	if key == nil {
		return idem.ErrRequired
	}
	return nil
}

// fitsIn tells whether a text has so many characters, white space around it aside.
func fitsIn(text string, least, most int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0) && n >= least && n <= most
}
