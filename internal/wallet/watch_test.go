package wallet_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

const patience = time.Minute // of a test that fails; busy machines are slow

// instance is a service as an instance of the program has it, with hints from the others.
func instance(t *testing.T, db *store.DB) *wallet.Service {
	t.Helper()
	log := stream.New(db, stream.NewBus(db, quiet), quiet)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); log.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return newService(t, db, func(c *wallet.Config) { c.Streams = log })
}

// follower is a reader of a wallet's activity.
type follower struct {
	stream.Feed
	woken chan struct{}
}

func follow(t *testing.T, s *wallet.Service, patient uuid.UUID, after *ent.Cursor) *follower {
	t.Helper()
	source, err := s.Activity(t.Context(), patient, after)
	require.NoError(t, err)
	f := &follower{woken: make(chan struct{}, 1)}
	f.Feed, err = source.Open(t.Context(), func() {
		select {
		case f.woken <- struct{}{}:
		default:
		}
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// upTo reads on until it has the position, waiting to be woken.
func (f *follower) upTo(t *testing.T, last int64) (events []*stream.Event) {
	t.Helper()
	deadline := time.After(patience)
	for {
		got, err := f.Next(t.Context())
		require.NoError(t, err)
		events = append(events, got...)
		if n := len(events); n > 0 && events[n-1].Position >= last {
			return events
		}
		if len(got) > 0 {
			continue
		}
		select {
		case <-f.woken:
		case <-deadline:
			require.Failf(t, "not woken", "%d events", len(events))
		}
	}
}

// Two instances post at once: each reader of either gets every transaction once, in order, also one that goes on behind a cursor in the middle, and
// one that was there before the wallet.
func TestActivity_EveryTransactionOnceAndInOrder(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		services := []*wallet.Service{instance(t, db), nil}
		services[1] = services[0]
		if db.Dialect() == testkit.Postgres {
			services[1] = instance(t, testkit.Another(t, db, clk))
		}
		p, other := testkit.Record(t, db), testkit.Record(t, db)
		early := []*follower{follow(t, services[0], p.ID, nil), follow(t, services[1], p.ID, nil)}
		for _, f := range early {
			opened, err := f.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, stream.Opened, opened[0].Kind)
			require.Zero(t, opened[0].Position, "there is no wallet yet")
		}
		const each, lots = 30, 3
		var g errgroup.Group
		for i, s := range services {
			g.Go(func() error {
				for range each {
					if err := s.DB.WithTx(systemCtx(t.Context()), func(ctx context.Context) error {
						_, err := s.Post(ctx, []wallet.Posting{topUp(p.ID, int64(i+1)), topUp(other.ID, 1), topUp(p.ID, 1), topUp(p.ID, 1)})
						return err
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		const all = 2 * each * lots
		middle := stream.CursorOf(wallet.IDOf(p.ID), all/2)
		for name, c := range map[string]struct {
			f    *follower
			from int64
		}{
			"here": {early[0], 1}, "there": {early[1], 1}, "resumed here": {follow(t, services[0], p.ID, &middle), all/2 + 1},
			"resumed there": {follow(t, services[1], p.ID, &middle), all/2 + 1},
		} {
			events := c.f.upTo(t, all)
			require.Len(t, events, all-int(c.from)+1, name)
			for i, e := range events {
				row, err := wallet.Told(e)
				require.NoError(t, err)
				require.Equal(t, []any{c.from + int64(i), row.ID, wallet.Posted}, []any{e.Position, e.Subject, e.Kind})
				require.Equal(t, e.Position, row.Position)
				_, err = row.QueryWallet().Only(testkit.System(t)) // it leads on
				require.NoError(t, err)
			}
			more, err := c.f.Next(t.Context())
			require.NoError(t, err)
			require.Empty(t, more, name)
		}
		n, err := db.Client.StreamEntry.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Zero(t, n, "the transactions are the log")
		requireWhole(t, services[0])
	})
}

// A reader far behind the newest events reads the ledger itself.
func TestActivity_ManyPages(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		start := stream.CursorOf(wallet.IDOf(p.ID), 0)
		slow := follow(t, s, p.ID, &start)
		var many []wallet.Posting
		for range 1200 {
			many = append(many, topUp(p.ID, 1))
		}
		post(t, s, many...)
		for i, e := range slow.upTo(t, 1200) {
			require.EqualValues(t, i+1, e.Position)
			_, err := wallet.Told(e)
			require.NoError(t, err)
		}
		events, err := s.Streams.Read(t.Context(), wallet.IDOf(p.ID), 1190, 100)
		require.NoError(t, err)
		assert.Len(t, events, 10)
		_, err = s.Streams.Read(t.Context(), wallet.IDOf(p.ID), 1201, 100)
		require.ErrorIs(t, err, fault.ErrResumeExpired)
	})
}

func TestActivity_WhoMayFollow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, mine := newService(t, db), testkit.Patient(t, db)
		post(t, s, topUp(mine.ID, 1))
		doctor := testkit.Practitioner(t, db)
		withoutWallet := testkit.Patient(t, db)
		check := func(patient uuid.UUID, who ...any) error {
			t.Helper()
			source, err := s.Activity(t.Context(), patient, nil)
			require.NoError(t, err)
			if len(who) == 0 {
				return source.Check(t.Context())
			}
			return source.Check(testkit.As(t, who...))
		}
		for _, who := range []any{mine, testkit.User(t, db, access.Nurse), testkit.User(t, db, access.Biller), testkit.User(t, db, access.Admin)} {
			require.NoError(t, check(mine.ID, who))
			require.ErrorIs(t, check(ids.New("Patient", testkit.Start), who), fault.ErrNotFound)
			require.ErrorIs(t, check(uuid.Nil, who), fault.ErrNotFound)
		}
		require.NoError(t, check(withoutWallet.ID, withoutWallet), "there is no wallet yet")
		others := []any{withoutWallet, doctor}
		for _, role := range []access.Role{access.Scheduler, access.Pharmacist, access.Clinician} {
			others = append(others, testkit.User(t, db, role))
		}
		for _, who := range others {
			require.ErrorIs(t, check(mine.ID, who), fault.ErrNotFound)
		}
		require.ErrorIs(t, check(mine.ID), fault.ErrNotFound, "nobody is signed in")

		strange := stream.CursorOf(mine.ID, 1)
		_, err := s.Activity(t.Context(), mine.ID, &strange)
		require.ErrorIs(t, err, fault.ErrInvalid, "the cursor is not the wallet's")
		ahead := stream.CursorOf(wallet.IDOf(mine.ID), 2)
		source, err := s.Activity(t.Context(), mine.ID, &ahead)
		require.NoError(t, err)
		_, err = source.Open(t.Context(), func() {})
		require.ErrorIs(t, err, fault.ErrResumeExpired)
		require.ErrorContains(t, err, "walletStatement")
	})
}

// What came with its transaction is not read again.
func TestActivity_LoadsWhatLacks(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		rows := post(t, s, topUp(p.ID, 1), topUp(p.ID, 2))
		source, err := s.Activity(t.Context(), p.ID, nil)
		require.NoError(t, err)
		load := func(events ...*stream.Event) int64 {
			var count atomic.Int64
			require.NoError(t, source.(*stream.LogSource).Loader(store.CountRoundTrips(testkit.System(t), &count), events))
			return count.Load()
		}
		has, bare := &stream.Event{Subject: rows[0].ID, Value: rows[0]}, &stream.Event{Subject: rows[1].ID}
		assert.Zero(t, load(has, has))
		assert.EqualValues(t, 1, load(has, bare))
		assert.Same(t, rows[0], has.Value)
		told, err := wallet.Told(bare)
		require.NoError(t, err)
		assert.Equal(t, rows[1].ID, told.ID)
	})
}
