package hospital

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/nhiamembership"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/ent/wardrate"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/store"
)

// inHospital is an admission with all that its daily charges follow from.
type inHospital struct {
	id, patient uuid.UUID
	Inpatient
}

// facts reads what the admissions owe follows from, as far as it matters to dates of the range, in the order of ids: a few statements however many they are.
// For the system. Who posts has locked the wallets: who changes facts locks them too before committing.
func (s *Service) facts(ctx context.Context, ids []uuid.UUID, from, to civil.Date) ([]*inHospital, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.DB.Client.Admission.Query().Where(among(admission.FieldID, ids)).Order(admission.ByID()).
		Select(admission.FieldPatientID, admission.FieldAdmittedAt, admission.FieldDischargedAt).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read admissions: %w", err)
	}
	list := make([]*inHospital, len(rows))
	byID := make(map[uuid.UUID]*inHospital, len(rows))
	patients := make([]uuid.UUID, len(rows))
	for i, a := range rows {
		patients[i] = a.PatientID
		list[i] = &inHospital{id: a.ID, patient: a.PatientID, Inpatient: Inpatient{AdmittedAt: a.AdmittedAt, DischargedAt: a.DischargedAt}}
		byID[a.ID] = list[i]
	}
	wards, err := s.readStays(ctx, byID, ids, from, to)
	if err != nil {
		return nil, fmt.Errorf("read stays: %w", err)
	}
	if store.InTx(ctx) { // who sets a rate meanwhile waits, and then finds the charge
		if err := s.DB.Share(ctx, ward.Table, wards...); err != nil {
			return nil, err
		}
	}
	rates, err := s.rates(ctx, wards, to)
	if err != nil {
		return nil, fmt.Errorf("read rates: %w", err)
	}
	members, err := s.memberships(ctx, patients, from, to)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	for _, a := range list {
		a.Rates, a.Memberships = rates, members[a.patient]
	}
	return list, nil
}

// readStays gives the admissions the stays that hold at some instant between the first of the range and that of its last date, and returns their wards.
func (s *Service) readStays(ctx context.Context, byID map[uuid.UUID]*inHospital, ids []uuid.UUID, from, to civil.Date) (wards []uuid.UUID, err error) {
	rows, err := s.DB.Client.Stay.Query().
		Where(among(stay.FieldAdmissionID, ids), stay.FromAtLTE(civil.StartOfDay(to, s.Zone)), stay.Or(stay.ToAtIsNil(), stay.ToAtGT(civil.StartOfDay(from, s.Zone)))).
		Select(stay.FieldAdmissionID, stay.FieldWardID, stay.FieldFromAt, stay.FieldToAt).All(ctx)
	seen := map[uuid.UUID]bool{}
	for _, row := range rows {
		if a := byID[row.AdmissionID]; a != nil {
			a.Stays = append(a.Stays, BedTime{WardID: row.WardID, From: row.FromAt, To: row.ToAt})
		}
		if !seen[row.WardID] {
			seen[row.WardID] = true
			wards = append(wards, row.WardID)
		}
	}
	return wards, err
}

// rates returns the rates of the wards that have begun by the date, ascending.
func (s *Service) rates(ctx context.Context, wards []uuid.UUID, to civil.Date) (map[uuid.UUID][]Rate, error) {
	rates := make(map[uuid.UUID][]Rate, len(wards))
	if len(wards) == 0 {
		return rates, nil
	}
	rows, err := s.DB.Client.WardRate.Query().Where(wardrate.WardIDIn(wards...), wardrate.FromDateLTE(to)).
		Order(wardrate.ByWardID(), wardrate.ByFromDate()).All(ctx)
	for _, row := range rows {
		rates[row.WardID] = append(rates[row.WardID], Rate{From: row.FromDate, Amount: money.Amount{Minor: row.RateMinor, Currency: row.Currency}})
	}
	return rates, err
}

// memberships returns the memberships of the patients that count on some date of the range, by patient.
func (s *Service) memberships(ctx context.Context, patients []uuid.UUID, from, to civil.Date) (map[uuid.UUID][]Membership, error) {
	rows, err := s.DB.Client.NhiaMembership.Query().
		Where(among(nhiamembership.FieldPatientID, patients), nhiamembership.RegisteredOnLTE(to),
			nhiamembership.Or(nhiamembership.EndedOnIsNil(), nhiamembership.EndedOnGTE(from))).
		Select(nhiamembership.FieldPatientID, nhiamembership.FieldRegisteredOn, nhiamembership.FieldEndedOn).All(ctx)
	members := make(map[uuid.UUID][]Membership, len(rows))
	for _, row := range rows {
		members[row.PatientID] = append(members[row.PatientID], Membership{From: row.RegisteredOn, To: row.EndedOn})
	}
	return members, err
}

// among matches the rows whose column holds one of the ids. They are one argument however many they are: so many of their own would cost the engine more
// than finding the rows, and would be a statement to prepare for each number.
func among(column string, ids []uuid.UUID) func(*sql.Selector) {
	return func(q *sql.Selector) {
		texts := make([]string, len(ids))
		for i, id := range ids {
			texts[i] = id.String()
		}
		q.Where(sql.P(func(b *sql.Builder) {
			if b.Ident(q.C(column)); q.Dialect() == dialect.Postgres {
				b.WriteString(" = ANY(").Arg("{" + strings.Join(texts, ",") + "}").WriteString("::uuid[])")
				return
			}
			b.WriteString(" IN (SELECT value FROM json_each(").Arg(`["` + strings.Join(texts, `","`) + `"]`).WriteString("))")
		}))
	}
}

// ofDate is a date of an admission.
type ofDate struct {
	admission uuid.UUID
	date      civil.Date
}

// chargeState is what the ledger holds of an admission's date.
type chargeState struct {
	stands *ent.WalletTransaction // nil when the date was not charged, or that was reversed
	next   int                    // sequence of the next charge
}

// isDaily matches daily charges. The kind stands in the statement's text, because only then the plan may use the partial index by admission and date: without it
// a long stay would be read as a whole for each of its dates.
func isDaily(q *sql.Selector) {
	q.Where(sql.P(func(b *sql.Builder) {
		b.Ident(q.C(wallettransaction.FieldKind)).WriteString(" = '" + string(wallettransaction.KindDAILY_ADMISSION_CHARGE) + "'")
	}))
}

// charges reads what the ledger holds of the daily charges of the admissions: of one date, or of all when it is nil. For the system.
func (s *Service) charges(ctx context.Context, ids []uuid.UUID, on *civil.Date) (map[ofDate]chargeState, error) {
	query := s.DB.Client.WalletTransaction.Query().
		Where(among(wallettransaction.FieldAdmissionID, ids), isDaily)
	if on != nil {
		query.Where(wallettransaction.ChargeDate(*on))
	}
	rows, err := query.Select(wallettransaction.FieldAdmissionID, wallettransaction.FieldChargeDate, wallettransaction.FieldChargeSequence,
		wallettransaction.FieldAmountMinor, wallettransaction.FieldCurrency).All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	reversed, err := s.reversed(ctx, rows)
	if err != nil {
		return nil, err
	}
	states := make(map[ofDate]chargeState, len(rows))
	for _, row := range rows {
		key := ofDate{*row.AdmissionID, *row.ChargeDate}
		state := states[key]
		state.next = max(state.next, *row.ChargeSequence+1)
		if !reversed[row.ID] {
			state.stands = row
		}
		states[key] = state
	}
	return states, nil
}

// reversed tells which of the transactions have been reversed.
func (s *Service) reversed(ctx context.Context, rows []*ent.WalletTransaction) (map[uuid.UUID]bool, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	reversals, err := s.DB.Client.WalletTransaction.Query().Where(among(wallettransaction.FieldReversesID, ids)).Select(wallettransaction.FieldReversesID).All(ctx)
	reversed := make(map[uuid.UUID]bool, len(reversals))
	for _, r := range reversals {
		reversed[*r.ReversesID] = true
	}
	return reversed, err
}
