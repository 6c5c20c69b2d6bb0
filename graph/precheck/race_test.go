//go:build race

package precheck

import "time"

// bound is what a hostile document may take; the race detector makes code several times slower.
const bound = 500 * time.Millisecond
