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
			if _, err := s.addVisit(ctx, slots[i], s.patients[i], appointment.StatusCOMPLETED); err != nil {
				return err
			}
			if err := s.addTalk(ctx, slots[len(slots)-1-i], s.patients[i]); err != nil {
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

// addVisit is a paid visit, to come or over.
func (s *Seeder) addVisit(ctx context.Context, at *ent.Slot, p *ent.Patient, status appointment.Status) (*ent.Appointment, error) {
	a, err := s.DB.Client.Appointment.Create().SetPatientID(p.ID).SetPractitionerID(at.PractitionerID).SetSlotID(at.ID).
		SetStartsAt(at.StartsAt).SetEndsAt(at.EndsAt).SetStatus(status).SetIsInitial(status == appointment.StatusCOMPLETED).
		SetPriceMinor(8000).SetCurrency("AUD").SetExpiresAt(at.StartsAt).SetBookedBy(*p.UserID).Save(ctx)
	if err != nil {
		return nil, err
	}
	steps, paid := []appointment.Status{appointment.StatusPENDING, appointment.StatusBOOKED}, order.StatusPAID
	if status == appointment.StatusCOMPLETED {
		steps, paid = append(steps, status), order.StatusCOMPLETED
	}
	var from *string
	for _, to := range steps {
		step := s.DB.Client.AppointmentStatusChange.Create().SetAppointmentID(a.ID).SetPatientID(p.ID).SetPractitionerID(at.PractitionerID).
			SetToStatus(string(to)).SetNillableFromStatus(from).SetCause("demo")
		if err := step.Exec(ctx); err != nil {
			return nil, err
		}
		text := string(to)
		from = &text
	}
	bill := s.DB.Client.Order.Create().SetAppointmentID(a.ID).SetPatientID(p.ID).SetAmountMinor(8000).SetCurrency("AUD").
		SetStatus(paid).SetProvider("sandbox").SetMethod(order.MethodONLINE).SetPaymentRef("demo").SetFeeMinor(170).SetExpiresAt(at.StartsAt).SetPaidAt(earlier(s.DB.Now(), at.StartsAt.Add(-24*time.Hour)))
	if paid == order.StatusCOMPLETED {
		bill.SetCompletedAt(at.EndsAt)
	}
	if err := bill.Exec(ctx); err != nil || paid != order.StatusCOMPLETED {
		return a, err
	}
	return a, s.DB.Client.CareRelation.Create().SetPractitionerID(at.PractitionerID).SetPatientID(p.ID).
		SetSource(carerelation.SourceAPPOINTMENT).SetSourceID(a.ID).Exec(ctx)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
