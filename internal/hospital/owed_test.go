package hospital_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/money"
)

var general, intensive = uuid.MustParse("00000000-0000-7000-8000-0000000000a1"), uuid.MustParse("00000000-0000-7000-8000-0000000000a2")

func day(tb testing.TB, s string) civil.Date {
	tb.Helper()
	d, err := civil.ParseDate(s)
	require.NoError(tb, err)
	return d
}

func zoneOf(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, err := civil.LoadZone(name)
	require.NoError(tb, err)
	return zone
}

// wall is what clocks in the zone show, as "2025-03-10 14:00", to the microsecond if need be.
func wall(tb testing.TB, zone *time.Location, s string) time.Time {
	tb.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", s, zone)
	if err != nil {
		at, err = time.ParseInLocation("2006-01-02 15:04", s, zone)
	}
	require.NoError(tb, err)
	return at.UTC()
}

// owing is an admission written as people say it.
type owing struct {
	zone       string
	admitted   string
	discharged string      // "" = still there
	moves      [][2]string // when, to the ward INTENSIVE or GENERAL; it begins in GENERAL
	noBed      bool
	rates      []rateOf // of GENERAL and INTENSIVE; from long ago 100.00 and 800.00 when left out
	members    [][2]string
}

type rateOf struct {
	ward  uuid.UUID
	from  string
	minor int64
}

func (o owing) inpatient(tb testing.TB) (*time.Location, hospital.Inpatient) {
	tb.Helper()
	if o.zone == "" {
		o.zone = "Australia/Brisbane"
	}
	zone := zoneOf(tb, o.zone)
	p := hospital.Inpatient{AdmittedAt: wall(tb, zone, o.admitted), Rates: map[uuid.UUID][]hospital.Rate{}}
	if o.discharged != "" {
		at := wall(tb, zone, o.discharged)
		p.DischargedAt = &at
	}
	wards := map[string]uuid.UUID{"GENERAL": general, "INTENSIVE": intensive}
	if !o.noBed {
		p.Stays = []hospital.BedTime{{WardID: general, From: p.AdmittedAt, To: p.DischargedAt}}
	}
	for _, m := range o.moves {
		at := wall(tb, zone, m[0])
		p.Stays[len(p.Stays)-1].To = &at
		p.Stays = append(p.Stays, hospital.BedTime{WardID: wards[m[1]], From: at, To: p.DischargedAt})
	}
	if o.rates == nil {
		o.rates = []rateOf{{general, "2000-01-01", 10_000}, {intensive, "2000-01-01", 80_000}}
	}
	for _, r := range o.rates {
		p.Rates[r.ward] = append(p.Rates[r.ward], hospital.Rate{From: day(tb, r.from), Amount: aud(r.minor)})
	}
	for _, m := range o.members {
		one := hospital.Membership{From: day(tb, m[0])}
		if m[1] != "" {
			to := day(tb, m[1])
			one.To = &to
		}
		p.Memberships = append(p.Memberships, one)
	}
	return zone, p
}

func aud(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "AUD"} }

const (
	notAdmitted = "NOT_ADMITTED"
	exempt      = "NHIA_EXEMPT"
	noBed       = "NO_BED"
	zeroRate    = "ZERO_RATE"
)

// What an admission owes for each date of a range: an amount, or nothing for a reason.
func TestOwed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		owing
		from, to string
		want     []string
	}{
		"AdmittedAndDischargedOnOneDay": {
			owing{admitted: "2025-03-10 09:00", discharged: "2025-03-10 17:00"}, "2025-03-10", "2025-03-11", []string{notAdmitted, notAdmitted},
		},
		"DayOfAdmissionIsFreeDayOfDischargeIsOwed": {
			owing{admitted: "2025-03-10 09:00", discharged: "2025-03-12 08:00"}, "2025-03-09", "2025-03-13",
			[]string{notAdmitted, notAdmitted, "100.00", "100.00", notAdmitted},
		},
		"AdmittedAtMidnightOwesThatDate": {
			owing{admitted: "2025-03-10 00:00", discharged: "2025-03-10 17:00"}, "2025-03-09", "2025-03-11", []string{notAdmitted, "100.00", notAdmitted},
		},
		"AdmittedAMicrosecondAfterMidnight": {
			owing{admitted: "2025-03-10 00:00:00.000001", discharged: "2025-03-10 17:00"}, "2025-03-10", "2025-03-10", []string{notAdmitted},
		},
		"DischargedAtMidnightDoesNotOweThatDate": {
			owing{admitted: "2025-03-10 09:00", discharged: "2025-03-12 00:00"}, "2025-03-11", "2025-03-12", []string{"100.00", notAdmitted},
		},
		"DischargedAMicrosecondAfterMidnight": {
			owing{admitted: "2025-03-10 09:00", discharged: "2025-03-12 00:00:00.000001"}, "2025-03-11", "2025-03-12", []string{"100.00", "100.00"},
		},
		"TransferBeforeMidnight": {
			owing{admitted: "2025-03-10 09:00", moves: [][2]string{{"2025-03-11 23:59", "INTENSIVE"}}}, "2025-03-11", "2025-03-12", []string{"100.00", "800.00"},
		},
		"TransferAtMidnightOwesTheNewWard": {
			owing{admitted: "2025-03-10 09:00", moves: [][2]string{{"2025-03-12 00:00", "INTENSIVE"}}}, "2025-03-11", "2025-03-12", []string{"100.00", "800.00"},
		},
		"TransferAfterMidnightOwesTheOldWard": {
			owing{admitted: "2025-03-10 09:00", moves: [][2]string{{"2025-03-12 00:01", "INTENSIVE"}}}, "2025-03-11", "2025-03-13", []string{"100.00", "100.00", "800.00"},
		},
		"ThereAndBackWithinADay": {
			owing{admitted: "2025-03-10 09:00", moves: [][2]string{{"2025-03-11 08:00", "INTENSIVE"}, {"2025-03-11 20:00", "GENERAL"}}}, "2025-03-11", "2025-03-12",
			[]string{"100.00", "100.00"},
		},
		"RateChangesDuringTheStay": {
			owing{admitted: "2025-03-10 09:00", rates: []rateOf{{general, "2025-01-01", 10_000}, {general, "2025-03-12", 12_345}, {general, "2025-03-14", 0}}},
			"2025-03-11", "2025-03-14", []string{"100.00", "123.45", "123.45", zeroRate},
		},
		"NoRateYet": {
			owing{admitted: "2025-03-10 09:00", rates: []rateOf{{general, "2025-03-12", 10_000}}}, "2025-03-11", "2025-03-12", []string{zeroRate, "100.00"},
		},
		"RegisteredDuringTheStay": {
			owing{admitted: "2025-03-10 09:00", members: [][2]string{{"2025-03-12", ""}}}, "2025-03-11", "2025-03-13", []string{"100.00", exempt, exempt},
		},
		"MembershipEndedDuringTheStay": {
			owing{admitted: "2025-03-10 09:00", members: [][2]string{{"2024-01-01", "2025-03-12"}}}, "2025-03-11", "2025-03-13", []string{exempt, exempt, "100.00"},
		},
		"MemberAgain": {
			owing{admitted: "2025-03-10 09:00", members: [][2]string{{"2024-01-01", "2025-03-11"}, {"2025-03-13", "2025-03-13"}}}, "2025-03-11", "2025-03-14",
			[]string{exempt, "100.00", exempt, "100.00"},
		},
		"NoBed": {owing{admitted: "2025-03-10 09:00", noBed: true}, "2025-03-11", "2025-03-11", []string{noBed}},
		"SydneyClocksGoForward": { // the day has 23 hours
			owing{zone: "Australia/Sydney", admitted: "2025-10-04 12:00", discharged: "2025-10-06 00:00"}, "2025-10-04", "2025-10-06",
			[]string{notAdmitted, "100.00", notAdmitted},
		},
		"SydneyClocksGoBack": { // the day has 25 hours, and is one
			owing{zone: "Australia/Sydney", admitted: "2025-04-05 12:00", discharged: "2025-04-07 09:00"}, "2025-04-05", "2025-04-08",
			[]string{notAdmitted, "100.00", "100.00", notAdmitted},
		},
		"LordHoweMovesByHalfAnHour": {
			owing{zone: "Australia/Lord_Howe", admitted: "2025-04-05 23:59", discharged: "2025-04-06 23:59"}, "2025-04-05", "2025-04-07",
			[]string{notAdmitted, "100.00", notAdmitted},
		},
		"NoMidnightInSantiago": { // 7 September 2025 began at 01:00
			owing{zone: "America/Santiago", admitted: "2025-09-07 01:00", discharged: "2025-09-07 12:00"}, "2025-09-06", "2025-09-08",
			[]string{notAdmitted, "100.00", notAdmitted},
		},
		"GoneBeforeTheDayBeganInSantiago": {
			owing{zone: "America/Santiago", admitted: "2025-09-06 12:00", discharged: "2025-09-06 23:59:59.999999"}, "2025-09-06", "2025-09-07",
			[]string{notAdmitted, notAdmitted},
		},
		"NoMidnightInBeirut": {
			owing{zone: "Asia/Beirut", admitted: "2025-03-29 12:00", moves: [][2]string{{"2025-03-30 01:00", "INTENSIVE"}}}, "2025-03-29", "2025-03-31",
			[]string{notAdmitted, "800.00", "800.00"},
		},
		"TwoMidnightsInHavana": { // clocks go from 01:00 back to 00:00: the date begins at the earlier
			owing{zone: "America/Havana", admitted: "2025-11-01 12:00", discharged: "2025-11-02 00:30"}, "2025-11-01", "2025-11-02",
			[]string{notAdmitted, "100.00"},
		},
		"TheDateThatSamoaSkipped": { // 29 December 2011 was followed by the 31st
			owing{zone: "Pacific/Apia", admitted: "2011-12-28 12:00"}, "2011-12-28", "2011-12-31", []string{notAdmitted, "100.00", notAdmitted, "100.00"},
		},
		"NothingInAnEmptyRange": {owing{admitted: "2025-03-10 09:00"}, "2025-03-12", "2025-03-11", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, p := c.inpatient(t)
			var got []string
			next := day(t, c.from)
			for _, due := range hospital.Owed(zone, p, day(t, c.from), day(t, c.to)) {
				require.Equal(t, next, due.Date, "dates are dense")
				next = next.AddDays(1)
				text := string(due.Skip)
				if due.Skip == "" {
					text = due.Amount.Decimal()
					assert.NotEqual(t, uuid.Nil, due.WardID)
				}
				got = append(got, text)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// Late paperwork: a discharge that is entered days later takes back the dates after it, and no other.
func TestOwed_DischargeEnteredLate(t *testing.T) {
	t.Parallel()
	zone, open := owing{admitted: "2025-03-10 09:00"}.inpatient(t)
	_, ended := owing{admitted: "2025-03-10 09:00", discharged: "2025-03-12 15:00"}.inpatient(t)
	before := hospital.Owed(zone, open, day(t, "2025-03-10"), day(t, "2025-03-15"))
	after := hospital.Owed(zone, ended, day(t, "2025-03-10"), day(t, "2025-03-15"))
	assert.Equal(t, before[:3], after[:3])
	for _, due := range after[3:] {
		assert.Equal(t, hospital.NotAdmitted, due.Skip)
	}
}
