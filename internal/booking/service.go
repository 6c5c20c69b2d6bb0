package booking

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

// Config is what the service needs; all members are obligatory.
type Config struct {
	DB              *store.DB
	Notify          *notify.Service
	Chat            *chat.Service
	Provider        payment.Provider
	Log             *slog.Logger
	PracticeName    string
	NewPatientFee   money.Amount
	ReturningFee    money.Amount
	BookingsPerHour int
}

const (
	payWithin      = 15 * time.Minute // a patient's own booking
	payWithinStaff = 24 * time.Hour   // a booking by telephone
)

// Service is the domain's entry.
type Service struct {
	Config
}

// New returns the service.
func New(c Config) *Service { return &Service{Config: c} }

// change moves an appointment to another status and records it. The caller holds the appointment's lock and has checked that the table allows it.
func (s *Service) change(ctx context.Context, a *ent.Appointment, to appointment.Status, cause string) (*ent.Appointment, error) {
	if !mayBecome(a.Status, to) {
		return nil, ErrIllegalStatus
	}
	changed, err := s.DB.Client.Appointment.UpdateOne(a).SetStatus(to).Save(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.withdrawMoot(ctx, a, to); err != nil {
		return nil, err
	}
	return changed, s.record(ctx, changed, a.Status, cause)
}

// record writes the history row of a change; from is empty for the booking itself.
func (s *Service) record(ctx context.Context, a *ent.Appointment, from appointment.Status, cause string) error {
	row := s.DB.Client.AppointmentStatusChange.Create().
		SetAppointmentID(a.ID).SetPatientID(a.PatientID).SetPractitionerID(a.PractitionerID).
		SetToStatus(string(a.Status)).SetCause(cause)
	if from != "" {
		row.SetFromStatus(string(from))
	}
	if v := access.From(ctx); v != nil && !v.IsSystem() {
		row.SetChangedBy(v.UserID)
	} else if p := v.Person(); p != nil && v.Reason() == deskCause { // the system books, but who took the money has caused it
		row.SetChangedBy(p.UserID)
	}
	return row.Exec(ctx)
}

// locked returns the appointment with its row locked.
func (s *Service) locked(ctx context.Context, id uuid.UUID) (*ent.Appointment, error) {
	if err := s.DB.Lock(ctx, appointment.Table, id); err != nil {
		return nil, err
	}
	return s.DB.Client.Appointment.Get(ctx, id)
}
