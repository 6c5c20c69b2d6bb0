package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

// Options change how reads are recorded.
type Options struct {
	// Strict makes End write the events of its operation itself (AUDIT_READS=strict).
	Strict bool
	// Buffer bounds the events that wait to be written; 0 = 10,000.
	Buffer int
	// MaxPatients bounds the patients whose records one operation may open; 0 = 20,000.
	MaxPatients int
	// Every is the pause between two flushes of Run; 0 = 500 ms.
	Every time.Duration
}

// Recorder writes the audit.
type Recorder struct {
	db   *store.DB
	log  *slog.Logger
	opts Options
	exec func(ctx context.Context, reason string, s store.Statement) (int64, error) // the database's; tests make it fail

	buffer    *buffer
	flushing  sync.Mutex // one flush at a time
	uncertain bool       // under flushing: the last flush failed, perhaps after it was stored
}

// New returns a recorder for the database. Install makes it work.
func New(db *store.DB, log *slog.Logger, opts Options) *Recorder {
	if opts.Buffer == 0 {
		opts.Buffer = 10_000
	}
	if opts.MaxPatients == 0 {
		opts.MaxPatients = 20_000
	}
	if opts.Every == 0 {
		opts.Every = 500 * time.Millisecond
	}
	return &Recorder{db: db, log: log, opts: opts, exec: db.Exec, buffer: newBuffer(opts.Buffer)}
}

// Install puts the recorder on the database's client, inside the access policy. Call it once, before the first use of the client.
func (r *Recorder) Install() {
	r.db.Client.Use(r.hook)
	r.db.Client.Intercept(ent.InterceptFunc(r.intercept))
}

type bufferKey struct{ *Recorder }

// pending are the events of one transaction.
type pending struct {
	entries   []entry
	scheduled bool
}

// Record writes events of the caller's own making with the transaction of ctx, for what the hook cannot see. Anybody may call it; it fails
// outside a transaction.
func (r *Recorder) Record(ctx context.Context, events ...Event) error {
	p, err := store.Buffer(ctx, bufferKey{r}, func() *pending { return &pending{} })
	if err != nil {
		return err
	}
	for _, e := range events {
		p.entries = append(p.entries, r.entry(ctx, access.From(ctx), e))
	}
	if p.scheduled {
		return nil
	}
	p.scheduled = true
	return store.BeforeCommit(ctx, func(ctx context.Context) error {
		p.scheduled = false // a later step before the commit may write again
		entries := p.entries
		p.entries = nil
		return r.insert(ctx, entries)
	})
}

// Denied records that the viewer of ctx was refused an operation. It goes through the buffer of reads, so call it outside a transaction.
func (r *Recorder) Denied(ctx context.Context, operation string) {
	_ = r.enqueue(ctx, []entry{r.entry(ctx, access.From(ctx), Event{Action: auditevent.ActionDENIED, Entity: operation})}) // a failure is logged there
}
