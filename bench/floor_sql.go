package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// The statements run on both engines as they stand.
const (
	sessionSQL = `SELECT user_id FROM sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2`
	oneSQL     = `SELECT a.id, a.status, a.expires_at, a.starts_at, p.given_name, d.name
FROM appointments a JOIN patients p ON p.id = a.patient_id JOIN practitioners d ON d.id = a.practitioner_id
WHERE a.id = $1`
	// One more row than asked for tells whether there is a next page.
	listSQL = `SELECT a.id, a.status, a.expires_at, a.starts_at, p.id, p.given_name, p.family_name, d.id, d.name, d.specialty,
o.id, o.status, o.amount_minor, o.currency
FROM appointments a JOIN patients p ON p.id = a.patient_id JOIN practitioners d ON d.id = a.practitioner_id
LEFT JOIN orders o ON o.id = (SELECT f.id FROM orders f WHERE f.appointment_id = a.id ORDER BY f.id LIMIT 1)
ORDER BY a.starts_at, a.id LIMIT $1`
	pageSize = 20
)

type floorQueries struct{ session, single, page *sql.Stmt }

func prepareFloor(ctx context.Context, db *sql.DB) (*floorQueries, error) {
	q := &floorQueries{}
	for text, into := range map[string]**sql.Stmt{sessionSQL: &q.session, oneSQL: &q.single, listSQL: &q.page} {
		stmt, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("the floor's statement does not fit the database; has the product's schema changed? %w\n%s", err, text)
		}
		*into = stmt
	}
	return q, nil
}

// The answers' shape, in the order in which the API's documents ask for the fields.
type (
	person struct {
		ID         string `json:"id,omitempty"`
		GivenName  string `json:"givenName"`
		FamilyName string `json:"familyName,omitempty"`
	}
	practitioner struct {
		ID        string `json:"id,omitempty"`
		Name      string `json:"name"`
		Specialty string `json:"specialty,omitempty"`
	}
	money struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	}
	order struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Amount money  `json:"amount"`
	}
	edge[T any] struct {
		Node T `json:"node"`
	}
	orders struct {
		Edges []edge[order] `json:"edges"`
	}
	appointment struct {
		ID           string       `json:"id"`
		Status       string       `json:"status"`
		StartsAt     string       `json:"startsAt"`
		Patient      person       `json:"patient"`
		Practitioner practitioner `json:"practitioner"`
		Orders       *orders      `json:"orders,omitempty"`
	}
	pageInfo struct {
		HasNextPage bool   `json:"hasNextPage"`
		EndCursor   string `json:"endCursor"`
	}
	connection struct {
		Edges    []edge[appointment] `json:"edges"`
		PageInfo pageInfo            `json:"pageInfo"`
	}
)

func (q *floorQueries) isSession(ctx context.Context, id string, now time.Time) (bool, error) {
	if len(id) != len("00000000-0000-0000-0000-000000000000") {
		return false, nil
	}
	var user string
	err := q.session.QueryRowContext(ctx, id, now.UTC()).Scan(&user)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (q *floorQueries) one(ctx context.Context, id string, now time.Time) (*appointment, error) {
	var a appointment
	var expires, starts time.Time
	err := q.single.QueryRowContext(ctx, id).Scan(&a.ID, &a.Status, &expires, &starts, &a.Patient.GivenName, &a.Practitioner.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	a.asOf(now, expires, starts)
	return &a, err
}

func (q *floorQueries) list(ctx context.Context, now time.Time) (*connection, error) {
	rows, err := q.page.QueryContext(ctx, pageSize+1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	c := &connection{Edges: make([]edge[appointment], 0, pageSize)}
	for rows.Next() {
		if len(c.Edges) == pageSize {
			c.PageInfo.HasNextPage = true
			break
		}
		a, err := scanListed(rows, now)
		if err != nil {
			return nil, err
		}
		c.Edges = append(c.Edges, edge[appointment]{Node: a})
	}
	if n := len(c.Edges); n > 0 {
		last := c.Edges[n-1].Node
		c.PageInfo.EndCursor = base64.RawURLEncoding.EncodeToString([]byte(last.StartsAt + last.ID))
	}
	return c, rows.Err()
}

func scanListed(rows *sql.Rows, now time.Time) (a appointment, err error) {
	var expires, starts time.Time
	var orderID, orderStatus, currency sql.NullString
	var minor sql.NullInt64
	err = rows.Scan(&a.ID, &a.Status, &expires, &starts, &a.Patient.ID, &a.Patient.GivenName, &a.Patient.FamilyName,
		&a.Practitioner.ID, &a.Practitioner.Name, &a.Practitioner.Specialty, &orderID, &orderStatus, &minor, &currency)
	if err != nil {
		return a, err
	}
	a.asOf(now, expires, starts)
	a.Orders = &orders{Edges: []edge[order]{}}
	if orderID.Valid {
		amount := money{Amount: fmt.Sprintf("%d.%02d", minor.Int64/100, minor.Int64%100), Currency: currency.String}
		a.Orders.Edges = append(a.Orders.Edges, edge[order]{Node: order{ID: orderID.String, Status: orderStatus.String, Amount: amount}})
	}
	return a, nil
}

// asOf fills in what depends on the moment, as the API answers it.
func (a *appointment) asOf(now, expires, starts time.Time) {
	if a.Status == "PENDING" && !now.Before(expires) {
		a.Status = "PAYMENT_EXPIRED"
	}
	a.StartsAt = starts.UTC().Format(time.RFC3339Nano)
}
