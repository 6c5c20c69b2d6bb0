package identity

import (
	"context"
	"errors"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// SessionStatus tells where the session that asks stands, and changes nothing. Anybody may call it: nil when no token was given or it is not
// genuine; a genuine one whose session is over gets its last status.
func (s *Service) SessionStatus(ctx context.Context) (*SessionStatus, error) {
	v := access.From(ctx)
	if v == nil {
		v = bearerOf(access.Failure(ctx))
	}
	if v == nil || v.IsSystem() {
		return nil, nil
	}
	status, err := s.status(ctx, v)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return status, err
}

// over is the detail of SESSION_EXPIRED: whose session it was.
type over struct{ bearer *access.Viewer }

// bearerOf returns who would have asked if the session were not over.
func bearerOf(err error) *access.Viewer {
	var known *fault.Error
	if errors.As(err, &known) {
		if d, ok := known.Detail.(over); ok {
			return d.bearer
		}
	}
	return nil
}

// liveStatus is the status of a session that must not be over.
func (s *Service) liveStatus(ctx context.Context, v *access.Viewer) (*SessionStatus, error) {
	status, err := s.status(ctx, v)
	if ent.IsNotFound(err) || err == nil && status.IsExpired {
		return nil, ErrSessionExpired
	}
	return status, err
}

func (s *Service) status(ctx context.Context, v *access.Viewer) (*SessionStatus, error) {
	row, err := s.DB.Client.Session.Get(access.As(ctx, v), v.SessionID)
	if err != nil {
		return nil, err
	}
	return s.statusOf(s.DB.Now(), v, row), nil
}

// statusOf is the status of a viewer's row, which is changed to show activity that the store does not know.
func (s *Service) statusOf(now time.Time, v *access.Viewer, row *ent.Session) *SessionStatus {
	if w := s.activity.of(row.ID); w.counts(row.ExpiresAt) {
		row.ExpiresAt = expiry(row.ExpiresAt, row.EndsAt, w)
		row.LastActivityAt = later(row.LastActivityAt, w.last)
	}
	status := statusAt(now, row, s.Warning)
	status.UserType, status.TimeoutSeconds = userType(v), int(s.timeout(v)/time.Second)
	return status
}

// expiry is when a session ends without further activity: as its row says, or later by activity that the row does not show yet.
func expiry(stored, endsAt time.Time, w unwritten) time.Time {
	if !w.counts(stored) {
		return stored
	}
	return later(stored, earlier(w.last.Add(w.timeout), endsAt))
}

// isOver tells whether a session has ended.
func isOver(now time.Time, endedAt *time.Time, expiresAt, endsAt time.Time) bool {
	return endedAt != nil || !now.Before(expiresAt) || !now.Before(endsAt)
}

// statusAt is the part of the status that follows from the row. Seconds are rounded up: 0 are left when the session is over, and not before.
func statusAt(now time.Time, row *ent.Session, warning time.Duration) *SessionStatus {
	status := &SessionStatus{Session: row, WarningThreshold: int(warning / time.Second), IsExpired: isOver(now, row.EndedAt, row.ExpiresAt, row.EndsAt)}
	if status.IsExpired {
		return status
	}
	left := row.ExpiresAt.Sub(now)
	status.SecondsRemaining = seconds(left)
	status.ShowWarning = left <= warning
	return status
}

// seconds rounds up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
