package wallet

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	entpatient "github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/user"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
)

// Kinds of what is told about balances.
const (
	KindLow       = "WALLET_LOW"
	KindOverdrawn = "WALLET_OVERDRAWN"
)

const (
	tellAgainAfter = 24 * time.Hour
	alertBatch     = 500
)

// alert is what the watch makes of a wallet.
type alert struct {
	wallet *ent.Wallet
	level  entwallet.AlertLevel
	isTold bool
}

// level is what a balance comes to.
func level(balance, threshold int64) entwallet.AlertLevel {
	switch {
	case balance < 0:
		return entwallet.AlertLevelOVERDRAWN
	case balance < threshold:
		return entwallet.AlertLevelLOW
	default:
		return entwallet.AlertLevelNONE
	}
}

// judge says what becomes of a wallet whose level is another than was found last. Who falls to a level is told, at most once in 24 hours: until those are
// over the wallet stays at its old level, so that a later look finds the fall again. Who rises to a level is not told. ok is false when nothing is to be done.
func judge(w *ent.Wallet, threshold int64, isExempt bool, now time.Time) (a alert, ok bool) {
	a = alert{wallet: w, level: level(w.BalanceMinor, threshold)}
	toldAt := w.LowToldAt
	switch a.level {
	case w.AlertLevel:
		return a, false
	case entwallet.AlertLevelNONE:
		return a, true
	case entwallet.AlertLevelLOW:
		if w.AlertLevel == entwallet.AlertLevelOVERDRAWN {
			return a, true
		}
	default:
		toldAt = w.OverdrawnToldAt
	}
	switch {
	case isExempt && w.BalanceMinor >= 0: // no charge is open, and none will come
		return a, false
	case toldAt != nil && now.Sub(*toldAt) < tellAgainAfter:
		return a, false
	}
	a.isTold = true
	return a, true
}

// LowBalanceDue tells patients and billers of wallets that have fallen below the practice's threshold or below zero since it last looked, and returns how
// many of each. For a job.
func (s *Service) LowBalanceDue(ctx context.Context) (low, overdrawn int, err error) {
	ctx = access.System(ctx, "watch balances")
	billers, err := s.billers(ctx)
	if err != nil {
		return 0, 0, err
	}
	for after, isLast := uuid.Nil, false; !isLast; {
		var told map[entwallet.AlertLevel]int
		var next uuid.UUID // of this attempt: one that is rolled back has told nobody
		err := s.DB.WithTx(ctx, func(ctx context.Context) error {
			wallets, err := s.changed(ctx, after)
			if err != nil {
				return err
			}
			told, err = s.tellAll(ctx, wallets, billers)
			if isLast = len(wallets) < alertBatch; !isLast {
				next = wallets[len(wallets)-1].ID
			}
			return err
		})
		if err != nil {
			return low, overdrawn, err
		}
		after = next
		low += told[entwallet.AlertLevelLOW]
		overdrawn += told[entwallet.AlertLevelOVERDRAWN]
	}
	return low, overdrawn, nil
}

// changed locks and returns the next wallets at another level than was found last.
func (s *Service) changed(ctx context.Context, after uuid.UUID) ([]*ent.Wallet, error) {
	return s.DB.Client.Wallet.Query().Where(entwallet.IDGT(after), entwallet.Or(
		entwallet.And(entwallet.BalanceMinorLT(0), entwallet.AlertLevelNEQ(entwallet.AlertLevelOVERDRAWN)),
		entwallet.And(entwallet.BalanceMinorGTE(0), entwallet.BalanceMinorLT(s.LowBalance.Minor), entwallet.AlertLevelNEQ(entwallet.AlertLevelLOW)),
		entwallet.And(entwallet.BalanceMinorGTE(s.LowBalance.Minor), entwallet.BalanceMinorGTE(0), entwallet.AlertLevelNEQ(entwallet.AlertLevelNONE)),
	), s.DB.ForUpdate).Order(entwallet.ByID()).Limit(alertBatch).All(ctx)
}

// tellAll tells of the wallets and writes down their levels. It returns how many were told of, by level.
func (s *Service) tellAll(ctx context.Context, wallets []*ent.Wallet, billers []uuid.UUID) (map[entwallet.AlertLevel]int, error) {
	exempt, err := s.exempt(ctx, wallets)
	if err != nil {
		return nil, err
	}
	now, told := s.DB.Now(), map[entwallet.AlertLevel]int{}
	var alerts []alert
	for _, w := range wallets {
		if a, ok := judge(w, s.LowBalance.Minor, exempt[w.PatientID], now); ok {
			alerts = append(alerts, a)
			if a.isTold {
				told[a.level]++
			}
		}
	}
	if err := s.note(ctx, alerts, now); err != nil {
		return nil, err
	}
	return told, s.tell(ctx, alerts, billers, now.Format(time.RFC3339))
}

func (s *Service) exempt(ctx context.Context, wallets []*ent.Wallet) (map[uuid.UUID]bool, error) {
	if s.IsExempt == nil || len(wallets) == 0 {
		return nil, nil
	}
	return s.IsExempt(ctx, patientsOf(wallets))
}

func patientsOf(wallets []*ent.Wallet) []uuid.UUID {
	list := make([]uuid.UUID, len(wallets))
	for i, w := range wallets {
		list[i] = w.PatientID
	}
	return list
}

// note writes the levels down, in one statement for each that was reached in the same way.
func (s *Service) note(ctx context.Context, alerts []alert, now time.Time) error {
	type group struct {
		level  entwallet.AlertLevel
		isTold bool
	}
	groups := map[group][]uuid.UUID{}
	for _, a := range alerts {
		g := group{a.level, a.isTold}
		groups[g] = append(groups[g], a.wallet.ID)
	}
	for g, list := range groups {
		update := s.DB.Client.Wallet.Update().Where(entwallet.IDIn(list...)).SetAlertLevel(g.level)
		switch {
		case g.isTold && g.level == entwallet.AlertLevelLOW:
			update.SetLowToldAt(now)
		case g.isTold:
			update.SetOverdrawnToldAt(now)
		}
		if err := update.Exec(ctx); err != nil {
			return fmt.Errorf("note levels of wallets: %w", err)
		}
	}
	return nil
}

// tell puts notices before patients and billers, and mails to patients into the outbox.
func (s *Service) tell(ctx context.Context, alerts []alert, billers []uuid.UUID, occurrence string) error {
	var wallets []*ent.Wallet
	for _, a := range alerts {
		if a.isTold {
			wallets = append(wallets, a.wallet)
		}
	}
	if len(wallets) == 0 {
		return nil
	}
	people, err := s.DB.Client.Patient.Query().Where(entpatient.IDIn(patientsOf(wallets)...)).All(ctx)
	if err != nil {
		return err
	}
	byID := make(map[uuid.UUID]*ent.Patient, len(people))
	for _, p := range people {
		byID[p.ID] = p
	}
	var notices []notify.Notice
	var mails []notify.Mail
	for _, a := range alerts {
		p := byID[a.wallet.PatientID]
		if !a.isTold || p == nil {
			continue
		}
		toPatient, toBillers := s.texts(a, occurrence)
		for _, id := range billers {
			toBillers.UserID = id
			notices = append(notices, toBillers)
		}
		if p.UserID != nil {
			toPatient.UserID = *p.UserID
			notices = append(notices, toPatient)
		}
		if p.Email != "" {
			mails = append(mails, notify.Mail{
				Kind: toPatient.Kind, UserID: p.UserID, To: p.Email, SubjectID: a.wallet.ID, Occurrence: occurrence, Subject: toPatient.Title,
				Body: fmt.Sprintf("Dear %s,\n\n%s\n\n%s\n", p.GivenName, toPatient.Text, s.PracticeName),
			})
		}
	}
	if err := s.Notify.Notices(ctx, notices...); err != nil {
		return err
	}
	return s.Notify.Mails(ctx, mails...)
}

// texts are the notices of a level for the patient and for billers.
func (s *Service) texts(a alert, occurrence string) (toPatient, toBillers notify.Notice) {
	balance := money.Amount{Minor: a.wallet.BalanceMinor, Currency: a.wallet.Currency}
	toPatient = notify.Notice{
		Kind: KindLow, SubjectID: a.wallet.ID, Occurrence: occurrence, Title: "Your wallet is low",
		Text: fmt.Sprintf("The balance of your wallet is %s, below %s. Please top it up.", balance, s.LowBalance),
	}
	toBillers = toPatient
	toBillers.Title, toBillers.Text = "A patient's wallet is low", fmt.Sprintf("The balance of a patient's wallet is %s, below %s.", balance, s.LowBalance)
	if a.level == entwallet.AlertLevelOVERDRAWN {
		toPatient.Kind, toPatient.Title = KindOverdrawn, "Your wallet is overdrawn"
		toPatient.Text = fmt.Sprintf("The balance of your wallet is %s. Please top it up.", balance)
		toBillers.Kind, toBillers.Title = KindOverdrawn, "A patient's wallet is overdrawn"
		toBillers.Text = fmt.Sprintf("The balance of a patient's wallet is %s.", balance)
	}
	return toPatient, toBillers
}

// billers are the users who deal with wallets.
func (s *Service) billers(ctx context.Context) ([]uuid.UUID, error) {
	return s.active(ctx, access.Biller)
}

func (s *Service) active(ctx context.Context, role access.Role) ([]uuid.UUID, error) {
	list, err := s.DB.Client.User.Query().Where(user.IsActive(true), func(q *sql.Selector) {
		q.Where(sqljson.ValueContains(user.FieldRoles, string(role)))
	}).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("find who is told: %w", err)
	}
	return list, nil
}
