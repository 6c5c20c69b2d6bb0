package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	bedsPerStep = 1000 // each stay takes locks of its own until its transaction ends
	practice    = "Australia/Brisbane"
	wardMinor   = 250_00
)

// ward is a database with a ward full of patients.
type ward struct {
	engine engine
	signer signer
	id     string
	zone   *time.Location
	dates  []string // that all patients owe, as they ascend; the last is today
}

// firstBed are the rows that all others are copied from, made by the product when a patient is admitted.
type firstBed struct{ patient, bed, admission, stay, wallet, rate string }

// fillHospital lets the product admit one patient and copies the admission, with patient, bed, stay and wallet, as often as needed.
func fillHospital(ctx context.Context, binary string, e engine, admissions, dates int) (*ward, error) {
	h := &ward{engine: e, signer: newSigner()}
	var err error
	if h.zone, err = time.LoadLocation(practice); err != nil {
		return nil, err
	}
	today := time.Now().In(h.zone)
	for i := range dates {
		h.dates = append(h.dates, today.AddDate(0, 0, i+1-dates).Format(time.DateOnly))
	}
	admission, err := h.pattern(ctx, binary)
	if err != nil {
		return nil, err
	}
	db, err := openFloor(e.database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	first, err := h.first(ctx, db, admission)
	if err != nil {
		return nil, fmt.Errorf("the rows of the first admission are not to be found: %w", err)
	}
	for from := 0; from < admissions; from += bedsPerStep {
		if err := h.copyBeds(ctx, db, first, from, min(from+bedsPerStep, admissions)); err != nil {
			return nil, fmt.Errorf("the database cannot be filled with admissions: %w", err)
		}
	}
	if isPostgres(e.database) {
		_, err = db.ExecContext(ctx, "VACUUM ANALYZE") // now, not in the middle of a run
	}
	return h, err
}

// pattern starts the demo and admits a patient.
func (h *ward) pattern(ctx context.Context, binary string) (admission string, err error) {
	demo, err := startProduct(ctx, binary, []string{"demo", "--database", h.engine.database, "--listen", "127.0.0.1:0"}, h.signer.setting(), "PRACTICE_TIMEZONE="+practice)
	if err != nil {
		return "", err
	}
	defer demo.stop()
	url, err := demo.address(ctx)
	if err != nil {
		return "", err
	}
	a := newAPI(url)
	patient, err := a.participant(ctx, "alice", "patient")
	if err == nil {
		admission, err = h.admit(ctx, a, patient.record)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, demo.said.String())
	}
	return admission, err
}

// admit opens a ward with a bed and admits the patient to it, today.
func (h *ward) admit(ctx context.Context, a *api, patient string) (string, error) {
	admin, _, err := a.login(ctx, "ada")
	if err != nil {
		return "", err
	}
	type payload struct {
		Ward, Bed, Admission *struct{ ID string }
		UserErrors           []problem
	}
	do := func(document string, variables map[string]any, pick func(payload) *struct{ ID string }) (string, error) {
		var data map[string]payload
		if err := a.call(ctx, admin, document, variables, &data); err != nil {
			return "", err
		}
		for _, p := range data {
			if made := pick(p); made != nil {
				return made.ID, nil
			}
			return "", errors.Join(asErrors(p.UserErrors)...)
		}
		return "", errors.New("an empty answer")
	}
	const made = "userErrors { code message }"
	h.id, err = do(`mutation { createWard(input: {name: "Bench", type: GENERAL, dailyRate: "250.00"}) { ward { id } `+made+` } }`, nil,
		func(p payload) *struct{ ID string } { return p.Ward })
	if err != nil {
		return "", fmt.Errorf("no ward could be opened: %w", err)
	}
	bed, err := do(`mutation($ward: ID!) { addBed(input: {wardId: $ward, number: "1"}) { bed { id } `+made+` } }`, map[string]any{"ward": h.id},
		func(p payload) *struct{ ID string } { return p.Bed })
	if err != nil {
		return "", fmt.Errorf("no bed could be added: %w", err)
	}
	admission, err := do(`mutation($patient: ID!, $bed: ID!) { admitPatient(input: {patientId: $patient, bedId: $bed, reason: "Observation"}) { admission { id } `+made+` } }`,
		map[string]any{"patient": patient, "bed": bed}, func(p payload) *struct{ ID string } { return p.Admission })
	if err != nil {
		return "", fmt.Errorf("the patient could not be admitted: %w", err)
	}
	return admission, nil
}

// first finds the rows behind the admission.
func (h *ward) first(ctx context.Context, db *sql.DB, admission string) (f firstBed, err error) {
	f.admission = admission
	err = db.QueryRowContext(ctx, `SELECT s.id, s.patient_id, s.bed_id, w.id, r.id FROM stays s JOIN wallets w ON w.patient_id = s.patient_id
JOIN ward_rates r ON r.ward_id = s.ward_id WHERE s.admission_id = $1`, admission).Scan(&f.stay, &f.patient, &f.bed, &f.wallet, &f.rate)
	if err != nil {
		return f, err
	}
	// The rate holds since before the first date.
	_, err = db.ExecContext(ctx, "UPDATE ward_rates SET from_date = $1 WHERE id = $2", "2000-01-01", f.rate)
	return f, err
}

// copyBeds copies the admission, of a patient who came before the first date.
func (h *ward) copyBeds(ctx context.Context, db *sql.DB, f firstBed, from, to int) error {
	first, err := time.ParseInLocation(time.DateOnly, h.dates[0], h.zone)
	if err != nil {
		return err
	}
	came := first.Add(-12 * time.Hour).UTC()
	rows := make([][]any, 0, to-from)
	for i := from; i < to; i++ {
		patient := likeID(f.patient)
		rows = append(rows, []any{i, came, patient, likeID(f.bed), likeID(f.admission), likeID(f.stay), patient[:len(patient)-2] + f.wallet[len(f.wallet)-2:]})
	}
	// As admissions come, one after the other.
	slices.SortFunc(rows, func(a, b []any) int { return compareText(a[4], b[4]) })
	kind := instantType(isPostgres(h.engine.database))
	columns := []column{{"n", "integer"}, {"came", kind}, {"patient", "uuid"}, {"bed", "uuid"}, {"admission", "uuid"}, {"stay", "uuid"}, {"wallet", "uuid"}}
	return inTx(ctx, db, func(tx *sql.Tx) error {
		return copyAll(ctx, tx, columns, rows, []step{
			{"patients", f.patient, false, map[string]string{
				"id": "m.patient", "user_id": "NULL", "number": "'B' || m.n", "email": "'bench-' || m.patient", "medicare_number": "NULL", "ihi": "NULL",
			}},
			{"wallets", f.wallet, false, map[string]string{"id": "m.wallet", "patient_id": "m.patient", "position": "0", "balance_minor": "0", "hash": "''"}},
			{"beds", f.bed, false, map[string]string{"id": "m.bed", "number": "'B' || m.n"}},
			{"admissions", f.admission, false, map[string]string{"id": "m.admission", "patient_id": "m.patient", "admitted_at": "m.came"}},
			{"stays", f.stay, false, map[string]string{
				"id": "m.stay", "admission_id": "m.admission", "patient_id": "m.patient", "bed_id": "m.bed", "from_at": "m.came",
			}},
		})
	})
}

func compareText(a, b any) int {
	left, _ := a.(string)
	right, _ := b.(string)
	return slices.Compare([]byte(left), []byte(right))
}

// checkCharged reads the ledger: each of the copies was charged once for the date, at the ward's rate.
func (h *ward) checkCharged(ctx context.Context, db *sql.DB, date string, admissions int) error {
	var rows, distinct int
	var sum sql.NullInt64
	const query = `SELECT count(*), count(DISTINCT t.admission_id), CAST(sum(t.amount_minor) AS bigint) FROM wallet_transactions t JOIN patients p ON p.id = t.patient_id
WHERE t.kind = 'DAILY_ADMISSION_CHARGE' AND t.charge_date = $1 AND p.email LIKE 'bench-%'`
	if err := db.QueryRowContext(ctx, query, date).Scan(&rows, &distinct, &sum); err != nil {
		return fmt.Errorf("the charges of %s cannot be read: %w", date, err)
	}
	if rows != admissions || distinct != admissions || sum.Int64 != int64(-wardMinor*admissions) {
		return fmt.Errorf("%s: %d charges of %d admissions, %d in all, where %d were owed", date, rows, distinct, sum.Int64, admissions)
	}
	return nil
}
