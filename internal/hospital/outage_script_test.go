package hospital_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/caregraph/caregraph/internal/civil"
)

const (
	simPatients = 12
	simWards    = 3
	simBeds     = 9
	simStart    = "2025-03-01"
)

// act is something that people do at an instant; who and where are numbers that mean the same in every world.
type act struct {
	n                  int // of the act, for keys
	at                 time.Time
	kind               string
	patient, bed, ward int
	amount             int64
	when               *time.Time  // late paperwork
	on                 *civil.Date // the date of a membership or a rate
}

func (a act) key() *string { return ptr(fmt.Sprintf("act-%d", a.n)) }

// script makes up what people do in so many days, by the dice.
func script(dice *rand.Rand, zone *time.Location, first civil.Date, days int) []act {
	var list []act
	end := civil.StartOfDay(first.AddDays(days), zone)
	for at := civil.StartOfDay(first, zone).Add(9 * time.Hour); at.Before(end); at = at.Add(time.Duration(dice.Int64N(int64(24 * time.Hour)))) {
		list = append(list, newAct(dice, zone, len(list), snapped(dice, zone, at)))
	}
	slices.SortStableFunc(list, func(a, b act) int { return a.at.Compare(b.at) })
	return list
}

// snapped moves some instants to the first of a date, or a microsecond beside it.
func snapped(dice *rand.Rand, zone *time.Location, at time.Time) time.Time {
	midnight := civil.StartOfDay(civil.DateOf(at, zone).AddDays(1), zone)
	switch dice.IntN(8) {
	case 0:
		return midnight
	case 1:
		return midnight.Add(-time.Microsecond)
	case 2:
		return midnight.Add(time.Microsecond)
	default:
		return at.Truncate(time.Microsecond)
	}
}

func newAct(dice *rand.Rand, zone *time.Location, n int, at time.Time) act {
	a := act{n: n, at: at, patient: dice.IntN(simPatients), bed: dice.IntN(simBeds), ward: dice.IntN(simWards), amount: 1 + dice.Int64N(900_00)}
	a.kind = []string{"admit", "admit", "admit", "transfer", "transfer", "discharge", "discharge", "death", "register", "deactivate", "rate", "pay", "extra"}[dice.IntN(13)]
	past := func(most int) *time.Time {
		return ptr(snapped(dice, zone, at.Add(-time.Duration(dice.Int64N(int64(time.Duration(most)*24*time.Hour)))-26*time.Hour)))
	}
	today := civil.DateOf(at, zone)
	switch a.kind {
	case "admit", "discharge", "death":
		if dice.IntN(3) == 0 {
			a.when = past(5)
		}
	case "register", "deactivate":
		a.on = ptr(today.AddDays(-dice.IntN(8)))
	case "rate":
		a.on = ptr(today.AddDays(dice.IntN(4)))
		if dice.IntN(6) == 0 {
			a.amount = 0
		}
	}
	return a
}
