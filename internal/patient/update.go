package patient

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/fault"
)

// Update changes a record: administrators, schedulers, nurses and doctors anything but the account, the patient contact data (e-mail, telephone,
// address, zone) of the own one. Errors: NOT_FOUND, FORBIDDEN, CONFLICT (with the present record), DUPLICATE_PATIENT, INVALID_IDENTIFIER,
// UNKNOWN_TIME_ZONE, INVALID_INPUT (all fields at once), FORBIDDEN for allergies by who does not treat the patient; with
// SendLinkCode, which is for staff, ILLEGAL_STATUS (no address, or an account already) and THROTTLED.
func (s *Service) Update(ctx context.Context, in UpdatePatientInput) (*ent.Patient, error) {
	f, err := in.validate(s.rules())
	if err != nil {
		return nil, err
	}
	var changed *ent.Patient
	err = s.DB.WithTx(ctx, func(ctx context.Context) (err error) {
		changed, err = s.update(ctx, in, f)
		return err
	})
	if err != nil && !errors.Is(err, fault.ErrConflict) {
		return nil, clash(err)
	}
	return changed, err
}

// update returns the changed record; after a CONFLICT the present one.
func (s *Service) update(ctx context.Context, in UpdatePatientInput, f fields) (*ent.Patient, error) {
	if err := s.DB.Lock(ctx, patient.Table, in.ID); err != nil {
		return nil, err
	}
	current, err := s.DB.Client.Patient.Get(ctx, in.ID)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("id")
	}
	if err != nil {
		return nil, err
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != current.Version {
		return current, fault.ErrConflict.At("expectedVersion")
	}
	if err := f.fits(current); err != nil {
		return nil, err
	}
	if err := s.noteAllergies(ctx, in.ID, in.Allergies, false); err != nil {
		return nil, err
	}
	update := s.DB.Client.Patient.UpdateOneID(in.ID)
	f.apply(update.Mutation())
	if f.givenName != nil || f.familyName != nil {
		update.SetSearchKey(SearchKey(or(f.givenName, current.GivenName), or(f.familyName, current.FamilyName), current.Number))
	}
	changed, err := update.Save(ctx)
	if err != nil || in.SendLinkCode == nil || !*in.SendLinkCode {
		return changed, err
	}
	return changed, s.sendLinkCode(ctx, changed)
}

func or(given *string, present string) string {
	if given == nil {
		return present
	}
	return *given
}
