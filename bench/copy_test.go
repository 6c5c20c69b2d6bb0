package main

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
)

func TestCopyTakesWholeRowsAndWhatIsToDiffer(t *testing.T) {
	t.Parallel()
	db, err := openFloor(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	must(t, db, `CREATE TABLE sessions (id uuid PRIMARY KEY, user_id uuid, expires_at datetime, added_later text)`)
	const template = "0195b000-0000-7000-8000-000000000002"
	must(t, db, `INSERT INTO sessions VALUES ($1, 'u', $2, 'kept')`, template, noon)
	users := make([]string, insertBatch+3)
	for i := range users {
		users[i] = likeID("00000000-0000-0000-0000-000000000001")
	}
	ids, err := copySessions(t.Context(), db, template, users)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		var same bool
		err := db.QueryRowContext(t.Context(), `SELECT s.user_id = $1 AND s.added_later = t.added_later AND s.expires_at = t.expires_at
			FROM sessions s, sessions t WHERE s.id = $2 AND t.id = $3`, users[i], id, template).Scan(&same)
		if err != nil || !same || !strings.HasSuffix(id, "02") || id[14] != '7' {
			t.Fatalf("session %s of %s: %t, %v", id, users[i], same, err)
		}
	}
	if _, err := copySessions(t.Context(), db, likeID(template), users[:1]); err == nil {
		t.Error("a row that does not exist was copied")
	}
}

func TestSignerSignsForAnotherSession(t *testing.T) {
	t.Parallel()
	s := newSigner()
	body := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"caregraph","sid":"a","sub":"b","exp":5}`))
	token := "head." + body
	token += "." + base64.RawURLEncoding.EncodeToString(s.sum(token))
	again, err := s.again(token, "session", "user")
	if err != nil || !s.genuine(again) || !s.genuine(token) || newSigner().genuine(token) {
		t.Fatalf("%s, %v", again, err)
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(again, ".")[1])
	if want := `{"exp":5,"iss":"caregraph","jti":"session","sid":"session","sub":"user"}`; err != nil || string(claims) != want {
		t.Errorf("%s, %v", claims, err)
	}
	for _, bad := range []string{"", "a.b", "a.!.c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`{}`)) + ".c"} {
		if _, err := s.again(bad, "s", "u"); err == nil {
			t.Errorf("%q was signed", bad)
		}
	}
}

func TestStoredMatchesWhatTheSocketWasTold(t *testing.T) {
	t.Parallel()
	k := &socket{}
	if err := (stored{}).matches(k); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	k.received.Store(3)
	k.first.Store(1)
	k.last.Store(3)
	for s, isGood := range map[stored]bool{
		{3, 1, 3, 3}: true, {4, 1, 4, 4}: false, {3, 1, 3, 2}: false, {3, 2, 4, 3}: false, {}: false,
	} {
		if err := s.matches(k); (err == nil) != isGood {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
