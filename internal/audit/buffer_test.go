package audit

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// ward is a recorder, a nurse, and a database that can refuse the audit's rows.
type ward struct {
	*Recorder
	t       *testing.T
	nurse   context.Context
	patient *ent.Patient
	refuses atomic.Bool
	log     *bytes.Buffer
	seen    map[uuid.UUID]bool
}

func newWard(t *testing.T, db *store.DB, opts Options) *ward {
	t.Helper()
	w := &ward{t: t, log: &bytes.Buffer{}, seen: map[uuid.UUID]bool{}}
	w.Recorder = New(db, slog.New(slog.NewTextHandler(w.log, nil)), opts)
	w.Install()
	w.nurse, w.patient = testkit.As(t, testkit.User(t, db, access.Nurse)), testkit.Record(t, db)
	w.written()
	w.exec = func(ctx context.Context, reason string, s store.Statement) (int64, error) {
		if w.refuses.Load() {
			return 0, fault.ErrUnavailable
		}
		return db.Exec(ctx, reason, s)
	}
	return w
}

// read is an operation that opens one record.
func (w *ward) read() error {
	ctx := w.Begin(w.nurse)
	_, err := w.db.Client.Patient.Get(ctx, w.patient.ID)
	require.NoError(w.t, err)
	return w.End(ctx)
}

func (w *ward) written() int { return len(events(w.t, w.db, w.seen)) }

// While the database does not take events they wait, told once and without their content, and are written when it is back.
func TestFlushWaitsForDatabase(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		w := newWard(t, db, Options{})
		w.refuses.Store(true)
		for range 3 {
			require.NoError(t, w.read())
			require.Error(t, w.Flush(t.Context()))
		}
		assert.Zero(t, w.written())
		assert.Equal(t, 1, bytes.Count(w.log.Bytes(), []byte("level=ERROR")))
		assert.Contains(t, w.log.String(), "waiting=1")
		assert.NotContains(t, w.log.String(), w.patient.ID.String())
		w.refuses.Store(false)
		require.NoError(t, w.Flush(t.Context()))
		assert.Equal(t, 3, w.written())
		require.NoError(t, w.Flush(t.Context()))
		assert.Zero(t, w.written(), "each once")
	})
}

// A flush whose commit was not answered may have been stored: the next one stores only the rest.
func TestFlushAfterUncertainCommit(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		w := newWard(t, db, Options{})
		require.NoError(t, w.read())
		require.NoError(t, w.store(t.Context(), w.buffer.front(1), false))
		w.uncertain = true
		require.NoError(t, w.read())
		require.NoError(t, w.Flush(t.Context()))
		assert.Equal(t, 2, w.written())
	})
}

// More events than one statement takes are written all.
func TestFlushInChunks(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		w := newWard(t, db, Options{})
		for range 2*maxChunk + 45 {
			require.NoError(t, w.read())
		}
		require.NoError(t, w.Flush(t.Context()))
		assert.Equal(t, 2*maxChunk+45, w.written())
	})
}

func TestChunk(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 1, 7: 7, 8: 8, 9: 8, 31: 16, 255: 128, 256: 256, 1000: 256} {
		assert.Equal(t, want, chunk(n), "%d", n)
	}
}

// A full buffer makes its writers wait, and takes everything once there is room.
func TestFullBufferMakesWritersWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, done := newBuffer(2), false
		go func() {
			assert.Empty(t, b.push(make([]entry, 5)))
			done = true
		}()
		for range 3 {
			synctest.Wait()
			assert.False(t, done)
			assert.Equal(t, 2, b.len())
			b.drop(1)
		}
		synctest.Wait()
		assert.True(t, done)
		assert.Equal(t, 2, b.len())
	})
}

// Run flushes by itself within a second, and Close what is left, as do reads after it.
func TestRunAndClose(t *testing.T) {
	t.Parallel()
	assert.LessOrEqual(t, New(nil, nil, Options{}).opts.Every, time.Second)
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		w := newWard(t, db, Options{Every: time.Millisecond})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.Run(ctx)
		}()
		require.NoError(t, w.read())
		require.Eventually(t, func() bool { return w.buffer.len() == 0 }, 5*time.Second, time.Millisecond)
		cancel()
		<-ended
		assert.Equal(t, 1, w.written())

		require.NoError(t, w.read())
		assert.Zero(t, w.written())
		require.NoError(t, w.Close(t.Context()))
		assert.Equal(t, 1, w.written())
		require.NoError(t, w.read())
		assert.Equal(t, 1, w.written(), "after the end there is no buffer")
		require.NoError(t, w.Close(t.Context()), "a second time")
	})
}

// What cannot be written before the end is told with its number, and nobody hangs.
func TestCloseWithoutDatabase(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		w := newWard(t, db, Options{Buffer: 2})
		require.NoError(t, w.read())
		require.NoError(t, w.read())
		w.refuses.Store(true)
		waiting := make(chan error)
		go func() { waiting <- w.read() }()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorContains(t, w.Close(ctx), "2 audit events are lost")
		assert.Error(t, <-waiting)
		assert.Contains(t, w.log.String(), "lost=2")
		assert.Contains(t, w.log.String(), "lost=1")
	})
}

// In strict mode the event is there when End returns, and the data are kept back when it cannot be.
func TestStrict(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		w := newWard(t, db, Options{Strict: true})
		require.NoError(t, w.read())
		assert.Equal(t, 1, w.written())
		gone, cancel := context.WithCancel(w.nurse)
		w.nurse = gone
		ctx := w.Begin(gone)
		_, err := db.Client.Patient.Get(ctx, w.patient.ID)
		require.NoError(t, err)
		cancel()
		require.NoError(t, w.End(ctx), "a caller that has gone has read all the same")
		assert.Equal(t, 1, w.written())
		w.refuses.Store(true)
		w.nurse = context.WithoutCancel(gone)
		assert.ErrorIs(t, w.read(), fault.ErrUnavailable)
	})
}
