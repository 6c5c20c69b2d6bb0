package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	mapName     = "bench_map"
	insertBatch = 500
)

// column of the table that tells what differs from copy to copy.
type column struct{ name, kind string }

func instantType(isPG bool) string {
	if isPG {
		return "timestamptz"
	}
	return "datetime"
}

// copyAll writes what differs into a table of its own, for the steps to join with, and takes the steps.
func copyAll(ctx context.Context, tx *sql.Tx, columns []column, rows [][]any, list []step) error {
	var names, kinds []string
	for _, c := range columns {
		names, kinds = append(names, c.name), append(kinds, c.name+" "+c.kind)
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE "+mapName+" ("+strings.Join(kinds, ", ")+")"); err != nil {
		return err
	}
	for batch := range slices.Chunk(rows, insertBatch) {
		if err := insertRows(ctx, tx, mapName, names, batch); err != nil {
			return err
		}
	}
	for _, s := range list {
		if err := copyRow(ctx, tx, s); err != nil {
			return fmt.Errorf("rows of %s cannot be copied: %w", s.table, err)
		}
	}
	_, err := tx.ExecContext(ctx, "DROP TABLE "+mapName)
	return err
}

// step copies the row of one id for every room, or for the first of every doctor.
type step struct {
	table, id string
	perDoctor bool
	differ    map[string]string // column -> expression over the map m
}

// copyRow inserts a copy of the step's row per row of the map.
func copyRow(ctx context.Context, tx *sql.Tx, s step) error {
	columns, err := columnsOf(ctx, tx, s.table)
	if err != nil {
		return err
	}
	values := make([]string, len(columns))
	for i, column := range columns {
		values[i] = "t." + column
		if other, ok := s.differ[column]; ok {
			values[i] = other
		}
	}
	where := " WHERE t.id = $1"
	if s.perDoctor {
		where += " AND m.is_first"
	}
	result, err := tx.ExecContext(ctx, "INSERT INTO "+s.table+" ("+strings.Join(columns, ", ")+") SELECT "+strings.Join(values, ", ")+
		" FROM "+s.table+" AS t, "+mapName+" AS m"+where, s.id) // #nosec G202 -- names of our own and of the database
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fmt.Errorf("no row has the id %s", s.id)
}

func columnsOf(ctx context.Context, tx *sql.Tx, table string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1 = 0") // #nosec G202 -- as above
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	return columns, rows.Err()
}

// insertRows inserts rows by one statement.
func insertRows(ctx context.Context, tx *sql.Tx, table string, columns []string, rows [][]any) error {
	var places []string
	var values []any
	for _, row := range rows {
		var marks []string
		for _, value := range row {
			values = append(values, value)
			marks = append(marks, fmt.Sprintf("$%d", len(values)))
		}
		places = append(places, "("+strings.Join(marks, ", ")+")")
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+strings.Join(places, ", "), values...) // #nosec G202 -- as above
	return err
}

// likeID makes up an id of the kind of another: UUIDv7, whose last byte tells the entity.
func likeID(other string) string {
	var id [16]byte
	_, _ = rand.Read(id[6:15])                                                      // never fails: crypto/rand crashes the program instead
	stamp := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixMilli())<<16) // #nosec G115 -- after 1970
	copy(id[:6], stamp)
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:15]) + other[len(other)-2:]
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
