package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/civil"
)

const daysAhead = 21

// slotKey finds a slot by whose it is and when it starts.
type slotKey struct {
	practitioner uuid.UUID
	start        int64
}

var workingDays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}

// hours are times that a practitioner offers on working days, on the wall clock of the own zone.
type hours struct {
	from, to civil.LocalTime
	kind     slot.Type
	minutes  int // of EXTENDED
}

func at(hour, minute int) civil.LocalTime { return civil.LocalTime{Hour: hour, Minute: minute} }

// hoursOf are the times on the days before today, and from tomorrow on.
func (p *practice) hoursOf(isAhead bool) []hours {
	list := []hours{{from: at(9, 0), to: at(11, 0), kind: slot.TypeLONG}}
	if isAhead {
		list[0].to = at(12, 0)
	}
	if p.hasLong && isAhead {
		list = append(list, hours{from: at(13, 0), to: at(15, 0), kind: slot.TypeLONG})
	}
	if p.offersShort {
		list = append(list, hours{from: at(15, 0), to: at(16, 0), kind: slot.TypeSHORT})
	}
	if p.extended > 0 {
		list = append(list, hours{from: at(13, 0), to: at(16, 0), kind: slot.TypeEXTENDED, minutes: p.extended})
	}
	return list
}

// addCalendars lets practitioners offer their times, until three weeks ahead; none today, so that what a newcomer books can be moved and cancelled.
func (s *Seeder) addCalendars(ctx context.Context) error {
	for _, p := range staff {
		if p.practice == nil {
			continue
		}
		today, err := s.today(p.practice)
		if err != nil {
			return err
		}
		first, err := civil.LoadZone(p.practice.zone)
		if err != nil {
			return err
		}
		opened := civil.DateOf(s.Clock.Now(), first).AddDays(1)
		for _, batch := range []struct {
			from, to civil.Date
			isAhead  bool
		}{{opened, today.AddDays(-1), false}, {today.AddDays(1), today.AddDays(daysAhead), true}} {
			for _, h := range p.practice.hoursOf(batch.isAhead) {
				if err := s.offer(ctx, p, h, batch.from, batch.to); err != nil {
					return fmt.Errorf("slots of %s: %w", p.given, err)
				}
			}
		}
	}
	return nil
}

// today is the present date of the practitioner.
func (s *Seeder) today(p *practice) (civil.Date, error) {
	zone, err := civil.LoadZone(p.zone)
	if err != nil {
		return civil.Date{}, err
	}
	return civil.DateOf(s.now, zone), nil
}

func (s *Seeder) offer(ctx context.Context, p person, h hours, from, to civil.Date) error {
	in := booking.CreateSlotsInput{StartDate: from, EndDate: to, Weekdays: workingDays, StartTime: h.from, EndTime: h.to, Type: h.kind}
	if h.minutes > 0 {
		in.DurationMinutes = &h.minutes
	}
	made, _, err := s.Booking.CreateSlots(s.as(ctx, p.key()), in)
	for _, one := range made {
		s.slots[slotKey{one.PractitionerID, one.StartsAt.UnixMicro()}] = one
	}
	return err
}

// workingDay is the date so many working days after today, or before it.
func workingDay(today civil.Date, n int) civil.Date {
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	day := today
	for n > 0 {
		day = day.AddDays(step)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			n--
		}
	}
	return day
}

// startOf is the instant at which the practitioner's clocks show the time, so many working days from today.
func (s *Seeder) startOf(doctor string, day int, local civil.LocalTime) time.Time {
	zone, err := civil.LoadZone(s.practitioners[doctor].TimeZone)
	if err != nil {
		s.breaks(err)
		return s.now
	}
	start, _ := civil.Resolve(workingDay(civil.DateOf(s.now, zone), day), local, zone)
	return start
}

// slotOf is the practitioner's slot at the time, so many working days from today.
func (s *Seeder) slotOf(doctor string, day int, local civil.LocalTime) *ent.Slot {
	start := s.startOf(doctor, day, local)
	found := s.slots[slotKey{s.practitioners[doctor].ID, start.UnixMicro()}]
	if found == nil {
		s.breaks(fmt.Errorf("%s has no slot at %s", doctor, start))
		return &ent.Slot{StartsAt: start, EndsAt: start}
	}
	return found
}
