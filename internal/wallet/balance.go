package wallet

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/money"
)

const (
	maxEntries = 1000 // of a statement
	maxDays    = 3660
)

// Statement returns what was posted from the first to the last date, both included, with the balances around it; nil when there is no wallet or the viewer
// may not see it. Errors: INVALID_INPUT when the range is empty or longer than 3,660 days.
func (s *Service) Statement(ctx context.Context, patientID uuid.UUID, from, to civil.Date) (*WalletStatement, error) {
	if days := from.DaysUntil(to) + 1; days < 1 || days > maxDays {
		return nil, fault.InvalidAt("The range has 1 to 3,660 days.", "to")
	}
	w, err := s.DB.Client.Wallet.Get(ctx, IDOf(patientID))
	if err != nil {
		return nil, ent.MaskNotFound(err)
	}
	start, end := civil.StartOfDay(from, s.Zone), s.endOf(to)
	before, err := s.sums(ctx, w, wallettransaction.CreatedAtLT(start))
	if err != nil {
		return nil, err
	}
	within, err := s.sums(ctx, w, wallettransaction.CreatedAtGTE(start), wallettransaction.CreatedAtLT(end))
	if err != nil {
		return nil, err
	}
	statement := &WalletStatement{WalletID: w.ID, From: from, To: to, HasMore: within.Count > maxEntries, start: start, end: end, upTo: w.Position}
	statement.Opening = money.Amount{Minor: before.Credits + before.Debits, Currency: w.Currency}
	statement.Credits = money.Amount{Minor: within.Credits, Currency: w.Currency}
	statement.Debits = money.Amount{Minor: within.Debits, Currency: w.Currency}
	moved, err := statement.Credits.Add(statement.Debits)
	if err != nil {
		return nil, err
	}
	statement.Closing, err = statement.Opening.Add(moved)
	return statement, err
}

// Entries asks for what a statement lists: in order, the first 1,000.
func (s *Service) Entries(of *WalletStatement) *ent.WalletTransactionQuery {
	return s.DB.Client.WalletTransaction.Query().Where(wallettransaction.WalletID(of.WalletID), wallettransaction.PositionLTE(of.upTo),
		wallettransaction.CreatedAtGTE(of.start), wallettransaction.CreatedAtLT(of.end)).Order(wallettransaction.ByPosition()).Limit(maxEntries)
}

// endOf is the first instant behind a date. Behind the last date that can be written nothing is posted.
func (s *Service) endOf(date civil.Date) time.Time {
	if next := date.AddDays(1); next.IsValid() {
		return civil.StartOfDay(next, s.Zone)
	}
	return civil.StartOfDay(date, s.Zone)
}

// BalanceAt returns the balance at the end of a date; nil when there is no wallet or the viewer may not see it.
func (s *Service) BalanceAt(ctx context.Context, patientID uuid.UUID, date civil.Date) (*money.Amount, error) {
	w, err := s.DB.Client.Wallet.Get(ctx, IDOf(patientID))
	if err != nil {
		return nil, ent.MaskNotFound(err)
	}
	sum, err := s.sums(ctx, w, wallettransaction.CreatedAtLT(s.endOf(date)))
	return &money.Amount{Minor: sum.Credits + sum.Debits, Currency: w.Currency}, err
}

// sums are those of some of a wallet's transactions. They are summed by date and not read from the newest of them: two instances' clocks may differ, so that
// a date's last position is not always its last instant.
type sums struct {
	Credits, Debits int64
	Count           int
}

func (s *Service) sums(ctx context.Context, w *ent.Wallet, which ...func(*sql.Selector)) (sums, error) {
	q := s.DB.Client.WalletTransaction.Query().Where(wallettransaction.WalletID(w.ID), wallettransaction.PositionLTE(w.Position))
	for _, p := range which {
		q.Where(p)
	}
	var found []sums
	err := q.Aggregate(
		func(*sql.Selector) string {
			return sql.As("CAST(COALESCE(SUM(CASE WHEN amount_minor > 0 THEN amount_minor END), 0) AS BIGINT)", "credits")
		},
		func(*sql.Selector) string {
			return sql.As("CAST(COALESCE(SUM(CASE WHEN amount_minor < 0 THEN amount_minor END), 0) AS BIGINT)", "debits")
		},
		ent.As(ent.Count(), "count"),
	).Scan(ctx, &found)
	if err != nil || len(found) == 0 {
		return sums{}, err
	}
	return found[0], nil
}

// Reversals returns the reversals of transactions, by the id of what they reverse, as far as the viewer may see them.
func (s *Service) Reversals(ctx context.Context, of []uuid.UUID) (map[uuid.UUID]*ent.WalletTransaction, error) {
	rows, err := s.DB.Client.WalletTransaction.Query().Where(wallettransaction.ReversesIDIn(of...)).All(ctx)
	found := make(map[uuid.UUID]*ent.WalletTransaction, len(rows))
	for _, t := range rows {
		found[*t.ReversesID] = t
	}
	return found, err
}

// IsLow tells whether a balance is below the practice's threshold.
func (s *Service) IsLow(w *ent.Wallet) bool { return w.BalanceMinor < s.LowBalance.Minor }

// Rates returns what a day in the present bed costs the patients; who is not in hospital or pays nothing is left out. Whoever calls it shows
// only what follows for wallets that the viewer may see.
func (s *Service) Rates(ctx context.Context, patientIDs []uuid.UUID) (map[uuid.UUID]money.Amount, error) {
	if s.DailyRates == nil {
		return nil, nil
	}
	return s.DailyRates(access.System(ctx, "days until overdrawn"), patientIDs)
}

// DaysUntilOverdrawn returns for how many more days a balance pays a daily rate; nil when it is overdrawn already or there is nothing to pay.
func DaysUntilOverdrawn(balance, rate money.Amount) *int {
	if balance.Sign() < 0 || rate.Sign() <= 0 {
		return nil
	}
	days := int(balance.Minor / rate.Minor)
	return &days
}
