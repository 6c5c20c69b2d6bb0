package identity

import (
	"context"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/idempotencykey"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
)

const (
	cleanUpBatch  = 1000
	keptRateUsage = 24 * time.Hour // longer than any limit's window
)

// CleanUp is the job session-cleanup, for the system. It records the end of sessions that are over (closed), deletes those that ended more than 30 days
// ago (deleted), and sweeps what has become worthless: mailed tokens, idempotency keys and counted uses. The login history stays. It works
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
	if deleted, err = s.sweep(ctx, session.Table, session.FieldEndedAt, now.Add(-keptSessions)); err != nil {
		return closed, deleted, err
	}
	if _, err = s.sweep(ctx, emailtoken.Table, emailtoken.FieldExpiresAt, now); err != nil {
		return closed, deleted, err
	}
	if _, err = s.sweep(ctx, idempotencykey.Table, idempotencykey.FieldExpiresAt, now); err != nil {
		return closed, deleted, err
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

// sweep deletes the rows of a table whose instant lies before the given one.
func (s *Service) sweep(ctx context.Context, table, column string, before time.Time) (total int, err error) {
	for {
		var n int64
		err := s.DB.WithTx(ctx, func(ctx context.Context) (err error) {
			old := s.DB.Build().Select("id").From(entsql.Table(table)).Where(entsql.LT(column, before)).OrderBy(column).Limit(cleanUpBatch)
			n, err = s.DB.Exec(ctx, "session-cleanup", s.DB.Build().Delete(table).Where(entsql.In("id", old)))
			return err
		})
		total += int(n)
		if err != nil || n < cleanUpBatch {
			return total, err
		}
	}
}
