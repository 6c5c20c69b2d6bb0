package identity

import (
	"context"
	"database/sql"
	"encoding/json"
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
}

// load reads a session with its user, in one statement; nil when there is none.
func (s *Service) load(ctx context.Context, sessionID uuid.UUID) (found *bearer, err error) {
	const reason = "authenticate"
	client := clientOf(ctx)
	err = s.DB.Query(access.System(ctx, reason), reason, s.bearerQuery(sessionID), func(row *entsql.Rows) error {
		v := &access.Viewer{SessionID: sessionID, IP: client.IP, UserAgent: client.UserAgent}
		found = &bearer{viewer: v}
		var roles []byte
		var endedAt sql.Null[time.Time]
		var patientID, practitionerID uuid.NullUUID
		err := row.Scan(&v.UserID, &found.expiresAt, &found.endsAt, &endedAt, &v.Email, &roles, &found.isActive, &patientID, &practitionerID)
		if err != nil {
			return err
		}
		if endedAt.Valid {
			found.endedAt = &endedAt.V
		}
		if err := json.Unmarshal(roles, &v.Roles); err != nil {
			return err
		}
		// Records of roles that the user had once stay with the account.
		if v.Has(access.Patient) {
			v.PatientID = patientID.UUID
		}
		if v.Has(access.Doctor, access.Clinician, access.Supervisor) {
			v.PractitionerID = practitionerID.UUID
		}
		return nil
	})
	return found, err
}

func (s *Service) bearerQuery(sessionID uuid.UUID) *entsql.Selector {
	b := s.DB.Build()
	ss, u := b.Table(session.Table).As("s"), b.Table(user.Table).As("u")
	p, d := b.Table(patient.Table).As("p"), b.Table(practitioner.Table).As("d")
	return b.Select(
		ss.C(session.FieldUserID), ss.C(session.FieldExpiresAt), ss.C(session.FieldEndsAt), ss.C(session.FieldEndedAt),
		u.C(user.FieldEmail), u.C(user.FieldRoles), u.C(user.FieldIsActive), p.C(patient.FieldID), d.C(practitioner.FieldID),
	).From(ss).
		Join(u).On(ss.C(session.FieldUserID), u.C(user.FieldID)).
		LeftJoin(p).On(p.C(patient.FieldUserID), u.C(user.FieldID)).
		LeftJoin(d).On(d.C(practitioner.FieldUserID), u.C(user.FieldID)).
		Where(entsql.EQ(ss.C(session.FieldID), sessionID))
}
