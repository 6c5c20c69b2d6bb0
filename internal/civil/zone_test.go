package civil_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/civil"
)

func zone(t require.TestingT, name string) *time.Location {
	loc, err := civil.LoadZone(name)
	require.NoError(t, err)
	return loc
}

func TestLoadZone_GivesTheSameZoneEachTime(t *testing.T) {
	t.Parallel()
	require.Same(t, zone(t, "Australia/Sydney"), zone(t, "Australia/Sydney"))
	require.Equal(t, "America/Argentina/Buenos_Aires", zone(t, "America/Argentina/Buenos_Aires").String())
	require.Equal(t, "Etc/GMT+10", zone(t, "Etc/GMT+10").String())
	require.Equal(t, "UTC", zone(t, "UTC").String())
}

func TestLoadZone_Refuses(t *testing.T) {
	t.Parallel()
	for name, zoneName := range map[string]string{
		"no name":                   "",
		"the machine's zone":        "Local",
		"the mark of an unset zone": "Factory",
		"a zone that is not there":  "Australia/Atlantis",
		"a region":                  "Australia",
		"an abbreviation":           "AEST",
		"an offset":                 "+10:00",
		"a path out":                "Australia/../Australia/Sydney",
		"a path from the root":      "/etc/passwd",
		"a path from here":          "./Australia/Sydney",
		"a trailing slash":          "Australia/Sydney/",
		"an empty part":             "Australia//Sydney",
		"a backslash":               `Australia\Sydney`,
		"leap second zones":         "right/Australia/Sydney",
		"a file that is no zone":    "zone.tab",
		"lower case":                "australia/sydney",
		"a blank":                   "Australia/Sydney ",
		"a line break":              "Australia/Sydney\n",
		"a null byte":               "Australia/Sydney\x00",
		"a name without end":        strings.Repeat("A/", 1<<16) + "A",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := civil.LoadZone(zoneName)
			require.ErrorIs(t, err, civil.ErrUnknownTimeZone)
		})
	}
}

// zonesAlways are zones with every kind of rule, present in every database: half hours, changes at midnight, winter
// time as the exception, Ramadan, rules that changed or ended within the years tested.
var zonesAlways = []string{
	"Africa/Abidjan", "Africa/Cairo", "Africa/Casablanca", "Africa/Ceuta", "Africa/El_Aaiun", "Africa/Johannesburg",
	"Africa/Juba", "Africa/Lagos", "Africa/Nairobi", "America/Adak", "America/Anchorage", "America/Asuncion",
	"America/Bogota", "America/Caracas", "America/Chihuahua", "America/Chicago", "America/Ciudad_Juarez",
	"America/Denver", "America/Halifax", "America/Havana", "America/Los_Angeles", "America/Mexico_City",
	"America/Miquelon", "America/Montevideo", "America/New_York", "America/Nuuk", "America/Phoenix",
	"America/Port-au-Prince", "America/Punta_Arenas", "America/Santiago", "America/Sao_Paulo",
	"America/Scoresbysund", "America/St_Johns", "America/Tijuana", "America/Whitehorse", "Antarctica/Casey",
	"Antarctica/Macquarie", "Antarctica/Troll", "Antarctica/Vostok", "Asia/Almaty", "Asia/Amman", "Asia/Beirut",
	"Asia/Damascus", "Asia/Gaza", "Asia/Hebron", "Asia/Jerusalem", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Shanghai",
	"Asia/Tehran", "Asia/Tokyo", "Atlantic/Azores", "Atlantic/Reykjavik", "Australia/Adelaide", "Australia/Brisbane",
	"Australia/Broken_Hill", "Australia/Darwin", "Australia/Eucla", "Australia/Hobart", "Australia/Lord_Howe",
	"Australia/Melbourne", "Australia/Perth", "Australia/Sydney", "Europe/Chisinau", "Europe/Dublin",
	"Europe/Lisbon", "Europe/London", "Europe/Moscow", "Europe/Paris", "Europe/Volgograd", "Indian/Cocos",
	"Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Easter", "Pacific/Fiji", "Pacific/Kiritimati",
	"Pacific/Marquesas", "Pacific/Norfolk", "Pacific/Pago_Pago", "Pacific/Tongatapu", "UTC",
}

// allZones returns zonesAlways and what else the machine's database has.
func allZones(t testing.TB) []string {
	const root = "/usr/share/zoneinfo"
	names := slices.Clone(zonesAlways)
	_ = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		name := strings.TrimPrefix(path, root+"/")
		if err != nil || entry.IsDir() || strings.HasPrefix(name, "posix/") {
			return nil
		}
		if _, err := civil.LoadZone(name); err == nil {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	names = slices.Compact(names)
	t.Logf("%d zones", len(names))
	return names
}

func TestLoadZone_KnowsEveryKindOfZone(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(zonesAlways), 60)
	for _, name := range zonesAlways {
		require.Equal(t, name, zone(t, name).String())
	}
}
