//go:build !race

package precheck

import "time"

// bound is what a hostile document may take.
const bound = 50 * time.Millisecond
