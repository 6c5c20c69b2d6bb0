package demo

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointmentintake"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/civil"
)

// visit is the script of one visit. Its methods add steps; what a step finds out, the later ones use.
type visit struct {
	s               *Seeder
	patient, doctor string
	slot            *ent.Slot

	id       uuid.UUID // once it is booked
	checkout string    // once the payment is ordered
	lines    []uuid.UUID
	speaker  string // of the newest line
}

// visit begins a script: of a patient with a practitioner, so many working days from today.
func (s *Seeder) visit(patient, doctor string, day int, local civil.LocalTime) *visit {
	return &visit{s: s, patient: patient, doctor: doctor, slot: s.slotOf(doctor, day, local)}
}

// before is an instant before the start of the visit, after one behind its end.
func (v *visit) before(d time.Duration) time.Time { return v.slot.StartsAt.Add(-d) }
func (v *visit) after(d time.Duration) time.Time  { return v.slot.EndsAt.Add(d) }

func (v *visit) happens(at time.Time, what string, do func(ctx context.Context) error) {
	v.s.happens(at, what+" of "+v.patient+" with "+v.doctor, do)
}

// books is the patient's own booking.
func (v *visit) books(at time.Time, note string) {
	in := booking.BookAppointmentInput{SlotID: v.slot.ID}
	if note != "" {
		in.Note = &note
	}
	v.happens(at, "booking", func(ctx context.Context) error { return v.book(v.s.as(ctx, v.patient), in) })
}

// isBooked is a booking by telephone.
func (v *visit) isBooked(at time.Time) {
	slotID := v.slot.ID
	v.happens(at, "booking by telephone", func(ctx context.Context) error {
		id := v.s.patients[v.patient]
		return v.book(v.s.as(ctx, plannerKey), booking.BookAppointmentInput{SlotID: slotID, PatientID: &id})
	})
}

func (v *visit) book(ctx context.Context, in booking.BookAppointmentInput) error {
	a, err := v.s.Booking.Book(ctx, in)
	if err == nil {
		v.id = a.ID
	}
	return err
}

// orders asks for the payment, whose page the patient then sees.
func (v *visit) orders(at time.Time) {
	v.happens(at, "order", func(ctx context.Context) error {
		o, err := v.s.Booking.CreateOrder(v.s.as(ctx, v.patient), booking.CreateOrderInput{AppointmentID: v.id})
		if err == nil {
			v.checkout = o.CheckoutURL
		}
		return err
	})
}

// clicks is what the patient does on that page.
func (v *visit) clicks(at time.Time, action string) {
	v.happens(at, action, func(ctx context.Context) error { return v.s.Click(ctx, v.checkout, action) })
}

// isPaidOnline is a booking by the patient that is paid a few minutes later.
func (v *visit) isPaidOnline(at time.Time, note string) {
	v.books(at, note)
	v.orders(at.Add(40 * time.Second))
	v.clicks(at.Add(3*time.Minute), "pay")
}

// paysAtDesk is money that is taken at the desk for a booking by telephone.
func (v *visit) paysAtDesk(at time.Time, by string, method order.Method, receipt string) {
	v.happens(at, "payment at the desk", func(ctx context.Context) error {
		id, err := v.s.DB.Client.Order.Query().Where(order.AppointmentID(v.id), order.StatusEQ(order.StatusPENDING)).OnlyID(ctx)
		if err != nil {
			return err
		}
		_, _, err = v.s.Booking.RecordPayment(v.s.as(ctx, by), booking.RecordPaymentInput{
			OrderID: id, Method: method, Reference: &receipt, IdempotencyKey: &receipt,
		})
		return err
	})
}

// isPaidBack is a refund by hand; an empty amount is all that is left.
func (v *visit) isPaidBack(at time.Time, amount, reason string) {
	v.happens(at, "refund", func(ctx context.Context) error {
		id, err := v.s.DB.Client.Order.Query().
			Where(order.AppointmentID(v.id), order.StatusIn(order.StatusPAID, order.StatusCOMPLETED)).OnlyID(ctx)
		if err != nil {
			return err
		}
		key := "back-" + v.id.String()
		in := booking.RefundOrderInput{OrderID: id, Reason: reason, IdempotencyKey: &key}
		if amount != "" {
			in.Amount = &amount
		}
		_, _, err = v.s.Booking.RefundOrder(v.s.as(ctx, billerKey), in)
		return err
	})
}

func (v *visit) cancels(at time.Time, by, reason string) {
	v.happens(at, "cancellation", func(ctx context.Context) error {
		_, err := v.s.Booking.Cancel(v.s.as(ctx, by), booking.CancelAppointmentInput{AppointmentID: v.id, Reason: &reason})
		return err
	})
}

// moves puts the visit to another slot; the script goes on with the new one.
func (v *visit) moves(at time.Time, by string, day int, local civil.LocalTime, reason string) {
	v.slot = v.s.slotOf(v.doctor, day, local)
	slotID := v.slot.ID
	v.happens(at, "move", func(ctx context.Context) error {
		a, err := v.s.Booking.Reschedule(v.s.as(ctx, by), booking.RescheduleAppointmentInput{AppointmentID: v.id, NewSlotID: slotID, Reason: &reason})
		if err == nil {
			v.id = a.ID
		}
		return err
	})
}

func (v *visit) takesPlace() {
	v.happens(v.after(4*time.Minute), "end", func(ctx context.Context) error {
		_, err := v.s.Booking.Complete(v.s.as(ctx, v.doctor), booking.CompleteAppointmentInput{AppointmentID: v.id})
		return err
	})
}

func (v *visit) isMissed() {
	v.happens(v.after(-10*time.Minute), "no-show", func(ctx context.Context) error {
		_, err := v.s.Booking.MarkNoShow(v.s.as(ctx, v.doctor), booking.MarkNoShowInput{AppointmentID: v.id})
		return err
	})
}

func (v *visit) isDeleted(at time.Time, by string) {
	v.happens(at, "deletion", func(ctx context.Context) error {
		return v.s.Booking.Delete(v.s.as(ctx, by), booking.DeleteAppointmentInput{AppointmentID: v.id})
	})
}

// answers are the patient's to the questionnaire: to its three questions, in order.
func (v *visit) answers(at time.Time, smokes string, takes []string, else_ string) {
	v.happens(at, "answers", func(ctx context.Context) error {
		q := v.s.questions
		_, err := v.s.Booking.Answer(v.s.as(ctx, v.patient), booking.AnswerQuestionnaireInput{AppointmentID: v.id, Answers: []*booking.AnswerInput{
			{QuestionID: q[0].ID, Choices: []string{smokes}}, {QuestionID: q[1].ID, Choices: takes}, {QuestionID: q[2].ID, Text: &else_},
		}})
		return err
	})
}

// isPrepared is what the practitioner notes before the visit.
func (v *visit) isPrepared(at time.Time, symptoms string, kind appointmentintake.ConsultationType) {
	v.happens(at, "preparation", func(ctx context.Context) error {
		_, err := v.s.Booking.Update(v.s.as(ctx, v.doctor), booking.UpdateAppointmentInput{AppointmentID: v.id, Symptoms: &symptoms, ConsultationType: &kind})
		return err
	})
}
