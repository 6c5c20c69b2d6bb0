package demo

import (
	"time"

	"github.com/caregraph/caregraph/ent/appointmentintake"
	"github.com/caregraph/caregraph/ent/order"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

// pastVisits are those that are over, the oldest first.
func (s *Seeder) pastVisits() {
	s.oldVisits()

	v := s.visit("alice", "priya", -15, at(9, 30))
	v.isPaidOnline(v.before(75*hour), "Dora suggested to have my heart looked at.")
	v.isPrepared(v.before(20*hour), "Palpitations after coffee, no pain.", appointmentintake.ConsultationTypeVIDEO)
	v.talks(v.before(70*hour),
		"0s P Good morning. I was asked to send you the readings of my watch, how do I do that?",
		"50m D Good morning! Just tell me the highest and the lowest of the last week, and when they were.",
		"4h P Lowest 52, at night. Highest 121, on the stairs on Tuesday.",
		"2h D Thank you, that is quite normal. We will talk about the coffee.")
	v.takesPlace()
	v.isOpened(s.ago(9*day), "The family has complained about the waiting time; checking what was agreed.")

	v = s.visit("tomas", "cleo", -10, at(13, 0))
	v.isPaidOnline(v.before(100*hour), "First session.")
	v.answers(v.before(90*hour), "I used to", []string{}, "I sleep badly since the move.")
	v.talks(v.before(80*hour),
		"0s D Hello Tomás, is the room on the ground floor fine for you?",
		"3h P Yes, very much so, thank you.")
	v.takesPlace()

	v = s.visit("freya", "ines", -9, at(9, 30))
	v.isBooked(v.before(20 * hour))
	v.paysAtDesk(v.before(19*hour), plannerKey, order.MethodCASH, "R-1009")
	v.isPrepared(v.before(hour), "Follow-up of blood pressure.", appointmentintake.ConsultationTypePHONE)
	v.takesPlace()

	v = s.visit("imogen", "dora", -7, at(15, 15))
	v.isBooked(v.before(22 * hour))
	v.paysAtDesk(v.before(30*time.Minute), plannerKey, order.MethodTERMINAL, "T-2040")
	v.takesPlace()

	v = s.visit("tomas", "dora", -6, at(9, 0))
	v.isPaidOnline(v.before(8*day), "My knee, when I climb stairs.")
	v.moves(v.before(30*hour), "dora", -3, at(10, 0), "I am needed at the school's health day.")
	v.takesPlace()

	v = s.visit("emre", "dora", -5, at(9, 30))
	v.isPaidOnline(v.before(26*hour), "")
	v.takesPlace()

	v = s.visit("bruno", "dora", -2, at(9, 30))
	v.isPaidOnline(v.before(52*hour), "Certificate for work.")
	v.answers(v.before(50*hour), "No", []string{"Painkillers"}, "Nothing else.")
	v.talks(v.before(48*hour),
		"0s P Shall I bring the form of my employer?",
		"35m D Yes please, both pages. I sign it during the visit.",
		"5m P Great, thanks.")
	v.reads(v.before(40*hour), "dora")
	v.takesPlace()

	s.missedVisits()
	s.openEnds()
}

// oldVisits have conversations that were put away since.
func (s *Seeder) oldVisits() {
	v := s.visit("alice", "dora", -25, at(9, 30))
	v.isPaidOnline(v.before(74*hour), "Headaches in the evening, for some weeks.")
	v.answers(v.before(73*hour), "No", []string{"Painkillers"}, "I work at a screen.")
	v.isPrepared(v.before(30*hour), "Tension headache? Two or three times a week.", appointmentintake.ConsultationTypeIN_PERSON)
	v.talks(v.before(72*hour),
		"0s P Hello doctor, I have booked for the headaches that I told your front desk about.",
		"25m D Hello Alice! Thank you, I have seen it. How often do they come?",
		"10m P Two or three times a week, mostly in the evening.",
		"8m D Please write down when they come and what you did before. We will look at it together at the visit.",
		"5h P I will. Is it all right to take the tablets until then?",
		"40m D As it says on the pack, yes. Not more often than every second day, please.")
	v.reads(v.before(50*hour), "alice")
	v.takesPlace()

	v = s.visit("bruno", "hugo", -24, at(10, 0))
	v.isPaidOnline(v.before(96*hour), "A mark on my shoulder has changed its colour.")
	v.talks(v.before(90*hour),
		"0s P Is it better to come without sunscreen on?",
		"2h D Yes, please. And with a shirt that opens easily.",
		"15m P Will do.")
	v.reads(v.before(80*hour), "hugo")
	v.takesPlace()
}

// missedVisits are those that the patient or the clinic did not keep.
func (s *Seeder) missedVisits() {
	v := s.visit("gus", "hugo", -8, at(9, 0))
	v.isPaidOnline(v.before(51*hour), "")
	v.talks(v.before(40*hour), "0s D Good morning, please remember to bring the letter of your GP.")
	v.isMissed()

	v = s.visit("chiara", "hugo", -4, at(9, 30))
	v.isPaidOnline(v.before(120*hour), "A rash on both hands.")
	v.talks(v.before(118*hour),
		"0s P It has got better by itself. Should I come all the same?",
		"4h D If it is gone for a week, no. You can cancel here, the money goes back by itself.")
	v.cancels(v.before(50*hour), "chiara", "The rash is gone.")

	v = s.visit("freya", "cleo", -4, at(13, 0))
	v.isPaidOnline(v.before(70*hour), "")
	v.cancels(v.before(5*hour), "cleo", "I have a temperature and stay at home. I am sorry.")

	v = s.visit("gus", "ines", -11, at(9, 30))
	v.books(v.before(48*hour), "")
	v.orders(v.before(48*hour - time.Minute))
	s.looks(v.before(48*hour-16*time.Minute), "expire-pending-appointments")
	v.isDeleted(v.before(40*hour), "gus")

	v = s.visit("emre", "hugo", -13, at(10, 30))
	v.isPaidOnline(v.before(60*hour), "Booked by mistake, sorry.")
	v.cancels(v.before(59*hour), "mina", "Booked twice; the patient has called.")
	v.isDeleted(v.before(58*hour), adminKey)
}

// openEnds took place yesterday, and nobody has noted so yet.
func (s *Seeder) openEnds() {
	v := s.visit("dilys", "dora", -1, at(9, 30))
	v.isPaidOnline(v.before(53*hour), "Results of the blood test.")
	v.talks(v.before(49*hour),
		"0s P Do I have to come with an empty stomach?",
		"70m D No, the test is done. Have breakfast!")
	v.reads(v.before(20*hour), "dilys")

	v = s.visit("gus", "dora", -1, at(10, 0))
	v.isPaidOnline(v.before(54*hour), "")
}
