package identity

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// MySessions returns a query for the viewer's own sessions, ended ones included; for none when nobody is signed in.
func (s *Service) MySessions(ctx context.Context) *ent.SessionQuery {
	var own uuid.UUID
	if v := access.From(ctx); v != nil {
		own = v.UserID
	}
	return s.DB.Client.Session.Query().Where(session.UserID(own))
}

// Sessions returns a query for sessions, of one user and in one state if these are given. Who runs it sees what the access policy allows:
// administrators all, others their own.
func (s *Service) Sessions(_ context.Context, state *SessionState, userID *uuid.UUID) *ent.SessionQuery {
	q := s.DB.Client.Session.Query()
	if userID != nil {
		q.Where(session.UserID(*userID))
	}
	if state == nil {
		return q
	}
	now := s.DB.Now()
	switch *state {
	case StateActive:
		q.Where(session.EndedAtIsNil(), session.ExpiresAtGT(now), session.EndsAtGT(now))
	case StateExpired:
		q.Where(session.Or(session.EndedAtNotNil(), session.ExpiresAtLTE(now), session.EndsAtLTE(now)))
	case StateSuspicious:
		q.Where(session.IsSuspicious(true))
	}
	return q
}

// Logout ends the session that asks. For every signed-in user; doing it again changes nothing. Errors: UNAUTHENTICATED.
func (s *Service) Logout(ctx context.Context) error {
	v, err := signedIn(ctx)
	if err != nil {
		return err
	}
	_, err = s.endOne(ctx, v.SessionID, session.EndReasonLOGOUT)
	return ent.MaskNotFound(err)
}

// RevokeSession ends a session: one of the viewer's own, or any for administrators. One that is over already is returned as it is. Errors:
// NOT_FOUND, UNAUTHENTICATED.
func (s *Service) RevokeSession(ctx context.Context, in RevokeSessionInput) (revoked *ent.Session, err error) {
	if _, err := signedIn(ctx); err != nil {
		return nil, err
	}
	revoked, err = s.endOne(ctx, in.ID, session.EndReasonREVOKED)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("id")
	}
	return revoked, err
}

// endOne ends one session with the rights of the viewer, to whom hidden ones are not found. One that is over keeps the reason for which it is.
func (s *Service) endOne(ctx context.Context, id uuid.UUID, reason session.EndReason) (row *ent.Session, err error) {
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		if err := s.DB.Lock(ctx, session.Table, id); err != nil {
			return err
		}
		row, err = s.DB.Client.Session.Get(ctx, id)
		now := s.DB.Now()
		switch {
		case err != nil || row.EndedAt != nil:
			return err
		case !isOver(now, nil, row.ExpiresAt, row.EndsAt):
			row, err = s.DB.Client.Session.UpdateOneID(id).SetEndedAt(now).SetEndReason(reason).Save(ctx)
			if err != nil {
				return err
			}
			return s.tellEnds(ctx, reason, id)
		}
		if _, err := s.closeBooks(access.System(ctx, "record the end of a session"), []uuid.UUID{id}); err != nil {
			return err
		}
		row, err = s.DB.Client.Session.Get(ctx, id)
		return err
	})
	return row, err
}

// RevokeOtherSessions ends all sessions of the viewer but the one that asks, and returns how many were live. Errors: UNAUTHENTICATED.
func (s *Service) RevokeOtherSessions(ctx context.Context) (ended int, err error) {
	v, err := signedIn(ctx)
	if err != nil {
		return 0, err
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		ended, err = s.end(access.System(ctx, "revokeOtherSessions"), session.EndReasonREVOKED, session.UserID(v.UserID), session.IDNEQ(v.SessionID))
		return err
	})
	return ended, err
}

// end ends the sessions that match and are not over, and returns how many. It closes the books on those that are over, which keep the reason for
// which they are. ctx is the system's, in a transaction.
func (s *Service) end(ctx context.Context, reason session.EndReason, which ...predicate.Session) (int, error) {
	all, err := s.DB.Client.Session.Query().Where(which...).Where(session.EndedAtIsNil()).IDs(ctx)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	if err := s.DB.Lock(ctx, session.Table, all...); err != nil { // nobody extends or ends one of them from here on
		return 0, err
	}
	now := s.DB.Now()
	if _, err := s.closeBooks(ctx, all); err != nil {
		return 0, err
	}
	live, err := s.DB.Client.Session.Query().Where(session.IDIn(all...), session.EndedAtIsNil()).IDs(ctx)
	if err != nil || len(live) == 0 {
		return 0, err
	}
	if err := s.DB.Client.Session.Update().Where(session.IDIn(live...)).SetEndedAt(now).SetEndReason(reason).Exec(ctx); err != nil {
		return 0, err
	}
	return len(live), s.tellEnds(ctx, reason, live...)
}

// closeBooks records the end of sessions that were over without it: at the absolute end where that has come, else by lack of activity.
func (s *Service) closeBooks(ctx context.Context, lapsed []uuid.UUID) (int, error) {
	if len(lapsed) == 0 {
		return 0, nil
	}
	list := make([]any, len(lapsed))
	for i, id := range lapsed {
		list[i] = id
	}
	const isIdle = "CASE WHEN expires_at < ends_at THEN "
	n, err := s.DB.Exec(ctx, "record the end of sessions", s.DB.Build().Update(session.Table).
		Set(session.FieldEndedAt, entsql.Expr(isIdle+"expires_at ELSE ends_at END")).
		Set(session.FieldEndReason, entsql.Expr(isIdle+"'IDLE' ELSE 'ABSOLUTE' END")).
		Where(entsql.And(entsql.In(session.FieldID, list...), entsql.IsNull(session.FieldEndedAt), entsql.LTE(session.FieldExpiresAt, s.DB.Now()))))
	return int(n), err
}
