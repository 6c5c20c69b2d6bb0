package booking

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/appointmentintake"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/fault"
)

// UpdateSlotInput is the input of updateSlot. What is left out stays.
type UpdateSlotInput struct {
	// The slot.
	ID uuid.UUID
	// When it starts.
	StartsAt *time.Time
	// Length class.
	Type *slot.Type
	// Length in minutes for EXTENDED: 45, 60 or 90.
	DurationMinutes *int
	// Zone of the slot.
	TimeZone *string
	// True takes it out of booking, false gives it back.
	IsBlocked *bool
	// The version that the change was made from.
	ExpectedVersion *int
}

// DeleteSlotInput is the input of deleteSlot.
type DeleteSlotInput struct {
	// The slot.
	ID uuid.UUID
	// The version that was seen.
	ExpectedVersion *int
}

// BlockTimeInput is the input of blockTime.
type BlockTimeInput struct {
	// Whose leave; the viewer's own when left out.
	PractitionerID *uuid.UUID
	// First instant of the leave.
	StartsAt time.Time
	// First instant after the leave.
	EndsAt time.Time
	// Reason, at most 200 characters.
	Reason *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// UnblockTimeInput is the input of unblockTime.
type UnblockTimeInput struct {
	// The leave.
	LeaveID uuid.UUID
}

// CancelAppointmentInput is the input of cancelAppointment.
type CancelAppointmentInput struct {
	// The appointment.
	AppointmentID uuid.UUID
	// Reason, at most 200 characters.
	Reason *string
	// When the practitioner of the appointment cancels: true lets others book the slot. It stays blocked when left out.
	ReleaseSlot *bool
}

// RescheduleAppointmentInput is the input of rescheduleAppointment.
type RescheduleAppointmentInput struct {
	// The appointment.
	AppointmentID uuid.UUID
	// The slot to move it to, of the same practitioner.
	NewSlotID uuid.UUID
	// Reason, at most 200 characters.
	Reason *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// CompleteAppointmentInput is the input of completeAppointment.
type CompleteAppointmentInput struct {
	// The appointment.
	AppointmentID uuid.UUID
}

// MarkNoShowInput is the input of markNoShow.
type MarkNoShowInput struct {
	// The appointment.
	AppointmentID uuid.UUID
}

// UpdateAppointmentInput is the input of updateAppointment. What is left out stays; an empty text clears.
type UpdateAppointmentInput struct {
	// The appointment.
	AppointmentID uuid.UUID
	// Note of the patient for the practitioner, at most 2,000 characters.
	Note *string
	// Answers of the patient to the questionnaire.
	Answers []*AnswerInput
	// What the patient complains of, at most 2,000 characters; for the practitioner and administrators.
	Symptoms *string
	// How the two meet; for the practitioner and administrators.
	ConsultationType *appointmentintake.ConsultationType
	// The version that the change was made from.
	ExpectedVersion *int
}

// DeleteAppointmentInput is the input of deleteAppointment.
type DeleteAppointmentInput struct {
	// The appointment.
	AppointmentID uuid.UUID
}

// text is a free text of the input, trimmed; "" when it is left out.
func text(given *string) string {
	if given == nil {
		return ""
	}
	return strings.TrimSpace(*given)
}

// fits refuses a text that is too long, or is none.
func fits(given *string, most int, message string, field ...string) error {
	if given != nil && (utf8.RuneCountInString(*given) > most || !utf8.ValidString(*given) || strings.ContainsRune(*given, 0)) {
		return fault.InvalidAt(message, field...)
	}
	return nil
}

func reasonFits(given *string) error {
	return fits(given, maxReason, "A reason has at most 200 characters.", "reason")
}
