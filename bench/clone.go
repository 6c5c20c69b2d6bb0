package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"
)

// cloner copies the rows behind one room to as many others, each with patient, visit, order and log of its own. Copying whole rows of the product's
// own making keeps it from knowing more of the tables than what is to differ.
type cloner struct {
	tx     *sql.Tx
	room   firstRoom
	doctor map[int]copied // by number
}

const roomsPerDoctor = 10

// copied are the ids of one participant's rows.
type copied struct{ user, record string }

// copyRooms makes n rooms like the first and returns them with their participants.
func copyRooms(ctx context.Context, db *sql.DB, isPG bool, first firstRoom, n int) ([]firstRoom, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	c := &cloner{tx: tx, room: first, doctor: map[int]copied{}}
	template, err := c.template(ctx)
	if err != nil {
		return nil, err
	}
	rooms, rows := c.rooms(template, n)
	columns := []column{{"n", "integer"}, {"is_first", "boolean"}, {"starts_at", instantType(isPG)}, {"ends_at", instantType(isPG)}}
	for _, name := range idNames(template) {
		columns = append(columns, column{name, "uuid"})
	}
	if err := copyAll(ctx, tx, columns, rows, steps(template)); err != nil {
		return nil, err
	}
	return rooms, tx.Commit()
}

// copySessions signs each of the users in, once per element of the list, and returns the ids of the sessions.
func copySessions(ctx context.Context, db *sql.DB, session string, users []string) ([]string, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	ids, rows := make([]string, len(users)), make([][]any, len(users))
	for i, user := range users {
		ids[i] = likeID(session)
		rows[i] = []any{ids[i], user}
	}
	err = copyAll(ctx, tx, []column{{"session", "uuid"}, {"owner", "uuid"}}, rows, []step{
		{"sessions", session, false, map[string]string{"id": "m.session", "user_id": "m.owner"}},
	})
	if err != nil {
		return nil, err
	}
	return ids, tx.Commit()
}

// template finds the ids of the rows behind the first room.
func (c *cloner) template(ctx context.Context) (map[string]string, error) {
	t := map[string]string{
		"room": c.room.id, "appointment": c.room.appointment,
		"patient_user": c.room.patient.user, "patient": c.room.patient.record,
		"doctor_user": c.room.doctor.user, "practitioner": c.room.doctor.record,
	}
	for name, query := range map[string]string{
		"slot":  "SELECT slot_id FROM appointments WHERE id = $1",
		"payed": "SELECT id FROM orders WHERE appointment_id = $1",
		"care":  "SELECT id FROM care_relations WHERE source_id = $1",
	} {
		var id string
		if err := c.tx.QueryRowContext(ctx, query, c.room.appointment).Scan(&id); err != nil {
			return nil, fmt.Errorf("the %s of the first room's visit is not to be found: %w", name, err)
		}
		t[name] = id
	}
	var id string
	var entries int
	err := c.tx.QueryRowContext(ctx, "SELECT max(CAST(id AS text)), count(*) FROM stream_entries WHERE stream_id = $1", c.room.id).Scan(&id, &entries)
	if err == nil && entries != 1 {
		err = fmt.Errorf("the first room's log has %d entries where the opening alone was expected", entries)
	}
	if err != nil {
		return nil, err
	}
	t["entry"] = id
	return t, nil
}

// rooms makes up the ids of n rooms. Every doctor has ten of them.
func (c *cloner) rooms(template map[string]string, n int) ([]firstRoom, [][]any) {
	rooms, rows := make([]firstRoom, n), make([][]any, n)
	for i := range n {
		ids := map[string]string{}
		for name, id := range template {
			ids[name] = likeID(id)
		}
		number := i / roomsPerDoctor
		if i%roomsPerDoctor == 0 {
			c.doctor[number] = copied{ids["doctor_user"], ids["practitioner"]}
		}
		ids["doctor_user"], ids["practitioner"] = c.doctor[number].user, c.doctor[number].record
		starts := c.room.startsAt.UTC().AddDate(1, 0, i%roomsPerDoctor)
		row := []any{i, i%roomsPerDoctor == 0, starts, starts.Add(30 * time.Minute)}
		for _, name := range idNames(template) {
			row = append(row, ids[name])
		}
		rows[i] = row
		rooms[i] = firstRoom{
			id: ids["room"], appointment: ids["appointment"], startsAt: starts,
			patient: participant{user: ids["patient_user"], record: ids["patient"]},
			doctor:  participant{user: ids["doctor_user"], record: ids["practitioner"]},
		}
	}
	return rooms, rows
}

func idNames(template map[string]string) []string { return slices.Sorted(maps.Keys(template)) }

func steps(template map[string]string) []step {
	text := func(prefix, column string) string { return "'" + prefix + "' || " + column }
	who := map[string]string{"patient_id": "m.patient", "practitioner_id": "m.practitioner"}
	visit := func(id string, more map[string]string) map[string]string {
		all := maps.Clone(who)
		maps.Copy(all, more)
		all["id"] = id
		return all
	}
	email := func(column string) map[string]string {
		return map[string]string{"id": column, "email": text("bench-", column), "email_key": text("bench-", column)}
	}
	when := map[string]string{"starts_at": "m.starts_at", "ends_at": "m.ends_at"}
	return []step{
		{"users", template["patient_user"], false, email("m.patient_user")},
		{"users", template["doctor_user"], true, email("m.doctor_user")},
		{"patients", template["patient"], false, map[string]string{
			"id": "m.patient", "user_id": "m.patient_user", "number": text("B", "m.n"), "email": text("bench-", "m.patient_user"),
		}},
		{"practitioners", template["practitioner"], true, map[string]string{"id": "m.practitioner", "user_id": "m.doctor_user"}},
		{"slots", template["slot"], false, with(when, map[string]string{"id": "m.slot", "practitioner_id": "m.practitioner"})},
		{"appointments", template["appointment"], false, with(when, visit("m.appointment", map[string]string{
			"slot_id": "m.slot", "booked_by": "m.patient_user",
		}))},
		{"orders", template["payed"], false, map[string]string{
			"id": "m.payed", "appointment_id": "m.appointment", "patient_id": "m.patient", "provider_ref": text("bench-", "m.n"),
		}},
		{"care_relations", template["care"], false, visit("m.care", map[string]string{"source_id": "m.appointment"})},
		{"chat_rooms", template["room"], false, visit("m.room", map[string]string{"appointment_id": "m.appointment"})},
		{"streams", template["room"], false, map[string]string{"id": "m.room"}},
		{"stream_entries", template["entry"], false, map[string]string{
			"id": "m.entry", "stream_id": "m.room", "patient_id": "m.patient",
		}},
	}
}

func with(some, more map[string]string) map[string]string {
	all := maps.Clone(some)
	maps.Copy(all, more)
	return all
}
