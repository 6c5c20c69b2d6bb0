package demo

import (
	"context"
	"time"

	"github.com/caregraph/caregraph/ent/order"
)

// unpaidVisits are those whose payment is open, was declined or never came.
func (s *Seeder) unpaidVisits() {
	v := s.visit("chiara", "ines", 6, at(9, 30)) // on the page
	v.books(s.ago(4*time.Minute), "Advice before a voyage.")
	v.orders(s.ago(3 * time.Minute))

	v = s.visit("emre", "hugo", 5, at(9, 30)) // warned
	v.books(s.ago(11*time.Minute), "")
	v.orders(s.ago(10 * time.Minute))
	s.looks(s.ago(30*time.Second), "payment-warnings")

	v = s.visit("henrik", "dora", 4, at(13, 30)) // by telephone, with the page mailed
	v.isBooked(s.ago(3 * hour))

	v = s.visit("dilys", "cleo", 2, at(13, 0)) // declined, then paid
	v.books(s.ago(31*hour), "")
	v.orders(s.ago(31*hour - time.Minute))
	v.clicks(s.ago(31*hour-2*time.Minute), "decline")
	v.orders(s.ago(31*hour - 4*time.Minute))
	v.clicks(s.ago(31*hour-6*time.Minute), "pay")

	v = s.visit("emre", "sana", 3, at(14, 30)) // dropped by the patient
	v.books(s.ago(30*hour), "")
	v.orders(s.ago(30*hour - time.Minute))
	v.cancels(s.ago(30*hour-5*time.Minute), "emre", "Too late in the day.")

	v = s.visit("freya", "sana", -9, at(13, 0)) // never paid
	v.books(v.before(30*hour), "")
	s.looks(v.before(30*hour-16*time.Minute), "expire-pending-appointments")

	v = s.visit("gus", "ines", 2, at(9, 30)) // left at the page
	v.books(s.ago(29*hour), "")
	v.orders(s.ago(29*hour - time.Minute))
	v.clicks(s.ago(29*hour-3*time.Minute), "cancel")
	s.looks(s.ago(29*hour-16*time.Minute), "expire-pending-appointments")
}

// refunds are money that goes back: in part, in full, by hand, and not at all.
func (s *Seeder) refunds() {
	v := s.visit("chiara", "dora", -12, at(9, 0))
	v.isPaidOnline(v.before(49*hour), "Vaccination against the flu.")
	v.takesPlace()
	v.isPaidBack(v.after(3*hour), "30.00", "The vaccine was not in stock.")

	v = s.visit("henrik", "priya", -6, at(10, 0))
	v.isBooked(v.before(23 * hour))
	v.paysAtDesk(v.before(hour), billerKey, order.MethodCASH, "R-1021")
	v.isMissed()
	v.isPaidBack(v.after(26*hour), "", "Goodwill: he was taken to hospital that morning.")

	v = s.visit("tomas", "dora", 3, at(9, 30))
	v.isPaidOnline(s.ago(5*day), "The knee again.")
	v.talks(s.ago(4*day), "0s D Hello Tomás, keep it warm until then.")
	v.cancels(s.ago(day), "dora", "I am at court that morning.")

	v = s.visit("freya", "priya", 4, at(9, 30)) // cash waits for the biller's hand
	v.isBooked(s.ago(55 * hour))
	v.paysAtDesk(s.ago(54*hour), plannerKey, order.MethodCASH, "R-1030")
	v.cancels(s.ago(26*hour), plannerKey, "The patient travels that week.")

	v = s.visit("gus", "priya", 5, at(9, 0)) // the provider refuses until it is given up
	v.isPaidOnline(s.ago(7*day), "")
	shut := s.ago(50 * hour)
	s.shuts(shut.Add(-time.Second), true)
	v.cancels(shut, "gus", "I have found a time nearer by.")
	for n := 1; n <= 7; n++ { // after 1, 3, 7 ... minutes
		s.looks(shut.Add(time.Duration(1<<n-1)*time.Minute+time.Duration(n)*2*time.Second), "refunds")
	}
	s.shuts(shut.Add(3*hour), false)
}

// shuts takes the payment provider out of service, or brings it back.
func (s *Seeder) shuts(at time.Time, isShut bool) {
	s.happens(at, "payment provider", func(context.Context) error {
		s.Till.isShut.Store(isShut)
		return nil
	})
}

// everyDay is what jobs do and people read.
func (s *Seeder) everyDay() {
	for _, j := range s.Jobs.Jobs { // the ledger of each begins with the clinic
		s.looks(s.ago(past), j.Name)
	}
	for n := 1; n <= 6; n++ {
		s.looks(s.ago(time.Duration(n)*day-time.Minute), "appointment-reminders")
	}
	s.looks(s.ago(6*hour), "archive-chat-rooms")
	s.looks(s.ago(5*hour), "reconcile-payments")
	for _, reader := range []string{"alice", "bruno", "tomas", "dora", billerKey} {
		s.happens(s.ago(8*hour), "notices of "+reader, func(ctx context.Context) error { return s.readNotices(s.as(ctx, reader)) })
	}
}

// unread is how many of the newest notices nobody has looked at.
const unread = 2

func (s *Seeder) readNotices(ctx context.Context) error {
	list, err := s.Notify.Notifications(ctx).All(ctx)
	if err != nil {
		return err
	}
	for _, one := range list[:max(len(list)-unread, 0)] {
		if _, err := s.Notify.MarkRead(ctx, one.ID); err != nil {
			return err
		}
	}
	return nil
}
