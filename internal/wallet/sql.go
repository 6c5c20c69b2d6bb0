package wallet

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
)

// The statements take their rows as arrays (PostgreSQL) or as one text of JSON (SQLite): their text, and so the prepared statement, is the same for any
// number of rows.

// statement is a text with its arguments.
type statement struct {
	text string
	args []any
}

// Query implements store.Statement.
func (s statement) Query() (string, []any) { return s.text, s.args }

// column is one of the table k, with its type on PostgreSQL.
type column struct{ name, kind string }

func (s *Service) isPostgres() bool { return s.DB.Dialect() == dialect.Postgres }

// mark is the place of the n-th argument, from 1.
func (s *Service) mark(n int, kind string) string {
	if s.isPostgres() {
		return "$" + strconv.Itoa(n) + "::" + kind
	}
	return "?"
}

// given returns the table k of the rows, and its arguments, of which the first is the n-th of the statement. Values are strings, int64 or nil.
func (s *Service) given(n int, columns []column, rows [][]any) (table string, args []any, err error) {
	names, marks := make([]string, len(columns)), make([]string, len(columns))
	if !s.isPostgres() {
		for i, c := range columns {
			names[i] = "value ->> " + strconv.Itoa(i) + " AS " + c.name
		}
		text, err := json.Marshal(rows)
		return "(SELECT " + strings.Join(names, ", ") + " FROM json_each(?)) AS k", []any{string(text)}, err
	}
	args = make([]any, len(columns))
	for i, c := range columns {
		names[i], marks[i] = c.name, s.mark(n+i, c.kind+"[]")
		if args[i], err = array(rows, i); err != nil {
			return "", nil, err
		}
	}
	return "unnest(" + strings.Join(marks, ", ") + ") AS k(" + strings.Join(names, ", ") + ")", args, nil
}

var quote = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// array writes a column of the rows as PostgreSQL reads an array.
func array(rows [][]any, i int) (string, error) {
	var b strings.Builder
	b.WriteByte('{')
	for n, row := range rows {
		if n > 0 {
			b.WriteByte(',')
		}
		switch v := row[i].(type) {
		case nil:
			b.WriteString("NULL")
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		case string:
			b.WriteByte('"')
			_, _ = quote.WriteString(&b, v)
			b.WriteByte('"')
		default:
			return "", fmt.Errorf("wallet: no array takes a %T", v)
		}
	}
	b.WriteByte('}')
	return b.String(), nil
}

// among is the predicate that the column's value is one of the ids, the first argument of the statement.
func (s *Service) among(column string, list []uuid.UUID) (text string, arg any, err error) {
	texts := make([]string, len(list))
	for i, id := range list {
		texts[i] = id.String()
	}
	if s.isPostgres() {
		return column + " = ANY(" + s.mark(1, "uuid[]") + ")", "{" + strings.Join(texts, ",") + "}", nil
	}
	encoded, err := json.Marshal(texts)
	return column + " IN (SELECT value FROM json_each(?))", string(encoded), err
}

// columns of a transaction, besides the instant, which is one for all rows of a statement.
var columns = []column{
	{"id", "uuid"}, {"wallet_id", "uuid"}, {"patient_id", "uuid"}, {"position", "bigint"}, {"kind", "text"}, {"amount_minor", "bigint"},
	{"balance_after_minor", "bigint"}, {"currency", "text"}, {"counter_account", "text"}, {"admission_id", "uuid"}, {"charge_date", "date"},
	{"charge_sequence", "bigint"}, {"reference", "text"}, {"description", "text"}, {"reverses_id", "uuid"}, {"actor_id", "uuid"}, {"actor", "text"},
	{"hash", "text"},
}

func valuesOf(t *ent.WalletTransaction) []any {
	var date, sequence any
	if t.ChargeDate != nil {
		date = t.ChargeDate.String()
	}
	if t.ChargeSequence != nil {
		sequence = int64(*t.ChargeSequence)
	}
	return []any{
		t.ID.String(), t.WalletID.String(), t.PatientID.String(), t.Position, string(t.Kind), t.AmountMinor,
		t.BalanceAfterMinor, t.Currency, string(t.CounterAccount), nullable(t.AdmissionID), date,
		sequence, t.Reference, t.Description, nullable(t.ReversesID), nullable(t.ActorID), t.Actor,
		t.Hash,
	}
}

func nullable(id *uuid.UUID) any {
	if id == nil {
		return nil
	}
	return id.String()
}

// insert writes the transactions, all with the instant of the first.
func (s *Service) insert(ctx context.Context, rows []*ent.WalletTransaction) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	list := strings.Join(names, ", ")
	text := "INSERT INTO wallet_transactions (created_at, " + list + ") SELECT " + s.mark(1, "timestamptz") + ", k." + strings.Join(names, ", k.") + " FROM "
	for len(rows) > 0 {
		part := rows[:min(batch, len(rows))]
		values := make([][]any, len(part))
		for i, t := range part {
			values[i] = valuesOf(t)
		}
		table, args, err := s.given(2, columns, values)
		if err != nil {
			return err
		}
		if err := s.exec(ctx, "post to the ledger", statement{text + table, append([]any{part[0].CreatedAt}, args...)}, len(part)); err != nil {
			return err
		}
		rows = rows[len(part):]
	}
	return nil
}

// move writes the states of the wallets into their rows.
func (s *Service) move(ctx context.Context, held book, moved []uuid.UUID) error {
	columns := []column{{"id", "uuid"}, {"balance", "bigint"}, {"position", "bigint"}, {"hash", "text"}}
	for len(moved) > 0 {
		part := moved[:min(batch, len(moved))]
		values := make([][]any, len(part))
		for i, id := range part {
			w := held[id]
			values[i] = []any{id.String(), w.balance, w.position, w.hash}
		}
		table, args, err := s.given(1, columns, values)
		if err != nil {
			return err
		}
		text := "UPDATE wallets SET balance_minor = k.balance, position = k.position, hash = k.hash FROM " + table + " WHERE wallets.id = k.id"
		if err := s.exec(ctx, "move wallets", statement{text, args}, len(part)); err != nil {
			return err
		}
		moved = moved[len(part):]
	}
	return nil
}

// exec runs a statement that writes n rows.
func (s *Service) exec(ctx context.Context, reason string, st statement, n int) error {
	written, err := s.DB.Exec(ctx, reason, st)
	if err == nil && written != int64(n) {
		err = fmt.Errorf("%s: %d rows were written, not %d", reason, written, n)
	}
	return err
}
