package audit

import (
	"context"
	"encoding/json"
	"math/bits"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/schema"
	"github.com/caregraph/caregraph/internal/access"
)

// Change is one field with its old and new value as text.
type Change = schema.Change

// Event says what was done; who did it and why comes from ctx.
type Event struct {
	Action    auditevent.Action
	Entity    string    // of the record, as ent names it; the operation for DENIED
	EntityID  uuid.UUID // zero = none or many
	PatientID uuid.UUID // whose record it belongs to; zero = nobody's
	Changes   []Change  // plain: secrets and free text are hashed by field, values cut
}

// entry is an event with everything that its row needs. It has its id from the start, so that it is stored once however often it is tried.
type entry struct {
	Event
	id                             uuid.UUID
	at                             time.Time
	actor, session                 uuid.UUID
	roles, ip, agent, request, why string
}

// Limits of the row, in bytes.
const (
	maxEntity  = 60
	maxValue   = 500
	maxRoles   = 200
	maxIP      = 45
	maxAgent   = 512
	maxRequest = 64
	maxCause   = 120
)

func (r *Recorder) entry(ctx context.Context, v *access.Viewer, e Event) entry {
	q, now := RequestOf(ctx), r.db.Now()
	made := entry{
		Event: e, id: r.db.NewID(ent.TypeAuditEvent), at: now,
		ip: cut(q.IP, maxIP), agent: cut(q.UserAgent, maxAgent), request: cut(q.ID, maxRequest), why: cut(causeOf(ctx, v, q), maxCause),
	}
	made.Entity = cut(e.Entity, maxEntity)
	made.Changes = make([]Change, len(e.Changes))
	for i, c := range e.Changes {
		made.Changes[i] = redact(e.Entity, c)
	}
	if p := v.Person(); p != nil {
		made.actor, made.session, made.roles = p.UserID, p.SessionID, cut(joinRoles(p.Roles), maxRoles)
		if made.ip == "" {
			made.ip = cut(p.IP, maxIP)
		}
		if made.agent == "" {
			made.agent = cut(p.UserAgent, maxAgent)
		}
	}
	return made
}

// causeOf prefers what was named over the operation, and that over the reason of the system's step within it.
func causeOf(ctx context.Context, v *access.Viewer, q Request) string {
	if cause := CauseOf(ctx); cause != "" {
		return cause
	}
	if q.Operation != "" {
		return q.Operation
	}
	if v.IsSystem() {
		return v.Reason()
	}
	return "unknown"
}

func joinRoles(roles []access.Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return strings.Join(names, " ")
}

// cut returns what both engines store of a text in n bytes: valid UTF-8 without NUL.
func cut(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

var columnNames = []string{
	auditevent.FieldID, auditevent.FieldCreatedAt, auditevent.FieldAction, auditevent.FieldEntity, auditevent.FieldCause, auditevent.FieldActorID,
	auditevent.FieldSessionID, auditevent.FieldPatientID, auditevent.FieldEntityID, auditevent.FieldRoles, auditevent.FieldIP, auditevent.FieldUserAgent,
	auditevent.FieldRequestID, auditevent.FieldChanges,
}

// insert writes the rows in the transaction of ctx. Every write of the program passes here, so it goes without ent's builders.
func (r *Recorder) insert(ctx context.Context, entries []entry) error {
	ctx = access.System(ctx, "audit")
	for len(entries) > 0 {
		n := chunk(len(entries))
		rows := r.db.Build().Insert(auditevent.Table).Columns(columnNames...)
		for _, e := range entries[:n] {
			values, err := valuesOf(e)
			if err != nil {
				return err
			}
			rows.Values(values...)
		}
		if _, err := r.exec(ctx, "audit", rows); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

const (
	maxChunk  = 256 // rows of one statement
	fewChunks = 8   // up to which any number goes in one
)

// chunk returns how many of n rows go into the next statement. Large numbers are powers of two: each number of rows is a statement of its own,
// and too many different ones would push the others out of the cache of prepared statements.
func chunk(n int) int {
	if n <= fewChunks {
		return n
	}
	return 1 << (bits.Len64(uint64(min(n, maxChunk))) - 1) // #nosec G115 -- positive
}

// valuesOf returns the values of the columns.
func valuesOf(e entry) ([]any, error) {
	var changes any
	if len(e.Changes) > 0 {
		encoded, err := json.Marshal(e.Changes)
		if err != nil {
			return nil, err
		}
		changes = string(encoded)
	}
	return []any{
		e.id, e.at, string(e.Action), e.Entity, e.why, known(e.actor), known(e.session), known(e.PatientID), known(e.EntityID),
		e.roles, e.ip, e.agent, e.request, changes,
	}, nil
}

func known(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }
