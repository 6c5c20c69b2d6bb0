package wallet

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/money"
)

const allWallets = "WALLETS"

// accounts are those of the hospital, in the order in which they are shown.
var accounts = []wallettransaction.CounterAccount{
	wallettransaction.CounterAccountCASH, wallettransaction.CounterAccountCARD, wallettransaction.CounterAccountWARD_REVENUE,
	wallettransaction.CounterAccountADMISSION_REVENUE, wallettransaction.CounterAccountADJUSTMENTS,
}

// TrialBalance sums up all wallets and all accounts: the wallets by their own rows, the accounts by the transactions. For billers and administrators.
func (s *Service) TrialBalance(ctx context.Context) (*TrialBalance, error) {
	zero := money.Amount{Currency: s.Currency}
	found := map[string]AccountTotal{}
	query := statement{text: "SELECT '" + allWallets + "', CAST(COALESCE(SUM(balance_minor), 0) AS BIGINT), COUNT(*) FROM wallets UNION ALL " +
		"SELECT counter_account, CAST(-SUM(amount_minor) AS BIGINT), COUNT(*) FROM wallet_transactions GROUP BY counter_account"}
	err := s.DB.Query(access.System(ctx, "trial balance"), "trial balance", query, func(row *entsql.Rows) error {
		t := AccountTotal{Total: zero}
		err := row.Scan(&t.Account, &t.Total.Minor, &t.Count)
		found[t.Account] = t
		return err
	})
	if err != nil {
		return nil, err
	}
	b := &TrialBalance{Wallets: found[allWallets], Total: found[allWallets].Total}
	for _, account := range accounts {
		t, ok := found[string(account)]
		if !ok {
			t = AccountTotal{Account: string(account), Total: zero}
		}
		if b.Total, err = b.Total.Add(t.Total); err != nil {
			return nil, err
		}
		b.Accounts = append(b.Accounts, t)
	}
	b.IsBalanced = b.Total.IsZero()
	return b, nil
}
