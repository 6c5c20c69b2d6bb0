package demo

import (
	"time"

	"github.com/caregraph/caregraph/internal/wallet"
)

// inpatients are those who lie or lay in the hospital.
func (s *Seeder) inpatients() {
	s.changingWards()
	s.longStays()
	s.members()
	s.pastStays()

	p := s.inpatient("samir") // his first midnight is to come
	p.pays(s.ago(hour), "600.00", wallet.Cash)
	p.isAdmitted(s.ago(90*time.Minute), "J5", "dora", "Observation after a fall from a ladder.", "")
}

// longStays are weeks in a bed: one wallet is nearly used up, the other is overdrawn.
func (s *Seeder) longStays() {
	p := s.inpatient("leila")
	p.isAdmitted(s.onDay(-21, at(10, 15)), "J1", "dora", "Pneumonia that does not heal at home.", "Community-acquired pneumonia")
	p.pays(s.onDay(-21, at(11, 0)), "5000.00", wallet.Card)
	p.pays(s.onDay(-9, at(14, 30)), "4550.00", wallet.Card)

	p = s.inpatient("marek")
	p.isAdmitted(s.onDay(-12, at(3, 40)), "W1", "priya", "Chest pain since midnight.", "Acute myocardial infarction")
	p.pays(s.onDay(-12, at(15, 0)), "6000.00", wallet.Card)
	p.isMoved(s.onDay(-9, at(14, 0)), "J2")

	p = s.inpatient("rosa")
	p.isAdmitted(s.onDay(-5, at(13, 0)), "G1", "dora", "Learning to walk with a new hip.", "")
}

// members owe nothing for their days.
func (s *Seeder) members() {
	p := s.inpatient("nadia")
	p.isMember(s.onDay(-30, at(9, 0)), "NH-2200-4471", -30)
	p.isAdmitted(s.onDay(-4, at(7, 20)), "B1", "dora", "Labour at 39 weeks.", "")

	p = s.inpatient("oskar") // the card came late
	p.isAdmitted(s.onDay(-16, at(18, 5)), "J3", "dora", "Infected wound of the left foot.", "Cellulitis")
	p.pays(s.onDay(-16, at(18, 30)), "3000.00", wallet.Card)
	p.isMember(s.onDay(-10, at(10, 0)), "NH-2200-9035", -12)

	p = s.inpatient("dilys")
	p.isMember(s.onDay(-45, at(9, 30)), "NH-2200-1188", -45)
	p.isMemberNoMore(s.onDay(-15, at(9, 30)))
}

// pastStays are over.
func (s *Seeder) pastStays() {
	p := s.inpatient("kasimir") // the paperwork came late, and what was left went back
	p.isAdmitted(s.onDay(-34, at(21, 0)), "J4", "dora", "Removal of the appendix.", "Appendicitis", s.onDay(-35, at(22, 30)))
	p.pays(s.onDay(-34, at(21, 30)), "4000.00", wallet.Card)
	p.isDischarged(s.onDay(-26, at(9, 0)), "Recovered well. The stitches come out in a week.", s.onDay(-28, at(11, 0)))
	cash := wallet.Cash
	p.isAdjusted(s.onDay(-25, at(10, 0)), "-500.00", "Part of the rest of the deposit.", &cash)

	p = s.inpatient("petra")
	p.isAdmitted(s.onDay(-30, at(5, 10)), "B2", "dora", "Planned Caesarean section.", "")
	p.pays(s.onDay(-30, at(9, 0)), "2500.00", wallet.Cash)
	p.isCharged(s.onDay(-29, at(16, 0)), "Family room, one night", "120.00")
	p.isCharged(s.onDay(-28, at(16, 0)), "Family room, one night", "120.00")
	p.isReversed(s.onDay(-28, at(16, 20)), "Entered twice.")
	p.isDischarged(s.onDay(-26, at(10, 30)), "Mother and child are well.")
	p.isAdjusted(s.onDay(-24, at(11, 0)), "50.00", "The heating of the room had failed.", nil)

	p = s.inpatient("quentin")
	p.isAdmitted(s.onDay(-9, at(23, 50)), "W2", "priya", "Found unconscious at home.", "Intracerebral haemorrhage")
	p.dies(s.onDay(-3, at(4, 25)), "priya", "Died peacefully in the presence of his family.")
}
