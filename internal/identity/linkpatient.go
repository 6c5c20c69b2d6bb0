package identity

import (
	"context"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
)

// LinkPatientAccount joins the record that a code was mailed for to the viewer's account; the rest of the document, and open sockets, have the
// rights of that record at once. For patients. Errors: TOKEN_INVALID, ILLEGAL_STATUS (the records cannot become one), THROTTLED, FORBIDDEN.
func (s *Service) LinkPatientAccount(ctx context.Context, in LinkPatientAccountInput) (*ent.Patient, error) {
	v, err := signedIn(ctx)
	if err != nil {
		return nil, err
	}
	if !v.Has(access.Patient) {
		return nil, errOnlyPatients
	}
	err = s.Limits.Take(ctx, "verifications per minute and address", clientOf(ctx).network(), s.VerificationsPerMinute, time.Minute)
	if err != nil {
		return nil, err
	}
	record, err := s.Patients.Link(ctx, v.UserID, in.Code, func(ctx context.Context) error { return s.tellUser(ctx, v.UserID) })
	if err != nil {
		return nil, err
	}
	fresh, err := s.refresh(ctx)
	if err != nil {
		return nil, err
	}
	linked, err := s.DB.Client.Patient.Get(access.As(ctx, fresh), record)
	return linked, ent.MaskNotFound(err) // another code of the account may have merged it into a third record meanwhile
}
