package booking

import (
	"context"
	"encoding/json"
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
	"github.com/caregraph/caregraph/internal/stream"
)

// Config is what the service needs; all members are obligatory.
type Config struct {
	DB              *store.DB
	Notify          *notify.Service
	Chat            *chat.Service
	Streams         *stream.Log
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

// remark is what the history says of a change.
type remark struct {
	cause  string            // an operation's name, payment_webhook, or job:NAME
	reason string            // given by a person
	by     uuid.UUID         // who caused it; zero: the viewer of ctx, if a person
	more   map[string]string // what else there is to know
}

// change moves an appointment to another status and records it. The caller holds the appointment's lock and has checked that the table allows it.
func (s *Service) change(ctx context.Context, a *ent.Appointment, to appointment.Status, cause string) (*ent.Appointment, error) {
	return s.changeBy(ctx, a, to, remark{cause: cause})
}

// changeBy is change with more to be said of it.
func (s *Service) changeBy(ctx context.Context, a *ent.Appointment, to appointment.Status, n remark) (*ent.Appointment, error) {
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
	return changed, s.record(ctx, changed, a.Status, n)
}

// record writes the history row of a change, and tells who watches the visit; from is empty for the booking itself.
func (s *Service) record(ctx context.Context, a *ent.Appointment, from appointment.Status, n remark) error {
	row := s.DB.Client.AppointmentStatusChange.Create().
		SetAppointmentID(a.ID).SetPatientID(a.PatientID).SetPractitionerID(a.PractitionerID).
		SetToStatus(string(a.Status)).SetCause(n.cause)
	if n.reason != "" {
		row.SetReason(n.reason)
	}
	if from != "" {
		row.SetFromStatus(string(from))
	}
	if len(n.more) > 0 {
		text, err := json.Marshal(n.more)
		if err != nil {
			return err
		}
		row.SetContext(string(text))
	}
	switch v := access.From(ctx); {
	case n.by != uuid.Nil:
		row.SetChangedBy(n.by)
	case v != nil && !v.IsSystem():
		row.SetChangedBy(v.UserID)
	case v.Person() != nil && v.Reason() == deskCause: // the system books, but who took the money has caused it
		row.SetChangedBy(v.Person().UserID)
	}
	if err := row.Exec(ctx); err != nil {
		return err
	}
	return s.tellStatus(ctx, a, from)
}

// locked returns the appointment with its row locked.
func (s *Service) locked(ctx context.Context, id uuid.UUID) (*ent.Appointment, error) {
	if err := s.DB.Lock(ctx, appointment.Table, id); err != nil {
		return nil, err
	}
	return s.DB.Client.Appointment.Get(ctx, id)
}
