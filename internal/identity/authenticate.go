package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// Authenticate returns who a bearer token (without the word Bearer) belongs to, with roles as they are now. It is for the transport, before every
// operation, and reads the store once. Errors: UNAUTHENTICATED for a token that is not genuine, SESSION_EXPIRED for one whose session is over.
func (s *Service) Authenticate(ctx context.Context, bearer string) (*access.Viewer, error) {
	sessionID, userID, err := s.tokens.read(bearer)
	if err != nil {
		return nil, err
	}
	found, err := s.load(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	if found == nil || found.viewer.UserID != userID {
		return nil, ErrSessionExpired
	}
	expiresAt := expiry(found.expiresAt, found.endsAt, s.activity.of(sessionID))
	if !found.isActive || isOver(s.DB.Now(), found.endedAt, expiresAt, found.endsAt) {
		return nil, ErrSessionExpired.With(over{found.viewer})
	}
	s.watch(ctx, found)
	return found.viewer, nil
}

// signedIn returns the user who asks, or why nobody does.
func signedIn(ctx context.Context) (*access.Viewer, error) {
	v := access.From(ctx)
	if v == nil || v.IsSystem() {
		if err := access.Failure(ctx); err != nil {
			return nil, err
		}
		return nil, fault.ErrUnauthenticated
	}
	return v, nil
}

// bearer is what the store knows of a session and its user.
type bearer struct {
	viewer            *access.Viewer
	isActive          bool
	expiresAt, endsAt time.Time
	endedAt           *time.Time
	endReason         session.EndReason // empty while it has none
	from              Client            // where the user signed in
	isSuspicious      bool
}

// load reads a session with its user, in one statement; nil when there is none.
func (s *Service) load(ctx context.Context, sessionID uuid.UUID) (*bearer, error) {
	found, err := s.loadAll(ctx, []uuid.UUID{sessionID})
	return found[sessionID], err
}

// loadAll reads sessions with their users, in one statement.
func (s *Service) loadAll(ctx context.Context, sessionIDs []uuid.UUID) (map[uuid.UUID]*bearer, error) {
	const reason = "authenticate"
	client, found := clientOf(ctx), make(map[uuid.UUID]*bearer, len(sessionIDs))
	err := s.DB.Query(access.System(ctx, reason), reason, s.bearerQuery(padded(sessionIDs)), func(row *entsql.Rows) error {
		b, err := readBearer(row)
		if err != nil {
			return err
		}
		b.viewer.IP, b.viewer.UserAgent = client.IP, client.UserAgent
		b.viewer.NeedsTotp = b.viewer.NeedsTotp && s.RequireStaffTotp
		found[b.viewer.SessionID] = b
		return nil
	})
	return found, err
}

func readBearer(row *entsql.Rows) (*bearer, error) {
	v := &access.Viewer{}
	b := &bearer{viewer: v}
	var roles []byte
	var endedAt sql.Null[time.Time]
	var endReason sql.NullString
	var patientID, practitionerID uuid.NullUUID
	var hasTotp bool
	err := row.Scan(&v.SessionID, &v.UserID, &b.expiresAt, &b.endsAt, &endedAt, &endReason, &b.from.IP, &b.from.UserAgent, &b.isSuspicious,
		&v.Email, &roles, &b.isActive, &hasTotp, &patientID, &practitionerID)
	if err != nil {
		return nil, err
	}
	if endedAt.Valid {
		b.endedAt, b.endReason = &endedAt.V, session.EndReason(endReason.String)
	}
	if err := json.Unmarshal(roles, &v.Roles); err != nil {
		return nil, err
	}
	v.NeedsTotp = !hasTotp && !v.Has(access.Patient)
	// Records of roles that the user had once stay with the account.
	if v.Has(access.Patient) {
		v.PatientID = patientID.UUID
	}
	if v.Has(access.Doctor, access.Clinician, access.Supervisor) {
		v.PractitionerID = practitionerID.UUID
	}
	return b, nil
}

// padded repeats the last id up to the next power of two, so that lists of any length make few texts of statements: prepared ones are kept by text.
func padded(ids []uuid.UUID) []uuid.UUID {
	size := 1
	for size < len(ids) {
		size *= 2
	}
	list := slices.Clone(ids)
	for len(list) > 0 && len(list) < size {
		list = append(list, ids[len(ids)-1])
	}
	return list
}

func (s *Service) bearerQuery(sessionIDs []uuid.UUID) *entsql.Selector {
	list := make([]any, len(sessionIDs))
	for i, id := range sessionIDs {
		list[i] = id
	}
	b := s.DB.Build()
	ss, u := b.Table(session.Table).As("s"), b.Table(user.Table).As("u")
	p, d := b.Table(patient.Table).As("p"), b.Table(practitioner.Table).As("d")
	return b.Select(
		ss.C(session.FieldID), ss.C(session.FieldUserID),
		ss.C(session.FieldExpiresAt), ss.C(session.FieldEndsAt), ss.C(session.FieldEndedAt), ss.C(session.FieldEndReason),
		ss.C(session.FieldIP), ss.C(session.FieldUserAgent), ss.C(session.FieldIsSuspicious),
		u.C(user.FieldEmail), u.C(user.FieldRoles), u.C(user.FieldIsActive), u.C(user.FieldHasTotp), p.C(patient.FieldID), d.C(practitioner.FieldID),
	).From(ss).
		Join(u).On(ss.C(session.FieldUserID), u.C(user.FieldID)).
		LeftJoin(p).On(p.C(patient.FieldUserID), u.C(user.FieldID)).
		LeftJoin(d).On(d.C(practitioner.FieldUserID), u.C(user.FieldID)).
		Where(entsql.In(ss.C(session.FieldID), list...))
}
