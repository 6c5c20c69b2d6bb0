package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	channel    = "caregraph_streams"
	maxPayload = 7900 // PostgreSQL takes less than 8,000 bytes
	sendGap    = 5 * time.Millisecond
	sendRetry  = time.Second
)

// postgresBus carries hints by LISTEN/NOTIFY. A commit with NOTIFY takes a lock that all such commits of the database share, so hints
// are not sent by business transactions but by one goroutine per instance, which puts all that waits into one statement.
type postgresBus struct {
	db     *store.DB
	log    *slog.Logger
	from   string // who sends, to know one's own
	outbox *outbox
	hint   func(Hint)
	lost   func()
}

func newPostgresBus(db *store.DB, logger *slog.Logger) *postgresBus {
	return &postgresBus{db: db, log: logger, from: uuid.NewString(), outbox: newOutbox()}
}

// Send implements Bus.
func (b *postgresBus) Send(hints ...Hint) { b.outbox.put(hints) }

// Receive implements Bus.
func (b *postgresBus) Receive(hint func(Hint), lost func()) { b.hint, b.lost = hint, lost }

// Run implements Bus.
func (b *postgresBus) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.send(ctx)
	}()
	b.listen(ctx)
	<-done
}

// send sends what waits, as soon as it comes when little does, and with a gap between statements.
func (b *postgresBus) send(ctx context.Context) {
	var said sayOnce
	for {
		select {
		case <-ctx.Done():
			b.sendLast(ctx)
			return
		case <-b.outbox.filled:
		}
		pause := sendGap
		hints := b.outbox.take()
		err := b.notify(ctx, payloads(b.from, hints))
		if err != nil {
			b.outbox.put(hints)
			pause = sendRetry
		}
		said.say(ctx, b.log, "hints cannot be sent to other instances", err)
		select {
		case <-ctx.Done():
			b.sendLast(ctx)
			return
		case <-time.After(pause):
		}
	}
}

// sendLast tells of what was published just before the end.
func (b *postgresBus) sendLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendRetry)
	defer cancel()
	_ = b.notify(ctx, payloads(b.from, b.outbox.take())) // the poll of the others finds what this does not tell
}

func (b *postgresBus) notify(ctx context.Context, payloads []string) error {
	if len(payloads) == 0 {
		return nil
	}
	list, err := json.Marshal(payloads)
	if err != nil {
		return err
	}
	s := entsql.Raw("SELECT pg_notify('" + channel + "', p) FROM json_array_elements_text($1::json) AS p")
	return b.db.Query(access.System(ctx, "send hints"), "send hints", withArgs{s, []any{string(list)}}, func(*entsql.Rows) error { return nil })
}

// withArgs is a statement in the words of its engine.
type withArgs struct {
	entsql.Querier
	args []any
}

// Query implements store.Statement.
func (s withArgs) Query() (string, []any) {
	text, _ := s.Querier.Query()
	return text, s.args
}

// payloads writes hints as lines under the sender's name.
func payloads(from string, hints []Hint) []string {
	var list []string
	var b strings.Builder
	for _, h := range hints {
		line := "\n=" + h.Topic
		if h.Topic == "" {
			line = fmt.Sprintf("\n%s %d", h.Stream, h.Position)
		}
		if b.Len() > 0 && b.Len()+len(line) > maxPayload {
			list = append(list, b.String())
			b.Reset()
		}
		if b.Len() == 0 {
			b.WriteString(from)
		}
		b.WriteString(line)
	}
	if b.Len() > 0 {
		list = append(list, b.String())
	}
	return list
}

// parse reads a payload; lines that are none are left out.
func parse(payload string) (from string, hints []Hint) {
	lines := strings.Split(payload, "\n")
	for _, line := range lines[1:] {
		if topic, ok := strings.CutPrefix(line, "="); ok && topic != "" {
			hints = append(hints, Hint{Topic: topic})
			continue
		}
		id, number, _ := strings.Cut(line, " ")
		stream, err := uuid.Parse(id)
		position, err2 := strconv.ParseInt(number, 10, 64)
		if err == nil && err2 == nil {
			hints = append(hints, Hint{Stream: stream, Position: position})
		}
	}
	return lines[0], hints
}

// listen receives until ctx ends.
func (b *postgresBus) listen(ctx context.Context) {
	b.db.Listen(ctx, channel, b.receive, func(err error) {
		if err != nil {
			b.log.Warn("hints of other instances cannot be received", "error", err)
		}
		b.lost()
	})
}

func (b *postgresBus) receive(payload string) {
	from, hints := parse(payload)
	if from == b.from {
		return
	}
	for _, h := range hints {
		b.hint(h)
	}
}
