package hospital

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/wallet"
)

// Why a daily charge is reversed; what the ledger then shows people.
const (
	notOwed     = "The day is not owed."
	owedAnother = "Another amount is owed for the day."
)

var errCurrency = errors.New("a ward's rate is in another currency than the practice's")

// settled is what settling has posted and reversed.
type settled struct{ posted, reversed []*ent.WalletTransaction }

// settle posts what the admissions owe up to today and was not posted, and reverses what stands and is not owed, or with another amount, in the transaction
// of ctx, as the system on behalf of who acts.
//
// Who changes what charges follow from (an interval, a stay, a membership) calls it twice in the transaction: before the change, so that the books say what was
// owed until then whether or not the job came by, and after it. So they do not depend on when the job ran.
func (s *Service) settle(ctx context.Context, admissionIDs ...uuid.UUID) (done settled, err error) {
	if len(admissionIDs) == 0 {
		return done, nil
	}
	ctx = access.System(ctx, "settle daily charges")
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		owner, err := s.lockWallets(ctx, admissionIDs)
		if err != nil {
			return err
		}
		c, err := s.compare(ctx, admissionIDs)
		if err != nil {
			return fmt.Errorf("settle daily charges: %w", err)
		}
		done, err = s.correct(ctx, c, owner)
		return err
	})
	return done, err
}

// lockWallets locks the wallets of the admissions' patients: who posts and who changes facts wait for each other here. It returns whose admission it is.
func (s *Service) lockWallets(ctx context.Context, ids []uuid.UUID) (owner map[uuid.UUID]uuid.UUID, err error) {
	rows, err := s.DB.Client.Admission.Query().Where(admission.IDIn(ids...)).Select(admission.FieldPatientID).All(ctx)
	if err != nil {
		return nil, err
	}
	owner = make(map[uuid.UUID]uuid.UUID, len(rows))
	patients := make([]uuid.UUID, len(rows))
	for i, a := range rows {
		owner[a.ID], patients[i] = a.PatientID, a.PatientID
	}
	return owner, s.Wallets.Lock(ctx, patients...)
}

// correction is what the ledger lacks, and what it has too much.
type correction struct {
	missing []missingCharge
	undo    map[string][]uuid.UUID // by the reason
}

type missingCharge struct {
	admission uuid.UUID
	due       Due
	sequence  int
}

// compare holds the ledger against what is owed.
func (s *Service) compare(ctx context.Context, ids []uuid.UUID) (c correction, err error) {
	states, err := s.charges(ctx, ids, nil)
	if err != nil {
		return c, err
	}
	today := s.today()
	from, to := today, today
	for key := range states { // also what was charged on dates that the clock no longer admits to
		from, to = earlier(from, key.date), later(to, key.date)
	}
	first, err := s.DB.Client.Admission.Query().Where(admission.IDIn(ids...)).Order(admission.ByAdmittedAt()).First(ctx)
	if err != nil {
		return c, ent.MaskNotFound(err)
	}
	from = earlier(from, civil.DateOf(first.AdmittedAt, s.Zone))
	list, err := s.facts(ctx, ids, from, to)
	if err != nil {
		return c, err
	}
	c.undo = map[string][]uuid.UUID{}
	for _, a := range list {
		for _, due := range Owed(s.Zone, a.Inpatient, from, to) {
			state := states[ofDate{a.id, due.Date}]
			c.add(a.id, due, state, today)
		}
	}
	return c, nil
}

// add compares one date.
func (c *correction) add(admissionID uuid.UUID, due Due, state chargeState, today civil.Date) {
	isOwed := due.Skip == ""
	if state.stands != nil {
		switch {
		case !isOwed:
			c.undo[notOwed] = append(c.undo[notOwed], state.stands.ID)
		case state.stands.AmountMinor != -due.Amount.Minor:
			c.undo[owedAnother] = append(c.undo[owedAnother], state.stands.ID)
		default:
			return
		}
	}
	if isOwed && (state.stands != nil || !due.Date.After(today)) {
		c.missing = append(c.missing, missingCharge{admissionID, due, state.next})
	}
}

// correct writes the ledger right.
func (s *Service) correct(ctx context.Context, c correction, owner map[uuid.UUID]uuid.UUID) (done settled, err error) {
	for _, reason := range []string{notOwed, owedAnother} {
		if len(c.undo[reason]) == 0 {
			continue
		}
		rows, err := s.DB.Client.WalletTransaction.Query().Where(wallettransaction.IDIn(c.undo[reason]...)).Order(wallettransaction.ByID()).All(ctx)
		if err != nil {
			return done, err
		}
		reversals, err := s.Wallets.Reverse(ctx, reason, rows)
		if err != nil {
			return done, err
		}
		done.reversed = append(done.reversed, reversals...)
	}
	slices.SortStableFunc(c.missing, func(a, b missingCharge) int { return a.due.Date.Compare(b.due.Date) })
	postings := make([]wallet.Posting, len(c.missing))
	for i, m := range c.missing {
		if postings[i], err = s.posting(m.admission, owner[m.admission], m.due, m.sequence); err != nil {
			return done, err
		}
	}
	done.posted, err = s.Wallets.Post(ctx, postings)
	return done, err
}

// posting is the row of the ledger of a daily charge.
func (s *Service) posting(admissionID, patientID uuid.UUID, due Due, sequence int) (wallet.Posting, error) {
	if due.Amount.Currency != s.Currency {
		return wallet.Posting{}, errCurrency
	}
	debit, err := money.Amount{Minor: due.Amount.Minor, Currency: s.Currency}.Neg()
	return wallet.Posting{
		PatientID: patientID, Kind: wallettransaction.KindDAILY_ADMISSION_CHARGE, AmountMinor: debit.Minor,
		CounterAccount: wallettransaction.CounterAccountWARD_REVENUE, AdmissionID: &admissionID, ChargeDate: &due.Date, ChargeSequence: &sequence,
		Reference: chargeReference(admissionID, due.Date, sequence), Description: "Bed in hospital on " + due.Date.String(),
	}, err
}

// chargeReference names the charge of an admission's date, and one that followed a reversal by its sequence too.
func chargeReference(admissionID uuid.UUID, d civil.Date, sequence int) string {
	reference := "DAC-" + admissionID.String() + "-" + d.String()
	if sequence > 0 {
		reference += fmt.Sprintf("-%d", sequence)
	}
	return reference
}

func earlier(a, b civil.Date) civil.Date {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b civil.Date) civil.Date {
	if b.After(a) {
		return b
	}
	return a
}
