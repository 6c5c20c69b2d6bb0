package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBookingOptionsAreBounded(t *testing.T) {
	t.Parallel()
	for problem, change := range map[string]func(*bookingOptions){
		"":          func(*bookingOptions) {},
		"--callers": func(o *bookingOptions) { o.callers = 501 },
		"--rounds":  func(o *bookingOptions) { o.rounds = 0 },
		"--engine":  func(o *bookingOptions) { o.only = "other" },
	} {
		o := bookingOptions{callers: 200, rounds: 1}
		change(&o)
		if err := o.check(); (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v", problem, err)
		}
	}
}

const (
	bookedAnswer = `{"data":{"bookAppointment":{"appointment":{"id":"a","status":"PENDING"},"userErrors":[]}}}`
	takenAnswer  = `{"data":{"bookAppointment":{"appointment":null,"userErrors":[{"code":"SLOT_TAKEN","alternatives":[]}]}}}`
)

func TestEverySlotOfARushHasOneWinner(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		slots   int
		answers string // by caller: w(on), l(ost), or x for something else
		fails   bool
	}{
		"one of one":                       {1, "lwll", false},
		"one each of two":                  {2, "wllw", false},
		"two of one":                       {1, "lwwl", true},
		"two in all, both of one":          {2, "wlwl", true},
		"nobody":                           {1, "llll", true},
		"a refusal that is not SLOT_TAKEN": {1, "wlxl", true},
	} {
		var replies []reply
		for _, letter := range test.answers {
			body := map[rune]string{'w': bookedAnswer, 'l': takenAnswer, 'x': strings.Replace(takenAnswer, "SLOT_TAKEN", "THROTTLED", 1)}[letter]
			replies = append(replies, reply{status: http.StatusOK, body: []byte(body), took: time.Millisecond})
		}
		b, err := (&desk{isWon: wonByProduct}).judge(replies, test.slots)
		if (err != nil) != test.fails || err == nil && (len(b.won) != test.slots || len(b.lost) != len(replies)-test.slots) {
			t.Errorf("%s: %d won, %d lost, %v", name, len(b.won), len(b.lost), err)
		}
	}
}

func TestBookedFiguresNameWhatWasMeasured(t *testing.T) {
	t.Parallel()
	b := booked{won: []time.Duration{time.Millisecond, 3 * time.Millisecond}, lost: []time.Duration{time.Millisecond, time.Millisecond},
		elapsed: []time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, cpu: 8 * time.Millisecond}
	got := map[string]float64{}
	for _, f := range bookedFigures(source{}, "booking.one", "sqlite", b, b) {
		if f.Floor != f.Value || f.Ratio != 1 {
			t.Errorf("%+v", f)
		}
		got[f.Name] = f.Value
	}
	for name, want := range map[string]float64{
		"booking.one.won.max": 3, "booking.one.lost.p99": 1, "booking.one.total": 10, "booking.one.rate": 100, "booking.one.cpu": 2000,
	} {
		if got[name] != want {
			t.Errorf("%s is %g, want %g", name, got[name], want)
		}
	}
}

func TestClaimServerGivesASlotToOneSession(t *testing.T) {
	t.Parallel()
	db, err := openFloor(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	must(t, db, `CREATE TABLE sessions (id uuid, user_id uuid, ended_at datetime, expires_at datetime)`)
	must(t, db, createClaims)
	must(t, db, `INSERT INTO sessions VALUES ($1, 'u', NULL, $2)`, liveSession, noon.Add(time.Second))
	must(t, db, `INSERT INTO sessions VALUES ($1, 'u', $2, $2)`, endedSession, noon)
	c, err := prepareClaims(t.Context(), db, false)
	if err != nil {
		t.Fatal(err)
	}
	c.now = func() time.Time { return noon }
	for i, step := range []struct {
		session, slot string
		status        int
		body          string
	}{
		{liveSession, "a", http.StatusOK, claimWon},
		{liveSession, "a", http.StatusOK, claimLost},
		{liveSession, "b", http.StatusOK, claimWon},
		{endedSession, "c", http.StatusUnauthorized, "sign in first\n"},
		{"", "c", http.StatusUnauthorized, "sign in first\n"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/claims/"+step.slot, nil)
		r.Header.Set("Authorization", "Bearer "+step.session)
		w := httptest.NewRecorder()
		c.handler().ServeHTTP(w, r)
		if w.Code != step.status || w.Body.String() != step.body {
			t.Errorf("step %d: %d %s", i, w.Code, w.Body)
		}
	}
}
