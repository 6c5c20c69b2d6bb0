package hospital

import (
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
)

// Inpatient is all that the daily charges of an admission follow from.
type Inpatient struct {
	AdmittedAt   time.Time
	DischargedAt *time.Time           // nil while the patient is in hospital
	Stays        []BedTime            // in any order
	Rates        map[uuid.UUID][]Rate // of each ward, as their dates ascend
	Memberships  []Membership         // in any order
}

// BedTime is a time in a bed of a ward: from the first instant on and until before the other, which is nil while the patient lies there.
type BedTime struct {
	WardID uuid.UUID
	From   time.Time
	To     *time.Time
}

// Rate is what a day in a ward costs from a date on, until the next rate begins.
type Rate struct {
	From   civil.Date
	Amount money.Amount
}

// Membership is a time in the national scheme, with its first and its last date; there is no last one while it is active.
type Membership struct {
	From civil.Date
	To   *civil.Date
}

// Due is what an admission owes for a date: an amount for a day in a ward, or nothing for a reason.
type Due struct {
	Date   civil.Date
	WardID uuid.UUID    // in which the patient lay at the date's first instant; zero when in none
	Amount money.Amount // above zero when there is no reason to skip
	Skip   SkipReason   // empty when something is owed
}

// Owed tells for each date of a range what the admission owes for it, in order, by midnight census: it is owed for a date whose first instant in the zone
// lies in [AdmittedAt, DischargedAt), at the rate that is in force on the date in the ward of that instant, unless a membership counts on the date.
// It is the one rule of preview, estimate, projection, dry run and posting.
func Owed(zone *time.Location, p Inpatient, from, to civil.Date) []Due {
	if to.Before(from) {
		return nil
	}
	list := make([]Due, 0, from.DaysUntil(to)+1)
	start := civil.StartOfDay(from, zone)
	for d := from; !d.After(to); d = d.AddDays(1) {
		next := civil.StartOfDay(d.AddDays(1), zone)
		due := Due{Date: d, Skip: NotAdmitted}
		if start.Before(next) { // else clocks were set over all of the date: it has no instant
			due = p.census(d, start)
		}
		list = append(list, due)
		start = next
	}
	return list
}

// census judges a date by its first instant.
func (p Inpatient) census(d civil.Date, at time.Time) Due {
	due := Due{Date: d}
	if !within(at, p.AdmittedAt, p.DischargedAt) {
		due.Skip = NotAdmitted
		return due
	}
	isInBed := false
	for _, stay := range p.Stays {
		if within(at, stay.From, stay.To) {
			due.WardID, isInBed = stay.WardID, true
			break
		}
	}
	rate := rateOn(p.Rates[due.WardID], d)
	switch {
	case isExemptOn(p.Memberships, d):
		due.Skip = NHIAExempt
	case !isInBed:
		due.Skip = NoBed
	case rate.Sign() <= 0:
		due.Skip = ZeroRate
	default:
		due.Amount = rate
	}
	return due
}

// within tells whether the instant lies in [from, to); without a to it goes on.
func within(at, from time.Time, to *time.Time) bool {
	return !at.Before(from) && (to == nil || at.Before(*to))
}

// rateOn returns the newest rate that has begun on the date; the zero Amount before the first.
func rateOn(rates []Rate, d civil.Date) money.Amount {
	for i := len(rates) - 1; i >= 0; i-- {
		if !rates[i].From.After(d) {
			return rates[i].Amount
		}
	}
	return money.Amount{}
}

func isExemptOn(memberships []Membership, d civil.Date) bool {
	for _, m := range memberships {
		if !m.From.After(d) && (m.To == nil || !m.To.Before(d)) {
			return true
		}
	}
	return false
}

// firstChargeDate returns the first date whose first instant is not before the admission.
func firstChargeDate(zone *time.Location, admittedAt time.Time) civil.Date {
	d := civil.DateOf(admittedAt, zone)
	for start := civil.StartOfDay(d, zone); start.Before(admittedAt) || !start.Before(civil.StartOfDay(d.AddDays(1), zone)); start = civil.StartOfDay(d, zone) {
		d = d.AddDays(1)
	}
	return d
}
