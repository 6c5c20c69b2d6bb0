package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// hall is a database with patients who are signed in and slots that nobody has booked yet.
type hall struct {
	engine  engine
	binary  string
	signer  signer
	callers []guest
	slots   []string
}

// guest is a patient who wants a slot, with a session of his own. The floor takes the session's id for the token.
type guest struct{ token, session string }

// fillHall lets the product fill the database and copies one patient, his session and one slot as often as needed.
func fillHall(ctx context.Context, binary string, e engine, callers, slots int) (*hall, error) {
	h := &hall{engine: e, binary: binary, signer: newSigner()}
	patient, slot, err := h.pattern(ctx)
	if err != nil {
		return nil, err
	}
	if !h.signer.genuine(patient.token) {
		return nil, errors.New("the product does not sign with the key of JWT_KEYS")
	}
	db, err := openFloor(e.database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	if err := h.copySlots(ctx, db, slot, slots); err != nil {
		return nil, fmt.Errorf("the database cannot be filled with slots: %w", err)
	}
	if err := h.copyPatients(ctx, db, patient, callers); err != nil {
		return nil, fmt.Errorf("the database cannot be filled with patients: %w", err)
	}
	if _, err := db.ExecContext(ctx, createClaims); err != nil {
		return nil, fmt.Errorf("the floor's table cannot be made: %w", err)
	}
	if isPostgres(e.database) {
		_, err = db.ExecContext(ctx, "ANALYZE") // now, not in the middle of a rush
	}
	return h, err
}

// pattern starts the demo and finds the patient and the slot to copy.
func (h *hall) pattern(ctx context.Context) (patient participant, slot freeSlot, err error) {
	demo, err := startProduct(ctx, h.binary, []string{"demo", "--database", h.engine.database, "--listen", "127.0.0.1:0"}, h.settings()...)
	if err != nil {
		return patient, slot, err
	}
	defer demo.stop()
	url, err := demo.address(ctx)
	if err != nil {
		return patient, slot, err
	}
	a := newAPI(url)
	doctor, err := a.participant(ctx, "dora", "practitioner")
	if err == nil {
		slot, err = a.slotOf(ctx, doctor)
	}
	if err == nil {
		patient, err = a.participant(ctx, "alice", "patient")
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, demo.said.String())
	}
	return patient, slot, err
}

func (h *hall) settings() []string { return append([]string{h.signer.setting()}, longSessions...) }

// copySlots copies the slot into the next year, one after the other.
func (h *hall) copySlots(ctx context.Context, db *sql.DB, slot freeSlot, n int) error {
	length := slot.EndsAt.Sub(slot.StartsAt)
	rows := make([][]any, n)
	for i := range rows {
		id, starts := likeID(slot.ID), slot.StartsAt.UTC().AddDate(1, 0, 0).Add(time.Duration(i)*length)
		h.slots = append(h.slots, id)
		rows[i] = []any{id, starts, starts.Add(length)}
	}
	kind := instantType(isPostgres(h.engine.database))
	return inTx(ctx, db, func(tx *sql.Tx) error {
		return copyAll(ctx, tx, []column{{"slot", "uuid"}, {"starts_at", kind}, {"ends_at", kind}}, rows, []step{
			{"slots", slot.ID, false, map[string]string{"id": "m.slot", "starts_at": "m.starts_at", "ends_at": "m.ends_at"}},
		})
	})
}

// copyPatients copies the patient with his account, and signs each copy in.
func (h *hall) copyPatients(ctx context.Context, db *sql.DB, patient participant, n int) error {
	users, rows := make([]string, n), make([][]any, n)
	for i := range rows {
		users[i] = likeID(patient.user)
		rows[i] = []any{i, users[i], likeID(patient.record)}
	}
	err := inTx(ctx, db, func(tx *sql.Tx) error {
		return copyAll(ctx, tx, []column{{"n", "integer"}, {"account", "uuid"}, {"patient", "uuid"}}, rows, []step{
			{"users", patient.user, false, map[string]string{"id": "m.account", "email": "'bench-' || m.account", "email_key": "'bench-' || m.account"}},
			{"patients", patient.record, false, map[string]string{
				"id": "m.patient", "user_id": "m.account", "number": "'B' || m.n", "email": "'bench-' || m.account",
			}},
		})
	})
	if err != nil {
		return err
	}
	sessions, err := copySessions(ctx, db, patient.session, users)
	if err != nil {
		return err
	}
	for i, session := range sessions {
		token, err := h.signer.again(patient.token, session, users[i])
		if err != nil {
			return err
		}
		h.callers = append(h.callers, guest{token, session})
	}
	return nil
}

// take returns n slots that were not taken before.
func (h *hall) take(n int) ([]string, error) {
	if len(h.slots) < n {
		return nil, errors.New("too few slots were made")
	}
	taken := h.slots[:n]
	h.slots = h.slots[n:]
	return taken, nil
}

// checkBooked reads the database: as many visits as were won stand, in as many slots.
func (h *hall) checkBooked(ctx context.Context, won int) error {
	db, err := openFloor(h.engine.database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var visits, slots int
	const query = `SELECT count(*), count(DISTINCT a.slot_id) FROM appointments a JOIN patients p ON p.id = a.patient_id WHERE a.status = 'PENDING' AND p.email LIKE 'bench-%'`
	if err := db.QueryRowContext(ctx, query).Scan(&visits, &slots); err != nil {
		return fmt.Errorf("the booked visits cannot be read: %w", err)
	}
	if visits != won || slots != won {
		return fmt.Errorf("%d visits in %d slots are stored, %d were answered", visits, slots, won)
	}
	progress(fmt.Sprintf("%s: %d visits are stored, each in a slot of its own, as many as were answered", h.engine.name, won))
	return nil
}

func inTx(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}
