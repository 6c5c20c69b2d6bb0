package hospital_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

// raw is a statement of a test.
type raw struct {
	text string
	args []any
}

// Query implements store.Statement.
func (r raw) Query() (string, []any) { return r.text, r.args }

const fillBatch = 1000 // the triggers take locks of each stay

// filling copies rows of the office as often as a big hospital has them.
type filling struct {
	db       *store.DB
	from, to int // numbers of the copies
}

// id is the id of a copy by its number n: one of the kind, told by the last byte.
func (f filling) id(kind string) string {
	tag := fmt.Sprintf("%02x", ids.Tags[kind])
	if f.db.Dialect() == dialect.Postgres {
		return "('01940000-0000-7000-8000-' || lpad(to_hex(n), 10, '0') || '" + tag + "')::uuid"
	}
	return "'01940000-0000-7000-8000-' || printf('%010x', n) || '" + tag + "'"
}

// copies copies a row; differ gives expressions over the number n.
func (f filling) copies(ctx context.Context, table, columns, values string, like uuid.UUID) error {
	text := fmt.Sprintf("WITH RECURSIVE k(n) AS (SELECT CAST(%d AS integer) UNION ALL SELECT n + 1 FROM k WHERE n < %d) INSERT INTO %s (%s) SELECT %s FROM %s t, k WHERE t.id = ",
		f.from, f.to, table, columns, values, table)
	if f.db.Dialect() == dialect.Postgres {
		text += "$1"
	} else {
		text += "?"
	}
	_, err := f.db.Exec(ctx, "fill", raw{text, []any{like}})
	return err
}

// fill makes n more admissions like the given one, each with a patient, a bed and a stay of its own.
func (h *office) fill(a *ent.Admission, n int) {
	h.t.Helper()
	testkit.Write(h.t, h.db, func(ctx context.Context) error { return h.Wallets.Lock(ctx, a.PatientID) }) // an admission makes the wallet
	stay := h.db.Client.Stay.Query().OnlyX(testkit.System(h.t))
	for from := 1; from <= n; from += fillBatch {
		f := filling{db: h.db, from: from, to: min(from+fillBatch-1, n)}
		patient, bed, admission := f.id(ent.TypePatient), f.id(ent.TypeBed), f.id(ent.TypeAdmission)
		testkit.Write(h.t, h.db, func(ctx context.Context) error {
			for _, step := range []struct {
				table, columns, values string
				like                   uuid.UUID
			}{
				{"patients", "id, created_at, updated_at, version, number, given_name, family_name, search_key, birth_date, time_zone",
					patient + ", created_at, updated_at, version, 'N' || n, given_name, family_name, search_key, birth_date, time_zone", a.PatientID},
				{"beds", "id, created_at, updated_at, version, ward_id, number, is_active", bed + ", created_at, updated_at, version, ward_id, 'N' || n, is_active", stay.BedID},
				{"admissions", "id, created_at, patient_id, status, admitted_at", admission + ", created_at, " + patient + ", status, admitted_at", a.ID},
				{"wallets", "id, created_at, patient_id, currency, balance_minor, position, hash, alert_level",
					f.id(ent.TypeWallet) + ", created_at, " + patient + ", currency, 0, 0, '', alert_level", wallet.IDOf(a.PatientID)},
				{"stays", "id, created_at, admission_id, patient_id, bed_id, ward_id, from_at",
					f.id(ent.TypeStay) + ", created_at, " + admission + ", " + patient + ", " + bed + ", ward_id, from_at", stay.ID},
			} {
				if err := f.copies(ctx, step.table, step.columns, step.values, step.like); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// 100,000 admissions are charged in batches, each once, in memory that does not grow with their number, and the books are whole.
func TestChargeDate_HundredThousand(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		const n = 100_000
		h := newOffice(t, db, clk)
		h.fill(h.admitted(h.at("2025-01-10 09:00")), n-1)
		var most atomic.Uint64
		batches := 0
		run := func() (*hospital.ChargeResult, time.Duration) {
			began := clock.System{}.Now()
			result := h.charge("2025-01-15", func(in *hospital.ChargeInput) {
				in.Progress = func(hospital.ChargeTotals) {
					batches++
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most.Store(max(most.Load(), m.HeapAlloc))
				}
			})
			return result, clock.System{}.Now().Sub(began)
		}
		result, took := run()
		assert.Equal(t, hospital.ChargeTotals{Processed: n, Charged: n, Amount: aud(n * 250_00)}, result.Totals)
		assert.Len(t, result.Entries, 1000)
		assert.Equal(t, n/5000, batches)
		assert.Less(t, most.Load(), uint64(400<<20))
		again, tookAgain := run()
		assert.Equal(t, hospital.ChargeTotals{Processed: n, Skipped: n, Amount: aud(0)}, again.Totals)
		t.Logf("charged in %s, again in %s, at most %d MB", took, tookAgain, most.Load()>>20)
		assert.Equal(t, n, db.Client.WalletTransaction.Query().CountX(testkit.System(t)))
		require.Equal(t, n, db.Client.Wallet.Query().CountX(testkit.System(t)))
	})
}
