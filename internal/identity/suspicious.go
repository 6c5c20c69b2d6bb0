package identity

import (
	"context"
	"log/slog"
	"net/netip"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
)

// EndSuspicious ends a patient's session that floods the server, on all instances, and tells the administrators; the transport calls it. It returns
// SESSION_EXPIRED, also for one that is over already, or why it could not be ended.
func (s *Service) EndSuspicious(ctx context.Context, v *access.Viewer) error {
	isLive := false
	err := s.DB.WithTx(access.System(ctx, "suspicious session"), func(ctx context.Context) error {
		isLive = false
		if err := s.DB.Lock(ctx, session.Table, v.SessionID); err != nil {
			return err
		}
		row, err := s.DB.Client.Session.Get(ctx, v.SessionID)
		now := s.DB.Now()
		if err != nil || isOver(now, row.EndedAt, expiry(row.ExpiresAt, row.EndsAt, s.activity.of(row.ID)), row.EndsAt) {
			return err
		}
		isLive = true
		err = s.DB.Client.Session.UpdateOneID(row.ID).SetEndedAt(now).SetEndReason(session.EndReasonSUSPICIOUS).SetIsSuspicious(true).Exec(ctx)
		if err != nil {
			return err
		}
		if err := s.tellEnds(ctx, session.EndReasonSUSPICIOUS, row.ID); err != nil {
			return err
		}
		return s.noticeAdmins(ctx, row)
	})
	if ent.MaskNotFound(err) != nil {
		return err
	}
	if isLive {
		s.Log.WarnContext(ctx, "a session was ended: it sent too many requests", slog.String("session", v.SessionID.String()))
	}
	return ErrSessionExpired
}

func (s *Service) noticeAdmins(ctx context.Context, row *ent.Session) error {
	if s.Notice == nil {
		return nil
	}
	admins, err := s.DB.Client.User.Query().
		Where(user.IsActive(true), func(q *sql.Selector) { q.Where(sqljson.ValueContains(user.FieldRoles, string(access.Admin))) }).
		Order(user.ByID()).IDs(ctx)
	for _, admin := range admins {
		if err := s.Notice(ctx, Notice{
			Kind: "SESSION_SUSPICIOUS", UserID: admin, SubjectID: row.ID, Title: "A session was ended",
			Text: "A patient's session was ended because it sent too many requests. Its owner can sign in again; deactivate the account if need be.",
		}); err != nil {
			return err
		}
	}
	return err
}

// watch flags a patient's session that is used from another network or by another program than the one that signed in: once, without ending it. What
// cannot be written is logged, and tried again at the next request.
func (s *Service) watch(ctx context.Context, b *bearer) {
	if b.isSuspicious || !b.viewer.Has(access.Patient) {
		return
	}
	client := clientOf(ctx)
	isMoved, isOther := !sameNetwork(b.from.IP, client.IP), client.UserAgent != "" && client.UserAgent != b.from.UserAgent
	if !isMoved && !isOther {
		return
	}
	id := b.viewer.SessionID
	err := s.DB.WithTx(access.System(access.As(ctx, b.viewer), "suspicious session"), func(ctx context.Context) error {
		return s.DB.Client.Session.UpdateOneID(id).Where(session.IsSuspicious(false)).SetIsSuspicious(true).Exec(ctx)
	})
	if ent.IsNotFound(err) {
		return // another request was quicker
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "a session that moved could not be flagged", slog.String("session", id.String()), slog.Any("error", err))
		return
	}
	s.Log.WarnContext(ctx, "a session is used from elsewhere than where it was opened", slog.String("session", id.String()),
		slog.Bool("otherNetwork", isMoved), slog.Bool("otherProgram", isOther))
}

// The networks within which an address may change: that of a household or a telephone company's gateway.
const (
	networkBits4 = 24
	networkBits6 = 48
)

// sameNetwork tells whether two addresses lie in one /24, or one /48 of IPv6. An address that is not known is no other one.
func sameNetwork(a, b string) bool {
	first, errA := netip.ParseAddr(a)
	second, errB := netip.ParseAddr(b)
	if errA != nil || errB != nil {
		return true
	}
	first, second = first.Unmap().WithZone(""), second.Unmap().WithZone("")
	bits := networkBits6
	if first.Is4() {
		bits = networkBits4
	}
	network, err := first.Prefix(bits)
	return err == nil && network.Contains(second)
}
