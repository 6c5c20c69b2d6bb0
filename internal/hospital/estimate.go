package hospital

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/money"
)

// farthest is how many days ahead a projection looks.
const farthest = 366

// EstimatedCosts returns what each of the admissions owes in daily charges until now, posted or not; those of which the viewer may not see the wallet are left out.
func (s *Service) EstimatedCosts(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*money.Amount, error) {
	return s.costs(ctx, ids, s.today())
}

// Projection asks what an admission comes to.
type Projection struct {
	AdmissionID uuid.UUID
	Until       civil.Date
}

// MayProject refuses a date more than 366 days ahead. Errors: INVALID_INPUT.
func (s *Service) MayProject(until civil.Date) error {
	if s.today().DaysUntil(until) > farthest {
		return fault.InvalidAt(fmt.Sprintf("A projection looks %d days ahead at most.", farthest), "until")
	}
	return nil
}

// ProjectedCosts returns what each of the admissions will have come to in daily charges when the patient stays in the same bed until the date, which is charged
// too; those of which the viewer may not see the wallet are left out. Errors: INVALID_INPUT for a date more than 366 days ahead.
func (s *Service) ProjectedCosts(ctx context.Context, asked []Projection) (map[Projection]*money.Amount, error) {
	byDate := map[civil.Date][]uuid.UUID{}
	for _, p := range asked {
		if err := s.MayProject(p.Until); err != nil {
			return nil, err
		}
		byDate[p.Until] = append(byDate[p.Until], p.AdmissionID)
	}
	found := make(map[Projection]*money.Amount, len(asked))
	for until, ids := range byDate {
		costs, err := s.costs(ctx, ids, until)
		if err != nil {
			return nil, err
		}
		for id, cost := range costs {
			found[Projection{id, until}] = cost
		}
	}
	return found, nil
}

// costs sums up what is owed from the admission on up to the date.
func (s *Service) costs(ctx context.Context, ids []uuid.UUID, until civil.Date) (map[uuid.UUID]*money.Amount, error) {
	seen, err := s.withVisibleWallet(ctx, ids)
	if err != nil || len(seen) == 0 {
		return nil, err
	}
	from := until
	visible := make([]uuid.UUID, len(seen))
	for i, a := range seen {
		visible[i] = a.ID
		from = earlier(from, civil.DateOf(a.AdmittedAt, s.Zone))
	}
	list, err := s.facts(access.System(ctx, "cost of an admission"), visible, from, until)
	if err != nil {
		return nil, err
	}
	costs := make(map[uuid.UUID]*money.Amount, len(list))
	for _, a := range list {
		sum := s.amount(0)
		for _, due := range Owed(s.Zone, a.Inpatient, civil.DateOf(a.AdmittedAt, s.Zone), until) {
			if due.Skip == "" {
				if sum, err = sum.Add(due.Amount); err != nil {
					return nil, err
				}
			}
		}
		costs[a.id] = &sum
	}
	return costs, nil
}

// withVisibleWallet returns those of the admissions that the viewer sees and whose patient's wallet the viewer may see, whether or not there is one yet.
func (s *Service) withVisibleWallet(ctx context.Context, ids []uuid.UUID) ([]*ent.Admission, error) {
	v := access.From(ctx)
	rows, err := s.DB.Client.Admission.Query().Where(admission.IDIn(ids...)).All(ctx)
	var seen []*ent.Admission
	for _, a := range rows {
		if v.IsSystem() || v.Has(access.Admin, access.Nurse, access.Biller) || v.Has(access.Patient) && v.PatientID == a.PatientID {
			seen = append(seen, a)
		}
	}
	return seen, err
}

// ChargedToDate returns what was posted for each of the admissions, less what was reversed; those of which the viewer may not see the wallet are left out.
func (s *Service) ChargedToDate(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*money.Amount, error) {
	seen, err := s.withVisibleWallet(ctx, ids)
	if err != nil || len(seen) == 0 {
		return nil, err
	}
	sums := make(map[uuid.UUID]*money.Amount, len(seen))
	visible := make([]uuid.UUID, len(seen))
	for i, a := range seen {
		zero := s.amount(0)
		visible[i], sums[a.ID] = a.ID, &zero
	}
	var rows []struct {
		AdmissionID uuid.UUID `sql:"admission_id"`
		Sum         int64     `sql:"sum"`
	}
	err = s.DB.Client.WalletTransaction.Query().Where(wallettransaction.AdmissionIDIn(visible...)).
		GroupBy(wallettransaction.FieldAdmissionID).Aggregate(func(q *sql.Selector) string {
		return sql.As("CAST("+sql.Sum(q.C(wallettransaction.FieldAmountMinor))+" AS bigint)", "sum")
	}).
		Scan(access.System(ctx, "charges of an admission"), &rows)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		charged, err := s.amount(row.Sum).Neg()
		if err != nil {
			return nil, err
		}
		sums[row.AdmissionID] = &charged
	}
	return sums, nil
}
