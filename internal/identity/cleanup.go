package identity

import (
	"context"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/idempotencykey"
	"github.com/caregraph/caregraph/ent/linkcode"
	"github.com/caregraph/caregraph/ent/loginattempt"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
)

const (
	cleanUpBatch  = 1000
	keptRateUsage = 24 * time.Hour // longer than any limit's window
)

// CleanUp is the job session-cleanup, for the system. It records the end of sessions that are over (closed), deletes those that ended more than 30 days
// ago (deleted), and sweeps what has become worthless: mailed tokens and codes, idempotency keys and counted uses. The login history stays, with start, end and reason of the sessions. It works
// in bounded batches, so that it can stop anywhere and go on the next time.
func (s *Service) CleanUp(ctx context.Context) (closed, deleted int, err error) {
	ctx = access.System(ctx, "session-cleanup")
	if err := s.Flush(ctx); err != nil { // a session that lives on by activity of this instance is not over
		return 0, 0, err
	}
	now := s.DB.Now()
	if closed, err = s.closeExpired(ctx); err != nil {
		return closed, 0, err
	}
	if deleted, err = s.sweep(ctx, session.Table, session.FieldEndedAt, now.Add(-keptSessions), s.keepHistory); err != nil {
		return closed, deleted, err
	}
	for _, old := range []struct {
		table, column string
		before        time.Time
	}{
		{emailtoken.Table, emailtoken.FieldExpiresAt, now},
		{linkcode.Table, linkcode.FieldExpiresAt, now.Add(-keptRateUsage)}, // they are counted for an hour
		{idempotencykey.Table, idempotencykey.FieldExpiresAt, now},
	} {
		if _, err = s.sweep(ctx, old.table, old.column, old.before, nothingKept); err != nil {
			return closed, deleted, err
		}
	}
	_, err = s.Limits.Sweep(ctx, now.Add(-keptRateUsage))
	return closed, deleted, err
}

// closeExpired records the end of all sessions that are over without it.
func (s *Service) closeExpired(ctx context.Context) (total int, err error) {
	for {
		n := 0
		err := s.DB.WithTx(ctx, func(ctx context.Context) error {
			lapsed, err := s.DB.Client.Session.Query().Where(session.EndedAtIsNil(), session.ExpiresAtLTE(s.DB.Now())).
				Order(session.ByExpiresAt()).Limit(cleanUpBatch).IDs(ctx)
			if err != nil {
				return err
			}
			n, err = s.closeBooks(ctx, lapsed)
			return err
		})
		total += n
		if err != nil || n < cleanUpBatch {
			return total, err
		}
	}
}

// sweep deletes the rows of a table whose instant lies before the given one, after first has seen which.
func (s *Service) sweep(ctx context.Context, table, column string, before time.Time, first func(context.Context, *entsql.Selector) error) (total int, err error) {
	for {
		var n int64
		err := s.DB.WithTx(ctx, func(ctx context.Context) (err error) {
			old := func() *entsql.Selector {
				return s.DB.Build().Select("id").From(entsql.Table(table)).Where(entsql.LT(column, before)).OrderBy(column, "id").Limit(cleanUpBatch)
			}
			if err := first(ctx, old()); err != nil {
				return err
			}
			n, err = s.DB.Exec(ctx, "session-cleanup", s.DB.Build().Delete(table).Where(entsql.In("id", old())))
			return err
		})
		total += int(n)
		if err != nil || n < cleanUpBatch {
			return total, err
		}
	}
}

func nothingKept(context.Context, *entsql.Selector) error { return nil }

// keepHistory writes the end of sessions that are about to be deleted, and its reason, into the login history.
func (s *Service) keepHistory(ctx context.Context, old *entsql.Selector) error {
	end := func(column string) entsql.Querier {
		of := s.DB.Build().Select(column).From(entsql.Table(session.Table))
		return entsql.ExprFunc(func(b *entsql.Builder) {
			b.Wrap(func(b *entsql.Builder) {
				b.Join(of.Where(entsql.ColumnsEQ(of.C(session.FieldID), entsql.Table(loginattempt.Table).C(loginattempt.FieldSessionID))))
			})
		})
	}
	_, err := s.DB.Exec(ctx, "session-cleanup", s.DB.Build().Update(loginattempt.Table).
		Set(loginattempt.FieldSessionEndedAt, end(session.FieldEndedAt)).
		Set(loginattempt.FieldSessionEndReason, end(session.FieldEndReason)).
		Where(entsql.In(loginattempt.FieldSessionID, old)))
	return err
}
