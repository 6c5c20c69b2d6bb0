package demo

import (
	"context"
	"time"

	"github.com/caregraph/caregraph/ent/appointmentintake"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/booking"
)

// visitsAhead are those that are booked, and the conversations about them.
func (s *Seeder) visitsAhead() {
	v := s.visit("alice", "dora", 2, at(10, 0))
	v.isPaidOnline(s.ago(6*day), "How the diary of the headaches went.")
	v.talks(s.ago(5*day),
		"0s P Hello doctor, I kept the diary as you said. Nine entries in four weeks.",
		"90m D That is fewer than before, isn't it? Bring it along, please.",
		"3h P It is! I move the visit to a later day, if you don't mind: my train was cancelled.")
	v.moves(s.ago(4*day), "alice", 5, at(11, 0), "My train was cancelled.")
	v.answers(s.ago(4*day-hour), "No", []string{}, "I sleep better since I stop work at six.")
	v.talks(s.ago(3*day),
		"0s D That day is fine for me, see you then.",
		"30m P Thank you. Shall I stop the tablets before?")
	v.corrects(s.ago(3*day-36*time.Minute), "alice", "Thank you. Shall I stop the tablets a day before?")
	v.says(s.ago(20*hour), "dora", "No need to. Just note when you took the last one.")

	v = s.visit("bruno", "hugo", 2, at(9, 30))
	v.isPaidOnline(s.ago(4*day), "Control of the shoulder.")
	v.isPrepared(s.ago(3*day), "Control after removal.", appointmentintake.ConsultationTypeIN_PERSON)
	v.talks(s.ago(3*day-hour),
		"0s P The stitches itch a little. Is that usual?",
		"45m D Yes, that is how it heals. Is it red or warm?",
		"10m P Neither.",
		"2m P Wrong patient, sorry, I mean: wrong window.")
	v.takesBack(s.ago(3*day-hour-58*time.Minute), "bruno")
	v.talks(s.ago(2*day), "0s D Then leave it covered and dry, and we will see on the day.")

	v = s.visit("chiara", "priya", 3, at(11, 0))
	v.isPaidOnline(s.ago(2*day), "My mother had trouble with her heart at my age.")
	v.answers(s.ago(2*day-hour), "I used to", []string{}, "I run three times a week.")
	v.isPrepared(s.ago(day), "Family history; no complaints.", appointmentintake.ConsultationTypeVIDEO)
	v.talks(s.ago(30*hour),
		"0s D Hello Chiara, do you have a report about your mother's illness?",
		"2h P My sister has it, I ask her.",
		"5h P She sends it tomorrow. Is that early enough?")

	v = s.visit("tomas", "cleo", 1, at(14, 0))
	v.isPaidOnline(s.ago(3*day), "")
	v.talks(s.ago(2*day),
		"0s P I have slept through twice this week.",
		"1h D How good to read that! Note what was different on those days.",
		"20m P I will, thank you.")
	v.reads(s.ago(30*hour), "cleo")

	v = s.visit("emre", "ines", 4, at(10, 30))
	v.isPaidOnline(s.ago(3*day), "Travel vaccination.")
	v.talks(s.ago(2*day),
		"0s P Can I get the certificate today? I am at the airport!!",
		"10m P Hello?? Hello??",
		"1h D The certificate comes after the vaccination. I answer during my hours, please use the desk's number for what is urgent.")
	v.suspends(s.ago(40*hour), "ines")

	v = s.visit("freya", "sana", 6, at(13, 45))
	v.isPaidOnline(s.ago(26*hour), "First session with Sana.")
	v.talks(s.ago(25*hour), "0s D Welcome Freya! I call you from the waiting room, it may be five minutes later.")

	v = s.visit("jarrah", "hugo", 7, at(10, 0))
	v.isBooked(s.ago(2 * day))
	v.paysAtDesk(s.ago(2*day-3*hour), billerKey, order.MethodTERMINAL, "T-2077")

	v = s.visit("dilys", "hugo", 9, at(10, 0)) // in the leave that is entered a day later: somebody has to move it
	v.isPaidOnline(s.ago(6*day), "A mole.")
	s.leave("hugo", s.ago(5*day), 8, 10, "Congress of dermatologists")
	s.leave("priya", s.ago(40*day), -22, -20, "Family")
	s.leave("sana", s.ago(10*day), 11, 12, "")
}

// leave is entered by the practitioner, from one working day to another, both included.
func (s *Seeder) leave(doctor string, when time.Time, first, last int, reason string) {
	in := booking.BlockTimeInput{StartsAt: s.startOf(doctor, first, at(0, 0)), EndsAt: s.startOf(doctor, last, at(23, 0))}
	if reason != "" {
		in.Reason = &reason
	}
	s.happens(when, "leave of "+doctor, func(ctx context.Context) error {
		_, err := s.Booking.BlockTime(s.as(ctx, doctor), in)
		return err
	})
}
