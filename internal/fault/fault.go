// Package fault is the error taxonomy of Caregraph: a few kinds, and stable codes that clients act on.
//
// A domain declares its errors once, in its errors.go, and returns them with the details of the case. Whatever is
// not an *Error is unknown: the API logs it with its cause and answers a fixed text (see package graph).
package fault

import (
	"errors"
	"time"
)

// Kind tells what sort of answer an error is, whatever its code.
type Kind uint8

// The kinds. Fault kinds (Unauthenticated, Unavailable, Internal, Timeout, TooLarge) are answered as top-level GraphQL errors, all
// others as user errors of a mutation's payload.
const (
	Internal Kind = iota
	Invalid
	Unauthenticated
	Forbidden
	NotFound
	Conflict
	Precondition
	Limit
	Unavailable
	Timeout
	TooLarge
)

// Code is a member of the API's closed ErrorCode enum.
type Code string

// The general codes. Domains declare theirs.
const (
	CodeUnauthenticated Code = "UNAUTHENTICATED"
	CodeForbidden       Code = "FORBIDDEN"
	CodeNotFound        Code = "NOT_FOUND"
	CodeInvalidInput    Code = "INVALID_INPUT"
	CodeConflict        Code = "CONFLICT"
	CodeThrottled       Code = "THROTTLED"
	CodePayloadTooLarge Code = "PAYLOAD_TOO_LARGE"
	CodeTooComplex      Code = "QUERY_TOO_COMPLEX"
	CodeTimeout         Code = "TIMEOUT"
	CodeUnavailable     Code = "UNAVAILABLE"
	CodeInternal        Code = "INTERNAL"
	CodeLimit           Code = "LIMIT"
	CodeResumeExpired   Code = "RESUME_EXPIRED"
	CodeSlowConsumer    Code = "SLOW_CONSUMER"
)

// Error is an outcome that a client is told of. Message and Field are shown to clients: no SQL, path, driver's
// text, secret or medical content, and nothing that tells whether a hidden record exists.
type Error struct {
	Kind       Kind
	Code       Code
	Message    string
	Field      []string      // path of the input field at fault, from below input; nil when no single field is
	RetryAfter time.Duration // for Limit and Unavailable: when another try makes sense; 0 = not known
	Detail     any           // typed data a client can act on (alternatives to a taken slot); nil when none
	cause      error
}

// New declares an error of a domain.
func New(kind Kind, code Code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Error returns the message for people.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap returns the cause, which is for the log alone.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is(err, booking.ErrSlotTaken) match by code, whatever the details.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// At returns a copy that names the input field at fault.
func (e *Error) At(field ...string) *Error {
	c := *e
	c.Field = field
	return &c
}

// Says returns a copy with another message.
func (e *Error) Says(message string) *Error {
	c := *e
	c.Message = message
	return &c
}

// With returns a copy that carries typed data for clients.
func (e *Error) With(detail any) *Error {
	c := *e
	c.Detail = detail
	return &c
}

// After returns a copy that tells when another try makes sense.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Because returns a copy with a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// The errors that every domain shares.
var (
	ErrUnauthenticated = New(Unauthenticated, CodeUnauthenticated, "Sign in first.")
	ErrForbidden       = New(Forbidden, CodeForbidden, "You may not do this.")
	ErrNotFound        = New(NotFound, CodeNotFound, "There is no such record.")
	ErrInvalid         = New(Invalid, CodeInvalidInput, "The input is not valid.")
	ErrConflict        = New(Conflict, CodeConflict, "The record was changed by someone else meanwhile.")
	ErrThrottled       = New(Limit, CodeThrottled, "Too many requests. Try again later.")
	ErrUnavailable     = New(Unavailable, CodeUnavailable, "The service is not available at the moment. Try again later.")
	ErrTimeout         = New(Timeout, CodeTimeout, "The operation took too long.")
	ErrTooLarge        = New(TooLarge, CodePayloadTooLarge, "The request is too large.")
	ErrTooComplex      = New(Invalid, CodeTooComplex, "The query is too complex.")
	ErrTooManyOpen     = New(Limit, CodeLimit, "Too many subscriptions are open on this socket.")
	ErrResumeExpired   = New(Precondition, CodeResumeExpired, "The log does not hold what follows the cursor. Read the present state and subscribe without after.")
	ErrSlowConsumer    = New(Limit, CodeSlowConsumer, "The events were read too slowly. Subscribe again after the last cursor.")
	ErrInternal        = New(Internal, CodeInternal, "Something went wrong on our side.")
)

// InvalidAt is the error of one input field.
func InvalidAt(message string, field ...string) *Error { return ErrInvalid.Says(message).At(field...) }

// All returns the outcomes inside err, joined ones one by one, in order; ok is false when err holds something
// that is not an *Error, which is then to be treated as unknown.
func All(err error) (list []*Error, ok bool) {
	if err == nil {
		return nil, true
	}
	if e, is := err.(*Error); is { //nolint:errorlint // the exact value, not one it wraps: joined errors are taken apart below
		return []*Error{e}, true
	}
	if joined, is := err.(interface{ Unwrap() []error }); is {
		for _, one := range joined.Unwrap() {
			inner, innerOK := All(one)
			if !innerOK {
				return nil, false
			}
			list = append(list, inner...)
		}
		return list, len(list) > 0
	}
	var e *Error
	if errors.As(err, &e) {
		return []*Error{e}, true
	}
	return nil, false
}
