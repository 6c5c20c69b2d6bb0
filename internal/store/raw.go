package store

import (
	"context"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// Statement is what ent's builder makes.
type Statement interface{ Query() (string, []any) }

// Exec runs a raw statement in the transaction of ctx and returns the number of rows it touched. Raw statements pass the access policy by:
// only the system actor may use them, reason says why, and who writes records of patients or money this way writes the audit rows too.
func (db *DB) Exec(ctx context.Context, reason string, s Statement) (int64, error) {
	if err := rawAllowed(ctx, reason); err != nil {
		return 0, err
	}
	if current(ctx) == nil {
		return 0, errNoTransaction
	}
	query, args := s.Query()
	var result entsql.Result
	if err := db.driver.Exec(ctx, query, args, &result); err != nil {
		return 0, fmt.Errorf("%s: %w", reason, err)
	}
	return result.RowsAffected()
}

// Query runs a raw query under the same rule as Exec and hands every row to scan.
func (db *DB) Query(ctx context.Context, reason string, s Statement, scan func(row *entsql.Rows) error) error {
	if err := rawAllowed(ctx, reason); err != nil {
		return err
	}
	query, args := s.Query()
	rows := &entsql.Rows{}
	if err := db.driver.Query(ctx, query, args, rows); err != nil {
		return fmt.Errorf("%s: %w", reason, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", reason, err)
		}
	}
	return rows.Err()
}

func rawAllowed(ctx context.Context, reason string) error {
	if v := access.From(ctx); v == nil || !v.IsSystem() || reason == "" {
		return fault.ErrForbidden
	}
	return nil
}
