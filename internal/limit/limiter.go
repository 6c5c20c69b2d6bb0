package limit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/rateevent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

// Use is what is counted: one more for the subject where at most Max are allowed within the window.
type Use struct {
	Name    string // of the limit, as clients read it; a constant, without a tilde
	Subject string // for whom it is counted
	Max     int
	Window  time.Duration
}

// inProgress ends the key of a use that is reserved and not settled yet.
const inProgress = "~"

// key tells the limit and the subject, of which 128 bits of a hash are kept.
func (u Use) key() string {
	sum := sha256.Sum256([]byte(u.Subject))
	return u.Name + ":" + hex.EncodeToString(sum[:16])
}

// Limiter counts uses in the database.
type Limiter struct {
	db    *store.DB
	gates gates
}

// New returns a limiter that counts in the database.
func New(db *store.DB) *Limiter { return &Limiter{db: db} }

// Take counts one use of the limit for the subject. Anybody may call it. Within a transaction of the caller the use stands or falls with
// that; outside it stands by itself. Errors: THROTTLED, with Exceeded and the time until the window opens.
func (l *Limiter) Take(ctx context.Context, name, subject string, most int, window time.Duration) error {
	u := Use{Name: name, Subject: subject, Max: most, Window: window}
	return l.db.WithTx(access.System(ctx, "limit"), func(ctx context.Context) error {
		kept, open, err := l.count(ctx, u)
		if err != nil {
			return err
		}
		if kept+open >= u.Max {
			return l.refuse(ctx, u)
		}
		return l.db.Client.RateEvent.Create().SetKey(u.key()).Exec(ctx)
	})
}

// count locks the limit for the subject until the transaction ends, and returns the uses in its window: kept ones, and those in progress.
func (l *Limiter) count(ctx context.Context, u Use) (kept, open int, err error) {
	if err := l.db.LockName(ctx, "limit "+u.key()); err != nil {
		return 0, 0, err
	}
	var groups []struct {
		Key   string
		Count int
	}
	err = l.db.Client.RateEvent.Query().Where(rateevent.KeyIn(u.key(), u.key()+inProgress), rateevent.CreatedAtGT(l.db.Now().Add(-u.Window))).
		GroupBy(rateevent.FieldKey).Aggregate(ent.Count()).Scan(ctx, &groups)
	for _, g := range groups {
		if g.Key == u.key() {
			kept = g.Count
		} else {
			open = g.Count
		}
	}
	return kept, open, err
}

// refuse returns the error for a full window: it opens when the oldest of its last Max uses leaves it.
func (l *Limiter) refuse(ctx context.Context, u Use) error {
	now := l.db.Now()
	if u.Max <= 0 {
		return refusal(u.Name, u.Window)
	}
	oldest, err := l.db.Client.RateEvent.Query().
		Where(rateevent.KeyIn(u.key(), u.key()+inProgress), rateevent.CreatedAtGT(now.Add(-u.Window))).
		Order(ent.Desc(rateevent.FieldCreatedAt)).Offset(u.Max - 1).First(ctx)
	if err != nil {
		return err
	}
	return refusal(u.Name, oldest.CreatedAt.Add(u.Window).Sub(now))
}

const sweepBatch = 5000

// Sweep deletes uses counted before the instant, in bounded batches, and returns how many; for the cleanup. Windows must not reach back further.
func (l *Limiter) Sweep(ctx context.Context, before time.Time) (int, error) {
	ctx = access.System(ctx, "limit cleanup")
	for total := 0; ; {
		var n int64
		err := l.db.WithTx(ctx, func(ctx context.Context) (err error) {
			old := l.db.Build().Select(rateevent.FieldID).From(entsql.Table(rateevent.Table)).
				Where(entsql.LT(rateevent.FieldCreatedAt, before)).OrderBy(rateevent.FieldCreatedAt).Limit(sweepBatch)
			n, err = l.db.Exec(ctx, "limit cleanup", l.db.Build().Delete(rateevent.Table).Where(entsql.In(rateevent.FieldID, old)))
			return err
		})
		total += int(n)
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}
