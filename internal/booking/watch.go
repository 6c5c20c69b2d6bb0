package booking

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/internal/stream"
)

// The kinds of a visit's events. The id of a visit's stream is the visit's.
const (
	KindStatusChanged = "AppointmentStatusChanged" // its data are a StatusTold
	KindMoved         = "AppointmentMoved"         // its data are a MoveTold
	KindUpdated       = "AppointmentUpdated"       // its data are an UpdateTold
)

// StatusTold tells a change of status; From is empty for the first event of a visit.
type StatusTold struct {
	From appointment.Status `json:"from,omitempty"`
	To   appointment.Status `json:"to"`
}

// MoveTold tells which visit took the place of this one.
type MoveTold struct {
	To uuid.UUID `json:"to"`
}

// UpdateTold tells who changed what is known of the visit.
type UpdateTold struct {
	By uuid.UUID `json:"by"`
}

// Watch returns the events of a visit behind the cursor, or from now on when it is nil, for whoever may see the visit; that is for the source's Check.
// Errors: INVALID_INPUT for a cursor that is none of the visit's; of the source: NOT_FOUND, RESUME_EXPIRED.
func (s *Service) Watch(_ context.Context, id uuid.UUID, after *ent.Cursor) (stream.Source, error) {
	var position *int64
	if after != nil {
		at, err := stream.PositionOf(*after, id)
		if err != nil {
			return nil, err
		}
		position = &at
	}
	return &stream.LogSource{
		Log: s.Streams, Stream: id, After: position, Refetch: "appointment",
		Access: func(ctx context.Context) error {
			_, err := s.visible(ctx, id)
			return err
		},
	}, nil
}

// Told returns what the data of a visit's event tell: a StatusTold, a MoveTold or an UpdateTold.
func Told(e *stream.Event) (any, error) {
	switch e.Kind {
	case KindStatusChanged:
		return decoded[StatusTold](e)
	case KindMoved:
		return decoded[MoveTold](e)
	case KindUpdated:
		return decoded[UpdateTold](e)
	default:
		return nil, fmt.Errorf("an event of a visit of the unknown kind %q", e.Kind)
	}
}

func decoded[T any](e *stream.Event) (told T, err error) {
	err = json.Unmarshal(e.Data, &told)
	return told, err
}

func (s *Service) tellStatus(ctx context.Context, a *ent.Appointment, from appointment.Status) error {
	return s.tell(ctx, a, KindStatusChanged, StatusTold{From: from, To: a.Status})
}

func (s *Service) tellMovedTo(ctx context.Context, old, made *ent.Appointment) error {
	return s.tell(ctx, old, KindMoved, MoveTold{To: made.ID})
}

func (s *Service) tellUpdated(ctx context.Context, a *ent.Appointment, by uuid.UUID) error {
	return s.tell(ctx, a, KindUpdated, UpdateTold{By: by})
}

func (s *Service) tell(ctx context.Context, a *ent.Appointment, kind string, data any) error {
	return s.Streams.Append(ctx, stream.Entry{Stream: a.ID, Kind: kind, Subject: a.ID, Data: data, PatientID: a.PatientID})
}
