package identity

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

// Touch counts a query or mutation that the viewer sent as activity: the session lasts its timeout from now, up to its absolute end. It is for the
// transport, which leaves out what does not count. Most calls write nothing; see the package's description. A session that is over stays so.
func (s *Service) Touch(ctx context.Context, v *access.Viewer) error {
	if v == nil || v.SessionID == uuid.Nil {
		return nil
	}
	return s.touch(ctx, v, false)
}

func (s *Service) touch(ctx context.Context, v *access.Viewer, must bool) error {
	now := s.DB.Now()
	w, isDue := s.activity.note(v.SessionID, now, s.timeout(v), must)
	if !isDue {
		return nil
	}
	return s.writeGrouped(ctx, w)
}

// write extends the rows of sessions, in one transaction.
func (s *Service) write(ctx context.Context, now time.Time, list ...unwritten) error {
	isMoved := make([]bool, len(list))
	err := s.DB.WithTx(access.System(ctx, "session activity"), func(ctx context.Context) error {
		for i, w := range list {
			n, err := s.DB.Exec(ctx, "session activity", s.extension(w))
			if err != nil {
				return err
			}
			isMoved[i] = n > 0
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, w := range list {
		s.activity.written(w, now)
		s.live.wrote(w.id, w.last.Add(w.timeout), isMoved[i])
		if isMoved[i] && s.Streams != nil {
			s.Streams.Tell(toldTopic + w.id.String())
		}
	}
	return nil
}

// extension moves the end of a session that was live at the first activity; of one that was over it touches nothing. It never moves an end back:
// another instance may know of newer activity.
func (s *Service) extension(w unwritten) store.Statement {
	expires := w.last.Add(w.timeout)
	return s.DB.Build().Update(session.Table).
		Set(session.FieldLastActivityAt, choose(session.FieldLastActivityAt, entsql.OpGT, w.last)).
		Set(session.FieldExpiresAt, choose(session.FieldEndsAt, entsql.OpLT, expires)).
		Where(entsql.And(
			entsql.EQ(session.FieldID, w.id), entsql.IsNull(session.FieldEndedAt),
			entsql.GT(session.FieldExpiresAt, w.first), entsql.LT(session.FieldExpiresAt, expires),
		))
}

// choose is the column where it compares so with the instant, and else the instant.
func choose(column string, op entsql.Op, at time.Time) entsql.Querier {
	return entsql.ExprFunc(func(b *entsql.Builder) {
		b.WriteString("CASE WHEN ").Ident(column).WriteOp(op).Arg(at).WriteString(" THEN ").Ident(column).WriteString(" ELSE ").Arg(at).WriteString(" END")
	})
}

const flushBatch = 500

// Flush writes all activity that the store does not know yet; for the shutdown.
func (s *Service) Flush(ctx context.Context) error {
	s.settleTouches(ctx)
	return s.flush(ctx, true)
}

// flush writes the activity that is due, or all. A batch that fails stays for the next time.
func (s *Service) flush(ctx context.Context, all bool) error {
	now := s.DB.Now()
	var failures []error
	for batch := range slices.Chunk(s.activity.due(now, all), flushBatch) {
		if err := s.write(ctx, now, batch...); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

const flushEvery = time.Second // well below a quarter of the shortest timeout that the configuration allows

// Run writes activity when it is due, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.flush(ctx, false); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "the activity of sessions waits: the database does not take it", slog.Any("error", err))
			}
		}
	}
}

// ExtendSession is Touch on request, written at once so that other instances know, and returns the new status. For every signed-in user. Errors:
// UNAUTHENTICATED, SESSION_EXPIRED.
func (s *Service) ExtendSession(ctx context.Context) (*SessionStatus, error) {
	v, err := signedIn(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.touch(ctx, v, true); err != nil {
		return nil, err
	}
	return s.liveStatus(ctx, v)
}

// PingActivity records that the user is there; the session's end stays where it is. For every signed-in user. Errors: UNAUTHENTICATED,
// SESSION_EXPIRED.
func (s *Service) PingActivity(ctx context.Context) (*SessionStatus, error) {
	v, err := signedIn(ctx)
	if err != nil {
		return nil, err
	}
	now := s.DB.Now()
	ping := s.DB.Build().Update(session.Table).Set(session.FieldLastActivityAt, now).Where(entsql.And(
		entsql.EQ(session.FieldID, v.SessionID), entsql.IsNull(session.FieldEndedAt),
		entsql.GT(session.FieldExpiresAt, now), entsql.LT(session.FieldLastActivityAt, now)))
	err = s.DB.WithTx(access.System(ctx, "session activity"), func(ctx context.Context) error {
		_, err := s.DB.Exec(ctx, "session activity", ping)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.liveStatus(ctx, v)
}
