package demo

import (
	"context"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/civil"
)

const weeksAhead = 2

// addVisits offers slots from last week to the weeks ahead and lets every patient have had a visit.
func (s *Seeder) addVisits(ctx context.Context) error {
	for i, p := range s.practitioners {
		slots, err := s.addSlots(ctx, p)
		if err != nil {
			return err
		}
		if i < len(s.patients) {
			if err := s.addPastVisit(ctx, slots[i], s.patients[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// addSlots offers half hours on working days, 09:00 to 16:00 in the practitioner's zone.
func (s *Seeder) addSlots(ctx context.Context, p *ent.Practitioner) ([]*ent.Slot, error) {
	zone, err := civil.LoadZone(p.TimeZone)
	if err != nil {
		return nil, err
	}
	today := civil.DateOf(s.DB.Now(), zone)
	candidates, err := booking.Expand(booking.BulkRule{
		From: today.AddDays(-7), To: today.AddDays(7 * weeksAhead), Start: civil.LocalTime{Hour: 9}, End: civil.LocalTime{Hour: 16},
		Weekdays: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
		Length:   30 * time.Minute, Zone: zone,
	}, s.DB.Now().AddDate(0, 0, -8), 2000)
	if err != nil {
		return nil, err
	}
	var rows []*ent.SlotCreate
	for _, c := range candidates {
		if c.Skip == "" {
			rows = append(rows, s.DB.Client.Slot.Create().SetPractitionerID(p.ID).SetStartsAt(c.StartsAt).SetEndsAt(c.EndsAt).
				SetType(slot.TypeLONG).SetDurationMinutes(30).SetTimeZone(p.TimeZone).SetLocalDate(c.LocalDate))
		}
	}
	return s.DB.Client.Slot.CreateBulk(rows...).Save(ctx)
}

// addPastVisit is a paid visit that took place.
func (s *Seeder) addPastVisit(ctx context.Context, at *ent.Slot, p *ent.Patient) error {
	a, err := s.DB.Client.Appointment.Create().SetPatientID(p.ID).SetPractitionerID(at.PractitionerID).SetSlotID(at.ID).
		SetStartsAt(at.StartsAt).SetEndsAt(at.EndsAt).SetStatus(appointment.StatusCOMPLETED).SetIsInitial(true).
		SetPriceMinor(8000).SetCurrency("AUD").SetExpiresAt(at.StartsAt).SetBookedBy(*p.UserID).Save(ctx)
	if err != nil {
		return err
	}
	steps := []appointment.Status{appointment.StatusPENDING, appointment.StatusBOOKED, appointment.StatusCOMPLETED}
	var from *string
	for _, to := range steps {
		step := s.DB.Client.AppointmentStatusChange.Create().SetAppointmentID(a.ID).SetPatientID(p.ID).SetPractitionerID(at.PractitionerID).
			SetToStatus(string(to)).SetNillableFromStatus(from).SetCause("demo")
		if err := step.Exec(ctx); err != nil {
			return err
		}
		text := string(to)
		from = &text
	}
	err = s.DB.Client.Order.Create().SetAppointmentID(a.ID).SetPatientID(p.ID).SetAmountMinor(8000).SetCurrency("AUD").
		SetStatus(order.StatusCOMPLETED).SetProvider("sandbox").SetPaymentRef("demo").SetFeeMinor(170).
		SetExpiresAt(at.StartsAt).SetPaidAt(at.StartsAt.Add(-24 * time.Hour)).SetCompletedAt(at.EndsAt).Exec(ctx)
	if err != nil {
		return err
	}
	return s.DB.Client.CareRelation.Create().SetPractitionerID(at.PractitionerID).SetPatientID(p.ID).
		SetSource(carerelation.SourceAPPOINTMENT).SetSourceID(a.ID).Exec(ctx)
}
