package hospital

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
)

// chargePlan tells what is charged daily for the admission from the next date on, as things stand in the transaction of ctx; as the system. Dates until now
// were settled.
func (s *Service) chargePlan(ctx context.Context, a *ent.Admission) (*ChargePlan, error) {
	ctx = access.System(ctx, "plan of charges")
	fee, err := s.feeOf(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	first := firstChargeDate(s.Zone, a.AdmittedAt)
	next := later(first, firstChargeDate(s.Zone, s.DB.Now().Add(1))) // whose first instant is still to come
	list, err := s.facts(ctx, []uuid.UUID{a.ID}, next, next)
	if err != nil {
		return nil, err
	}
	plan := &ChargePlan{DailyRate: s.amount(0), AdmissionFee: fee, FirstChargeDate: next}
	for _, one := range list {
		due := Owed(s.Zone, one.Inpatient, next, next)[0]
		plan.DailyRate, plan.IsExempt = s.amount(due.Amount.Minor), due.Skip == NHIAExempt
		plan.Summary = plan.sentence(due.Skip, next == first)
	}
	return plan, nil
}

// sentence says the plan to people.
func (p *ChargePlan) sentence(skip SkipReason, isFirst bool) string {
	which := "next"
	if isFirst {
		which = "first"
	}
	text := fmt.Sprintf("%s is charged for each night that begins in hospital, the %s on %s.", p.DailyRate, which, p.FirstChargeDate)
	switch skip {
	case NHIAExempt:
		text = fmt.Sprintf("Nothing is charged on %s: the patient is a member of the national scheme.", p.FirstChargeDate)
	case ZeroRate:
		text = fmt.Sprintf("Nothing is charged on %s: the ward has no rate on that date.", p.FirstChargeDate)
	case NoBed, NotAdmitted:
		text = "Nothing more is charged daily: the patient is no longer in hospital."
	}
	if !p.AdmissionFee.IsZero() {
		text += fmt.Sprintf(" A fee of %s was charged for the admission.", p.AdmissionFee)
	}
	return text
}
