package civil

import (
	"regexp"
	"sync"
	"time"
	_ "time/tzdata" // the zone database, for machines and containers that have none

	"github.com/caregraph/caregraph/internal/fault"
)

// ErrUnknownTimeZone is the outcome for a name that is not in the IANA time zone database.
var ErrUnknownTimeZone = fault.New(fault.Invalid, "UNKNOWN_TIME_ZONE",
	"This time zone is not known. Give an IANA name, such as Australia/Sydney.")

var (
	// zoneName admits the form of IANA names only: no empty part, no dot, and so no path out of the database.
	zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)

	// zones keeps what was loaded. Only names of the database get in, so it cannot grow beyond it.
	zones sync.Map // string -> *time.Location
)

const longestZoneName = 64

// LoadZone returns the time zone with this IANA name, or ErrUnknownTimeZone; "" and "Local", which package time would
// take as UTC and the machine's zone, are unknown. Package time reads the machine's database where there is one, so
// that changed rules need no new build, and else the one embedded in the program.
func LoadZone(name string) (*time.Location, error) {
	if cached, ok := zones.Load(name); ok {
		return cached.(*time.Location), nil
	}
	// Factory is the database's mark for a machine whose zone was never set.
	if len(name) > longestZoneName || !zoneName.MatchString(name) || name == "Local" || name == "Factory" {
		return nil, ErrUnknownTimeZone
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, ErrUnknownTimeZone
	}
	cached, _ := zones.LoadOrStore(name, loc)
	return cached.(*time.Location), nil
}
