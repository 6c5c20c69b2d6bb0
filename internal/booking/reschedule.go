package booking

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointmentstatuschange"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
)

// Reschedule moves a BOOKED visit to another free slot of its practitioner: the patient until 60 minutes before the start, its practitioner, schedulers and
// administrators at any time. In one transaction the old visit ends as RESCHEDULED and a new one begins as BOOKED; price, orders, room, note, answers
// and history go along. Of any number who want one slot one wins. Errors: NOT_FOUND, ILLEGAL_STATUS, TOO_LATE_TO_CANCEL, SLOT_TAKEN (with
// Alternatives), SLOT_IN_PAST, PATIENT_OVERLAP, FORBIDDEN, INVALID_INPUT.
func (s *Service) Reschedule(ctx context.Context, in RescheduleAppointmentInput) (*ent.Appointment, error) {
	if err := reasonFits(in.Reason); err != nil {
		return nil, err
	}
	seen, err := s.visible(ctx, in.AppointmentID)
	if err != nil {
		return nil, err
	}
	var wanted *ent.Slot
	result, err := idem.Do(ctx, s.DB, "rescheduleAppointment", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		actors, by := actorsOf(access.From(ctx), seen), access.From(ctx).UserID
		wanted = nil
		if _, err := s.next(seen, ActReschedule, actors); err != nil {
			return nil, err
		}
		ctx = access.System(ctx, "rescheduleAppointment")
		if wanted, err = s.bookable(ctx, in.NewSlotID); err != nil {
			return nil, err
		}
		made, err := s.move(ctx, seen, actors, wanted, remark{cause: "rescheduleAppointment", reason: text(in.Reason), by: by})
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{made.ID}, nil
	})
	if err != nil {
		return nil, s.moveRefusal(ctx, err, wanted)
	}
	a, err := s.DB.Client.Appointment.Get(ctx, result[0])
	return a, ent.MaskNotFound(err)
}

// moveRefusal says why the visit was not moved, by the input's own field.
func (s *Service) moveRefusal(ctx context.Context, err error, wanted *ent.Slot) error {
	if store.Violates(err, patientOverlap) {
		err = ErrPatientOverlap
	}
	if store.Violates(err, liveSlot) || store.Violates(err, slotsOpen) {
		err = ErrSlotTaken
	}
	var known *fault.Error
	if !errors.As(err, &known) {
		return err
	}
	if len(known.Field) == 1 && known.Field[0] == "slotId" {
		known = known.At("newSlotId")
	}
	if wanted == nil || !errors.Is(known, ErrSlotTaken) {
		return known
	}
	others, err := s.alternatives(ctx, wanted)
	if err != nil {
		return err
	}
	return known.With(Alternatives{others})
}

// move does it. The caller holds the new slot's lock; the patient, the visit and its orders are locked in this order.
func (s *Service) move(ctx context.Context, seen *ent.Appointment, actors []Actor, wanted *ent.Slot, n remark) (*ent.Appointment, error) {
	if wanted.PractitionerID != seen.PractitionerID {
		return nil, fault.InvalidAt("The slot is another practitioner's: cancel the visit and book anew.", "newSlotId")
	}
	if err := s.DB.Lock(ctx, patient.Table, seen.PatientID); err != nil {
		return nil, err
	}
	old, t, err := s.lockedFor(ctx, seen.ID, ActReschedule, actors)
	if err != nil {
		return nil, err
	}
	id := s.DB.NewID(ent.TypeAppointment)
	n.more = map[string]string{"rescheduledTo": id.String()}
	if _, err := s.changeBy(ctx, old, t.To, n); err != nil {
		return nil, err
	}
	if err := s.freePatient(ctx, old.PatientID, wanted); err != nil {
		return nil, err
	}
	made, err := s.DB.Client.Appointment.Create().SetID(id).SetRescheduledFromID(old.ID).
		SetPatientID(old.PatientID).SetPractitionerID(old.PractitionerID).SetSlotID(wanted.ID).
		SetStartsAt(wanted.StartsAt).SetEndsAt(wanted.EndsAt).SetStatus(old.Status).
		SetIsInitial(old.IsInitial).SetPriceMinor(old.PriceMinor).SetCurrency(old.Currency).SetExpiresAt(old.ExpiresAt).SetBookedBy(old.BookedBy).Save(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.goAlong(ctx, old, made); err != nil {
		return nil, err
	}
	n.more = map[string]string{"rescheduledFrom": old.ID.String()}
	if err := s.record(ctx, made, "", n); err != nil {
		return nil, err
	}
	if err := s.tellMovedTo(ctx, old, made); err != nil {
		return nil, err
	}
	return made, s.tellRescheduled(ctx, old, made, t.By)
}

// goAlong gives the new visit what the old one had. Whoever waits for the old one's lock because of an order looks again and finds the new one.
func (s *Service) goAlong(ctx context.Context, old, made *ent.Appointment) error {
	orders, err := s.DB.Client.Order.Query().Where(order.AppointmentID(old.ID), s.DB.ForUpdate).Order(order.ByID()).All(ctx)
	if err != nil {
		return err
	}
	for _, o := range orders {
		if err := s.DB.Client.Order.UpdateOne(o).SetAppointmentID(made.ID).Exec(ctx); err != nil {
			return err
		}
	}
	if err := s.copyHistory(ctx, old, made); err != nil {
		return err
	}
	if err := s.copyIntake(ctx, old, made); err != nil {
		return err
	}
	return s.Chat.Move(ctx, old.ID, made.ID)
}

// copyHistory repeats the steps of the old visit, but for its end, with the new one.
func (s *Service) copyHistory(ctx context.Context, old, made *ent.Appointment) error {
	steps, err := s.DB.Client.AppointmentStatusChange.Query().
		Where(appointmentstatuschange.AppointmentID(old.ID), appointmentstatuschange.ToStatusNEQ(string(moved))).
		Order(appointmentstatuschange.ByID()).All(ctx)
	if err != nil {
		return err
	}
	copies := make([]*ent.AppointmentStatusChangeCreate, len(steps))
	for i, step := range steps {
		copies[i] = s.DB.Client.AppointmentStatusChange.Create().SetCreatedAt(step.CreatedAt).SetAppointmentID(made.ID).
			SetPatientID(step.PatientID).SetPractitionerID(step.PractitionerID).SetNillableFromStatus(step.FromStatus).SetToStatus(step.ToStatus).
			SetNillableChangedBy(step.ChangedBy).SetCause(step.Cause).SetReason(step.Reason).SetContext(step.Context)
	}
	return s.DB.Client.AppointmentStatusChange.CreateBulk(copies...).Exec(ctx)
}
