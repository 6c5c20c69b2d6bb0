package booking

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// actorsOf tells as who the viewer acts on the visit, the nearest relation first.
func actorsOf(v *access.Viewer, a *ent.Appointment) (actors []Actor) {
	if v.Has(access.Patient) && v.PatientID != uuid.Nil && v.PatientID == a.PatientID {
		actors = append(actors, ByPatient)
	}
	if v.Has(access.Doctor, access.Clinician, access.Supervisor) && v.PractitionerID != uuid.Nil && v.PractitionerID == a.PractitionerID {
		actors = append(actors, ByPractitioner)
	}
	if v.Has(access.Admin) {
		actors = append(actors, ByAdmin)
	}
	if v.Has(access.Scheduler) {
		actors = append(actors, ByScheduler)
	}
	return actors
}

// May tells whether the viewer may do this with the visit now.
func (s *Service) May(ctx context.Context, a *ent.Appointment, action Action) bool {
	v := access.From(ctx)
	if v == nil || a.DeletedAt != nil {
		return false
	}
	_, err := s.next(a, action, actorsOf(v, a))
	return err == nil
}

// next looks the action up in the table, by what is known of the visit now.
func (s *Service) next(a *ent.Appointment, action Action, actors []Actor) (Transition, error) {
	now := s.DB.Now()
	return Next(StatusAt(a, now), action, actors, Facts{Now: now, StartsAt: a.StartsAt, ExpiresAt: a.ExpiresAt})
}

// act does something with a visit that the viewer sees, if the table allows it, in one transaction: do is called with the slot and the visit locked, as
// the system on the viewer's behalf, because the table has decided. It returns the visit as the viewer then sees it. Errors: NOT_FOUND, those of
// Next, and do's.
func (s *Service) act(ctx context.Context, id uuid.UUID, action Action, cause string, do func(ctx context.Context, a *ent.Appointment, t Transition) error) (*ent.Appointment, error) {
	seen, err := s.visible(ctx, id)
	if err != nil {
		return nil, err
	}
	actors := actorsOf(access.From(ctx), seen)
	if _, err := s.next(seen, action, actors); err != nil { // refused without keeping others waiting
		return nil, err
	}
	err = s.DB.WithTx(access.System(ctx, cause), func(ctx context.Context) error {
		if err := s.DB.Lock(ctx, slot.Table, seen.SlotID); err != nil {
			return err
		}
		a, t, err := s.lockedFor(ctx, id, action, actors)
		if err != nil {
			return err
		}
		return do(ctx, a, t)
	})
	if err != nil {
		return nil, err
	}
	a, err := s.DB.Client.Appointment.Get(ctx, id)
	return a, ent.MaskNotFound(err)
}

// visible returns a visit that the viewer may see.
func (s *Service) visible(ctx context.Context, id uuid.UUID) (*ent.Appointment, error) {
	a, err := s.DB.Client.Appointment.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("appointmentId")
	}
	return a, err
}

// lockedFor locks the visit and looks the action up by what then holds.
func (s *Service) lockedFor(ctx context.Context, id uuid.UUID, action Action, actors []Actor) (*ent.Appointment, Transition, error) {
	a, err := s.locked(ctx, id)
	if err == nil && a.DeletedAt != nil {
		err = fault.ErrNotFound.At("appointmentId")
	}
	if err != nil {
		return nil, Transition{}, err
	}
	t, err := s.next(a, action, actors)
	return a, t, err
}
