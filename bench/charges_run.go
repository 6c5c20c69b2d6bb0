package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	idleRead  = 3 * time.Second
	readPause = 10 * time.Millisecond
	pollPause = 50 * time.Millisecond
)

// cashier is an administrator at the API who has dates charged, and reads meanwhile.
type cashier struct {
	api    *api
	server *process
	token  string
	reader request
}

// open signs the administrator in and prepares what is read: where a patient lies, with the ward.
func (h *ward) open(ctx context.Context, server *process) (*cashier, error) {
	url, err := server.address(ctx)
	if err != nil {
		return nil, err
	}
	c := &cashier{api: newAPI(url), server: server}
	if c.token, _, err = c.api.login(ctx, "ada"); err != nil {
		return nil, err
	}
	body := requestBody(`query($id: ID!) { ward(id: $id) { id name isActive } }`, map[string]any{"id": h.id})
	c.reader, err = newRequest(http.MethodPost, url+"/graphql", c.token, body)
	return c, err
}

// charge has the API charge a date and waits for the end. How long it took is what the table of runs says.
func (c *cashier) charge(ctx context.Context, db *sql.DB, date string) (time.Duration, error) {
	var data struct {
		ChargeAdmissions struct {
			Run        *struct{ ID string }
			UserErrors []problem
		}
	}
	const document = `mutation($date: Date!) { chargeAdmissions(input: {date: $date}) { run { id } userErrors { code message } } }`
	if err := c.api.call(ctx, c.token, document, map[string]any{"date": date}, &data); err != nil {
		return 0, err
	}
	if data.ChargeAdmissions.Run == nil {
		return 0, fmt.Errorf("%s was not charged: %w", date, errors.Join(asErrors(data.ChargeAdmissions.UserErrors)...))
	}
	for {
		var state string
		var started time.Time
		var finished sql.NullTime
		err := db.QueryRowContext(ctx, "SELECT state, started_at, finished_at FROM job_runs WHERE id = $1", data.ChargeAdmissions.Run.ID).Scan(&state, &started, &finished)
		switch {
		case err != nil:
			return 0, err
		case state == "FAILED":
			return 0, fmt.Errorf("charging %s failed", date)
		case finished.Valid:
			return finished.Time.Sub(started), nil
		}
		if err := sleep(ctx, pollPause); err != nil {
			return 0, err
		}
	}
}

// read reads again and again while something is done, and takes down how long each answer took.
func (c *cashier) read(ctx context.Context, into *histogram, while func() error) error {
	k, err := dial(ctx, c.api.url)
	if err != nil {
		return err
	}
	defer func() { _ = k.conn.Close() }()
	done := make(chan error, 1)
	go func() { done <- while() }()
	for {
		select {
		case err := <-done:
			return err
		case <-time.After(readPause):
		}
		begun := time.Now()
		status, body, err := k.do(c.reader.wire)
		if err != nil || status != http.StatusOK {
			return errors.Join(fmt.Errorf("the reader was answered with status %d (%v): %.300s", status, err, body), <-done)
		}
		into.add(time.Since(begun))
	}
}

// owedBy finds what is owed for a date by the patients who lay in a bed at its first instant, and was not charged.
const owedBy = `SELECT a.id AS admission_id, a.patient_id, w.id AS wallet_id, w.position + 1 AS position, w.balance_minor - r.rate_minor AS balance, r.rate_minor
FROM admissions a
JOIN stays s ON s.admission_id = a.id AND s.from_at <= {start} AND (s.to_at IS NULL OR s.to_at > {start})
JOIN wallets w ON w.patient_id = a.patient_id
JOIN ward_rates r ON r.ward_id = s.ward_id AND r.from_date = (SELECT max(b.from_date) FROM ward_rates b WHERE b.ward_id = s.ward_id AND b.from_date <= {date})
WHERE a.admitted_at <= {start} AND (a.discharged_at IS NULL OR a.discharged_at > {start}) AND r.rate_minor > 0
AND NOT EXISTS (SELECT 1 FROM nhia_memberships m WHERE m.patient_id = a.patient_id AND m.registered_on <= {date} AND (m.ended_on IS NULL OR m.ended_on >= {date}))
AND NOT EXISTS (SELECT 1 FROM wallet_transactions t WHERE t.admission_id = a.id AND t.charge_date = {date} AND t.kind = 'DAILY_ADMISSION_CHARGE')`

// moveWallets and insertCharges write what is owed.
const (
	moveWallets   = `UPDATE wallets SET position = due.position, balance_minor = due.balance FROM due WHERE wallets.id = due.wallet_id`
	insertCharges = `INSERT INTO wallet_transactions (id, created_at, wallet_id, patient_id, position, kind, amount_minor, balance_after_minor, currency, counter_account,
admission_id, charge_date, charge_sequence, reference, description, actor, hash)
SELECT {id}, {now}, wallet_id, patient_id, position, 'DAILY_ADMISSION_CHARGE', -rate_minor, balance, 'AUD', 'WARD_REVENUE',
admission_id, {date}, 0, 'DAC-' || admission_id || '-' || {text}, 'Bed in hospital on ' || {text}, 'bench', '' FROM due`
)

// spelled puts the arguments start, date and now in, and what the engine calls a new id.
func spelled(isPG bool, text string) string {
	words := []string{"{start}", "?1", "{date}", "?2", "{text}", "?2", "{now}", "?3",
		"{id}", "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6)))"}
	if isPG {
		words = []string{"{start}", "$1::timestamptz", "{date}", "$2::date", "{text}", "$2::date::text", "{now}", "$3::timestamptz", "{id}", "gen_random_uuid()"}
	}
	return strings.NewReplacer(words...).Replace(text)
}

// chargeByStatement is the floor: one statement finds what is owed, moves the wallets and writes the rows, without hash and audit. SQLite, which has no
// statement that writes two tables, takes two and a table for what is owed, in one transaction.
func chargeByStatement(ctx context.Context, db *sql.DB, h *ward, date string) (time.Duration, error) {
	isPG := isPostgres(h.engine.database)
	start, err := time.ParseInLocation(time.DateOnly, date, h.zone)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	args := []any{start.UTC(), date, begun.UTC()}
	if isPG {
		_, err = db.ExecContext(ctx, spelled(isPG, "WITH due AS ("+owedBy+"), moved AS ("+moveWallets+") "+insertCharges), args...)
		return time.Since(begun), err
	}
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		for _, one := range []struct {
			text string
			args []any
		}{{"CREATE TEMP TABLE due AS " + owedBy, args[:2]}, {insertCharges, args}, {moveWallets, nil}, {"DROP TABLE due", nil}} {
			if _, err := tx.ExecContext(ctx, spelled(isPG, one.text), one.args...); err != nil {
				return err
			}
		}
		return nil
	})
	return time.Since(begun), err
}
