package booking

import (
	"archive/zip"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/civil"
)

// embeddedZones reads the database that is embedded in programs from where Go keeps its source. Names of one content are taken once.
func embeddedZones(t *testing.T) map[string]*time.Location {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")) //nolint:staticcheck // tests run where they were built
	require.NoError(t, err)
	defer func() { require.NoError(t, archive.Close()) }()
	zones, seen, names := map[string]*time.Location{}, map[string]bool{}, 0
	for _, file := range archive.File {
		if strings.HasSuffix(file.Name, "/") || file.Name == "Factory" {
			continue
		}
		opened, err := file.Open()
		require.NoError(t, err)
		data, err := io.ReadAll(opened)
		require.NoError(t, err)
		require.NoError(t, opened.Close())
		_, err = civil.LoadZone(file.Name)
		require.NoError(t, err, file.Name)
		if names++; seen[string(data)] {
			continue
		}
		seen[string(data)] = true
		zones[file.Name], err = time.LoadLocationFromTZData(file.Name, data)
		require.NoError(t, err)
	}
	require.Greater(t, names, 550, "all of the database")
	t.Logf("%d names, %d different zones", names, len(zones))
	return zones
}

// minuteShown counts the minutes that a clock in the zone shows at an instant.
func minuteShown(at time.Time, loc *time.Location) int64 {
	_, offset := at.In(loc).Zone()
	return (at.Unix() + int64(offset)) / 60
}

// changesOf returns the dates from 2025 to 2035 by which a zone's offset has changed within a day. No zone changes it twice within four days.
func changesOf(loc *time.Location) (days []civil.Date) {
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	_, was := at.In(loc).Zone()
	for ; at.Year() < 2036; at = at.AddDate(0, 0, 1) {
		_, offset := at.In(loc).Zone()
		if offset != was {
			days = append(days, civil.DateOf(at, loc))
		}
		was = offset
	}
	return days
}

// For every zone there is and every change of its clocks within ten years: a slot's local time is the rule's, a local time that is not shown is skipped
// with its reason, and one that is shown twice is taken once, the earlier instant.
func TestExpand_EveryZoneAndTransitionOfTenYears(t *testing.T) {
	t.Parallel()
	changes := 0
	for name, loc := range embeddedZones(t) {
		for _, day := range changesOf(loc) {
			changes++
			at := time.Date(day.Year, day.Month, day.Day-2, 0, 0, 0, 0, time.UTC)
			from := at.Unix()/60 - 24*60
			first := make([]time.Time, 7*24*60) // by the minute shown, from there
			for range 5 * 24 * 12 {
				if shown := &first[minuteShown(at, loc)-from]; shown.IsZero() {
					*shown = at
				}
				at = at.Add(5 * time.Minute) // every zone's offset is a multiple of 5 minutes: a start that it is not would be missed, and seen
			}
			r := BulkRule{From: day.AddDays(-1), To: day.AddDays(1), Zone: loc, Start: civil.LocalTimeAt(0), End: civil.LocalTimeAt(1439), Length: 15 * time.Minute}
			list, err := Expand(r, longAgo, 2000)
			require.NoError(t, err)
			if len(list) != 3*95 {
				t.Fatalf("%s %s: %d candidates", name, day, len(list))
			}
			for _, c := range list {
				midnight := time.Date(c.LocalDate.Year, c.LocalDate.Month, c.LocalDate.Day, 0, 0, 0, 0, time.UTC)
				wanted := first[midnight.Unix()/60+int64(c.LocalStart.Minutes())-from]
				isShown := !wanted.IsZero()
				isFine := isShown && c.Skip == "" && c.StartsAt.Equal(wanted) && minuteShown(c.StartsAt, loc)%1440 == int64(c.LocalStart.Minutes())
				isFine = isFine || !isShown && c.Skip == SkipNonexistentLocalTime && c.StartsAt.IsZero()
				isFine = isFine || isShown && c.Skip == SkipSlotOverlap && c.StartsAt.Equal(wanted)
				if !isFine {
					t.Fatalf("%s: %+v, first shown %v at %s", name, c, isShown, wanted)
				}
			}
		}
	}
	t.Logf("%d changes", changes)
	require.Greater(t, changes, 2000)
}
