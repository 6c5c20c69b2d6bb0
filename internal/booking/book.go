package booking

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/store"
)

const maxNote = 2000

// Validate reports all errors of the input's fields.
func (in BookAppointmentInput) Validate() error {
	if in.Note != nil && (utf8.RuneCountInString(*in.Note) > maxNote || !utf8.ValidString(*in.Note)) {
		return fault.InvalidAt("A note has at most 2,000 characters.", "note")
	}
	return nil
}

// Book makes a PENDING appointment of a free slot to come, in one transaction: a patient for himself, schedulers and administrators for a patient. Of any
// number of concurrent callers one wins. Errors: SLOT_TAKEN (with Alternatives), SLOT_IN_PAST, PATIENT_OVERLAP, THROTTLED, NOT_FOUND, FORBIDDEN,
// INVALID_INPUT.
func (s *Service) Book(ctx context.Context, in BookAppointmentInput) (*ent.Appointment, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	patientID, err := bookedFor(ctx, in.PatientID)
	if err != nil {
		return nil, err
	}
	var wanted *ent.Slot
	result, err := idem.Do(ctx, s.DB, "bookAppointment", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		wanted = nil
		if wanted, err = s.bookable(ctx, in.SlotID); err != nil {
			return nil, err
		}
		made, err := s.book(ctx, wanted, patientID, in.Note)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{made.ID}, nil
	})
	if store.Violates(err, patientOverlap) {
		err = ErrPatientOverlap
	}
	if store.Violates(err, liveSlot) || store.Violates(err, slotsOpen) || errors.Is(err, ErrSlotTaken) {
		others, findErr := s.alternatives(ctx, wanted)
		if findErr != nil {
			return nil, findErr
		}
		return nil, ErrSlotTaken.With(Alternatives{others})
	}
	if err != nil {
		return nil, err
	}
	made, err := s.DB.Client.Appointment.Get(ctx, result[0])
	if ent.IsNotFound(err) {
		err = fault.ErrNotFound.Says("The appointment was deleted meanwhile.")
	}
	return made, err
}

// bookedFor is the patient of the booking: the viewer's own record, or the one that staff name.
func bookedFor(ctx context.Context, id *uuid.UUID) (uuid.UUID, error) {
	v := access.From(ctx)
	switch {
	case v.Has(access.Patient) && (id == nil || *id == v.PatientID):
		return v.PatientID, nil
	case v.Has(access.Patient):
		return uuid.Nil, fault.ErrForbidden
	case id == nil:
		return uuid.Nil, fault.InvalidAt("Say for which patient.", "patientId")
	default:
		return *id, nil
	}
}

// bookable returns the slot, locked, if it lies ahead and is free or its holder's time to pay is over. What never changes is read before the lock: in a
// rush the losers hold it for one look each.
func (s *Service) bookable(ctx context.Context, id uuid.UUID) (*ent.Slot, error) {
	ctx = access.System(ctx, "bookAppointment")
	wanted, err := s.DB.Client.Slot.Query().Where(slot.ID(id)).WithPractitioner().Only(ctx)
	if ent.IsNotFound(err) || err == nil && !wanted.Edges.Practitioner.IsActive {
		return nil, fault.ErrNotFound.At("slotId")
	}
	if err != nil {
		return nil, err
	}
	if !wanted.StartsAt.After(s.DB.Now()) {
		return nil, ErrSlotInPast.At("slotId")
	}
	if wanted.Status != slot.StatusOPEN { // taken from the calendar, as far as who wants it is concerned
		return wanted, ErrSlotTaken
	}
	holder, err := s.holder(ctx, id)
	if err != nil {
		return nil, err
	}
	if holder == nil || s.isOver(holder) {
		if err := s.DB.Lock(ctx, slot.Table, id); err != nil {
			return nil, err
		}
		if holder, err = s.holder(ctx, id); err != nil || holder == nil {
			return wanted, err
		}
	}
	gone, err := s.givesWay(ctx, holder, "bookAppointment")
	if err == nil && !gone {
		err = ErrSlotTaken
	}
	return wanted, err
}

// isOver tells whether the appointment's time to pay has come to its end.
func (s *Service) isOver(a *ent.Appointment) bool {
	return StatusAt(a, s.DB.Now()) == appointment.StatusPAYMENT_EXPIRED
}

// holder is the live appointment of the slot; nil when there is none.
func (s *Service) holder(ctx context.Context, id uuid.UUID) (*ent.Appointment, error) {
	found, err := s.DB.Client.Appointment.Query().Where(appointment.SlotID(id), appointment.StatusIn(liveStatuses...)).Only(ctx)
	return found, ent.MaskNotFound(err)
}

// holders are the live appointments of the slots.
func (s *Service) holders(ctx context.Context, ids []uuid.UUID) ([]*ent.Appointment, error) {
	return s.DB.Client.Appointment.Query().Where(appointment.SlotIDIn(ids...), appointment.StatusIn(liveStatuses...)).Order(appointment.ByID()).All(ctx)
}

// book writes the appointment, its history and its note. The caller holds the slot's lock.
func (s *Service) book(ctx context.Context, wanted *ent.Slot, patientID uuid.UUID, note *string) (*ent.Appointment, error) {
	if err := s.DB.Lock(ctx, patient.Table, patientID); err != nil {
		return nil, err
	}
	if _, err := s.DB.Client.Patient.Get(ctx, patientID); err != nil {
		if ent.IsNotFound(err) {
			return nil, fault.ErrNotFound.At("patientId")
		}
		return nil, err
	}
	if err := s.mayBookMore(ctx); err != nil {
		return nil, err
	}
	if err := s.freePatient(ctx, patientID, wanted); err != nil {
		return nil, err
	}
	price, isInitial, err := s.price(ctx, patientID)
	if err != nil {
		return nil, err
	}
	v, now := access.From(ctx), s.DB.Now()
	made, err := s.DB.Client.Appointment.Create().
		SetPatientID(patientID).SetPractitionerID(wanted.PractitionerID).SetSlotID(wanted.ID).
		SetStartsAt(wanted.StartsAt).SetEndsAt(wanted.EndsAt).SetStatus(appointment.StatusPENDING).
		SetIsInitial(isInitial).SetPriceMinor(price.Minor).SetCurrency(price.Currency).
		SetExpiresAt(payBy(now, wanted.StartsAt, v.Has(access.Patient))).SetBookedBy(v.UserID).Save(ctx)
	if err != nil {
		return nil, err
	}
	if note != nil && strings.TrimSpace(*note) != "" {
		err = s.DB.Client.AppointmentIntake.Create().SetAppointmentID(made.ID).SetPatientID(patientID).
			SetPractitionerID(wanted.PractitionerID).SetNote(strings.TrimSpace(*note)).Exec(ctx)
		if err != nil {
			return nil, err
		}
	}
	if err := s.record(ctx, made, "", remark{cause: "bookAppointment"}); err != nil || v.Has(access.Patient) {
		return made, err
	}
	return made, s.askByMail(ctx, made)
}

// payBy is the end of the time to pay: 15 minutes for a patient's own booking, 24 hours for one by staff, and never after the start.
func payBy(now, startsAt time.Time, byPatient bool) time.Time {
	window := payWithinStaff
	if byPatient {
		window = payWithin
	}
	if by := now.Add(window); by.Before(startsAt) {
		return by
	}
	return startsAt
}

// mayBookMore holds patients to a number of successful bookings in an hour.
func (s *Service) mayBookMore(ctx context.Context) error {
	v, now := access.From(ctx), s.DB.Now()
	if !v.Has(access.Patient) {
		return nil
	}
	recent, err := s.DB.Client.Appointment.Query().
		Where(appointment.BookedBy(v.UserID), appointment.RescheduledFromIDIsNil(), appointment.CreatedAtGT(now.Add(-time.Hour))).
		Order(ent.Asc(appointment.FieldCreatedAt)).All(access.System(ctx, "bookings per hour")) // also those that the patient has deleted
	if err != nil || len(recent) < s.BookingsPerHour {
		return err
	}
	leaves := recent[len(recent)-s.BookingsPerHour].CreatedAt.Add(time.Hour)
	return fault.ErrThrottled.Says("You have booked several visits within the hour. Try again later.").
		After(leaves.Sub(now)).With(limit.Exceeded{Limit: "bookings per hour"})
}

// freePatient refuses a visit that overlaps another live one of the patient; one whose time to pay is over gives way.
func (s *Service) freePatient(ctx context.Context, patientID uuid.UUID, wanted *ent.Slot) error {
	ctx = access.System(ctx, "bookAppointment")
	others, err := s.DB.Client.Appointment.Query().Where(
		appointment.PatientID(patientID), appointment.StatusIn(liveStatuses...),
		appointment.StartsAtLT(wanted.EndsAt), appointment.StartsAtGT(wanted.StartsAt.Add(-24*time.Hour))).All(ctx)
	if err != nil {
		return err
	}
	for _, other := range others {
		if !overlaps(other.StartsAt, other.EndsAt, wanted.StartsAt, wanted.EndsAt) {
			continue
		}
		gone, err := s.givesWay(ctx, other, "bookAppointment")
		if err != nil {
			return err
		}
		if !gone {
			return ErrPatientOverlap
		}
	}
	return nil
}

// price is what the visit costs: less for a patient who has been here, with any practitioner.
func (s *Service) price(ctx context.Context, patientID uuid.UUID) (amount money.Amount, isInitial bool, err error) {
	returning, err := s.DB.Client.Appointment.Query().
		Where(appointment.PatientID(patientID), appointment.StatusIn(appointment.StatusCOMPLETED, appointment.StatusNO_SHOW)).
		Exist(access.System(ctx, "price of a visit"))
	if err != nil {
		return money.Amount{}, false, err
	}
	if returning {
		return s.ReturningFee, false, nil
	}
	return s.NewPatientFee, true, nil
}
