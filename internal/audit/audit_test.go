package audit

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// recorder returns an installed recorder.
func recorder(db *store.DB, opts Options) *Recorder {
	r := New(db, slog.New(slog.DiscardHandler), opts)
	r.Install()
	return r
}

// events returns the rows of the audit that are not in seen, and adds them to it.
func events(t *testing.T, db *store.DB, seen map[uuid.UUID]bool) []*ent.AuditEvent {
	t.Helper()
	all, err := db.Client.AuditEvent.Query().Order(auditevent.ByID()).All(testkit.System(t))
	require.NoError(t, err)
	all = slices.DeleteFunc(all, func(e *ent.AuditEvent) bool { return seen[e.ID] })
	for _, e := range all {
		seen[e.ID] = true
	}
	return all
}

// write runs fn in a transaction of the person behind the rows.
func write(t *testing.T, db *store.DB, v *access.Viewer, fn func(ctx context.Context) error) error {
	t.Helper()
	return db.WithTx(access.As(t.Context(), v), fn)
}

func ch(field, before, after string) Change { return Change{Field: field, Old: before, New: after} }
