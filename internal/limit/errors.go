package limit

import (
	"errors"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

// Exceeded is the detail of THROTTLED: which limit it was.
type Exceeded struct{ Limit string }

// refusal is the answer to a use for which the window opens after the time given.
func refusal(name string, opensIn time.Duration) *fault.Error {
	return fault.ErrThrottled.After(opensIn).With(Exceeded{Limit: name})
}

var errReservedInTx = errors.New("limit: a reservation must outlive the caller's rollback: make it outside the transaction")
