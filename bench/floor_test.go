package main

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	liveSession  = "00000000-0000-0000-0000-00000000000a"
	endedSession = "00000000-0000-0000-0000-00000000000b"
	idleSession  = "00000000-0000-0000-0000-00000000000c"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// floorOn is a floor server on a database that has the columns the floor asks for: one visit, its order, and sessions in every state.
func floorOn(t *testing.T) http.Handler {
	t.Helper()
	db, err := openFloor(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	must(t, db, `CREATE TABLE sessions (id uuid, user_id uuid, ended_at datetime, expires_at datetime)`)
	must(t, db, `CREATE TABLE patients (id uuid, given_name text, family_name text)`)
	must(t, db, `CREATE TABLE practitioners (id uuid, name text, specialty text)`)
	must(t, db, `CREATE TABLE appointments (id uuid, status text, expires_at datetime, starts_at datetime, patient_id uuid, practitioner_id uuid)`)
	must(t, db, `CREATE TABLE orders (id uuid, appointment_id uuid, status text, amount_minor integer, currency text)`)
	for id, ended := range map[string]any{liveSession: nil, endedSession: noon} {
		must(t, db, `INSERT INTO sessions VALUES ($1, 'u', $2, $3)`, id, ended, noon.Add(time.Second))
	}
	must(t, db, `INSERT INTO sessions VALUES ($1, 'u', NULL, $2)`, idleSession, noon)
	must(t, db, `INSERT INTO patients VALUES ('p', 'Alice', 'Nguyen')`)
	must(t, db, `INSERT INTO practitioners VALUES ('d', 'Dr Dora', 'Cardiology')`)
	must(t, db, `INSERT INTO appointments VALUES ('a', 'PENDING', $1, $2, 'p', 'd')`, noon, noon.Add(time.Hour))
	must(t, db, `INSERT INTO orders VALUES ('o', 'a', 'PENDING', 8005, 'AUD')`)
	queries, err := prepareFloor(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return (&floorServer{queries: queries, now: func() time.Time { return noon }}).handler()
}

func must(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestFloorAnswersAsTheAPIDoes(t *testing.T) {
	t.Parallel()
	floor := floorOn(t)
	for path, want := range map[string]string{
		"/appointments/a": `{"data":{"appointment":{"id":"a","status":"PAYMENT_EXPIRED","startsAt":"2026-03-02T13:00:00Z",` +
			`"patient":{"givenName":"Alice"},"practitioner":{"name":"Dr Dora"}}}}`,
		"/appointments/none": `{"data":{"appointment":null}}`,
		"/appointments": `{"data":{"appointments":{"edges":[{"node":{"id":"a","status":"PAYMENT_EXPIRED","startsAt":"2026-03-02T13:00:00Z",` +
			`"patient":{"id":"p","givenName":"Alice","familyName":"Nguyen"},"practitioner":{"id":"d","name":"Dr Dora","specialty":"Cardiology"},` +
			`"orders":{"edges":[{"node":{"id":"o","status":"PENDING","amount":{"amount":"80.05","currency":"AUD"}}}]}}}],` +
			`"pageInfo":{"hasNextPage":false,"endCursor":"MjAyNi0wMy0wMlQxMzowMDowMFph"}}}}`,
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+liveSession)
		w := httptest.NewRecorder()
		floor.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %s\nwant %s", path, w.Code, w.Body, want)
		}
	}
}

func TestFloorNeedsALiveSession(t *testing.T) {
	t.Parallel()
	floor := floorOn(t)
	for name, token := range map[string]string{
		"none": "", "not an id": "x", "unknown": strings.Repeat("0", 36), "ended": endedSession, "idle for too long": idleSession,
	} {
		r := httptest.NewRequest(http.MethodGet, "/appointments/a", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		floor.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestCheckComparesAnswersButNotTheirCursors(t *testing.T) {
	t.Parallel()
	list := func(status, cursor string) []request {
		return []request{{want: []byte(`{"data":{"appointments":{"edges":[{"node":{"status":"` + status + `"}}],"pageInfo":{"endCursor":"` + cursor + `"}}}}`)}}
	}
	for name, test := range map[string]struct {
		product, floor []request
		same           bool
	}{
		"equal but for the cursor": {list("BOOKED", "x"), list("BOOKED", "y"), true},
		"another value":            {list("BOOKED", "x"), list("PENDING", "x"), false},
		"a cursor is missing":      {list("BOOKED", ""), list("BOOKED", "x"), false},
		"an error":                 {[]request{{want: []byte(`{"errors":[],"data":null}`)}}, list("BOOKED", "x"), false},
	} {
		if err := (operation{product: test.product, floor: test.floor}).check(); (err == nil) != test.same {
			t.Errorf("%s: %v", name, err)
		}
	}
}
