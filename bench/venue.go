package main

import (
	"context"
	"errors"
	"fmt"
)

// venue is a database full of rooms, and the seats in them: one socket, one sign-in each.
type venue struct {
	engine engine
	binary string
	signer signer
	seats  []seat
}

// longSessions keeps the sign-ins alive for as long as any run takes.
var longSessions = []string{"PATIENT_SESSION_TIMEOUT=86400", "STAFF_SESSION_TIMEOUT=86400"}

// furnish makes a database with as many rooms, each with as many seats, which the patient and the doctor of the room share in turns.
func furnish(ctx context.Context, binary string, e engine, rooms, perRoom int) (*venue, error) {
	v := &venue{engine: e, binary: binary, signer: newSigner()}
	first, err := v.firstRoom(ctx)
	if err != nil {
		return nil, err
	}
	if !v.signer.genuine(first.patient.token) {
		return nil, errors.New("the product does not sign with the key of JWT_KEYS")
	}
	db, err := openFloor(e.database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	copies, err := copyRooms(ctx, db, isPostgres(e.database), first, rooms)
	if err != nil {
		return nil, fmt.Errorf("the database cannot be filled with rooms: %w", err)
	}
	for side, one := range []participant{first.patient, first.doctor} {
		var users, places []string
		for _, room := range copies {
			for range (perRoom + 1 - side) / 2 {
				users = append(users, [2]string{room.patient.user, room.doctor.user}[side])
				places = append(places, room.id)
			}
		}
		sessions, err := copySessions(ctx, db, one.session, users)
		if err != nil {
			return nil, fmt.Errorf("the database cannot be filled with sessions: %w", err)
		}
		for i, session := range sessions {
			token, err := v.signer.again(one.token, session, users[i])
			if err != nil {
				return nil, err
			}
			v.seats = append(v.seats, seat{room: places[i], token: token})
		}
	}
	if !isPostgres(e.database) {
		return v, nil
	}
	_, err = db.ExecContext(ctx, "ANALYZE") // now, not in the middle of the load
	return v, err
}

// firstRoom lets the product fill the database and open a room.
func (v *venue) firstRoom(ctx context.Context) (firstRoom, error) {
	demo, err := startProduct(ctx, v.binary, []string{"demo", "--database", v.engine.database, "--listen", "127.0.0.1:0"}, v.settings()...)
	if err != nil {
		return firstRoom{}, err
	}
	defer demo.stop()
	url, err := demo.address(ctx)
	if err != nil {
		return firstRoom{}, err
	}
	first, err := openRoom(ctx, newAPI(url))
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, demo.said.String())
	}
	return first, err
}

func (v *venue) settings(more ...string) []string {
	return append(append([]string{v.signer.setting()}, longSessions...), more...)
}

// server is one of the two that are compared, as it can be started, spoken to and checked.
type server struct {
	name   string
	speech speech
	start  func(ctx context.Context, more ...string) (*process, error)
	check  func(ctx context.Context, c *crowd) error // after the load; may be nil
}

// servers are the product on the venue's database, in production's settings, and the peer.
func (v *venue) servers() [2]server {
	return [2]server{
		{"product", graphQL{}, func(ctx context.Context, more ...string) (*process, error) {
			args := []string{"serve", "--database", v.engine.database, "--listen", "127.0.0.1:0"}
			return startProduct(ctx, v.binary, args, v.settings(more...)...)
		}, v.checkStored},
		{"peer", channels{}, func(ctx context.Context, more ...string) (*process, error) { return startPeer(ctx, more...) }, nil},
	}
}

// checkStored reads the database: every message stored in our rooms was delivered exactly once, in order, to every socket of its room, and nothing
// else was.
func (v *venue) checkStored(ctx context.Context, c *crowd) error {
	rooms, err := v.readStored(ctx)
	if err != nil {
		return fmt.Errorf("the stored messages cannot be read: %w", err)
	}
	total, counted := int64(0), map[string]bool{}
	for _, k := range c.sockets {
		room := rooms[k.seat.room]
		if err := room.matches(k); err != nil {
			return fmt.Errorf("socket %d: %w", k.index, err)
		}
		if !counted[k.seat.room] {
			counted[k.seat.room] = true
			total += room.count
		}
	}
	if sent := c.ledger.sent.Load(); total != sent {
		return fmt.Errorf("%d messages are stored, %d were acknowledged and delivered", total, sent)
	}
	progress(fmt.Sprintf("%s: %d messages are stored, each delivered once to every socket of its room, in order", v.engine.name, total))
	return nil
}

// readStored reads what each room holds; there are rooms of the demo, too.
func (v *venue) readStored(ctx context.Context) (map[string]stored, error) {
	db, err := openFloor(v.engine.database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	const query = `SELECT CAST(room_id AS text), count(*), min(position), max(position), count(DISTINCT body) FROM chat_messages GROUP BY room_id`
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	rooms := map[string]stored{}
	for rows.Next() {
		var room string
		var s stored
		if err := rows.Scan(&room, &s.count, &s.first, &s.last, &s.distinct); err != nil {
			return nil, err
		}
		rooms[room] = s
	}
	return rooms, rows.Err()
}

// stored is what the database holds of a room.
type stored struct{ count, first, last, distinct int64 }

// matches compares with what a socket was told. It checked itself that no position was left out or came twice.
func (s stored) matches(k *socket) error {
	got := stored{k.received.Load(), k.first.Load(), k.last.Load(), k.received.Load()}
	if s != got {
		return fmt.Errorf("stored %+v, delivered %+v", s, got)
	}
	return nil
}
