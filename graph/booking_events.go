package graph

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/stream"
)

// appointmentEvent shows an event of a visit.
func appointmentEvent(_ context.Context, e *stream.Event) (model.AppointmentEvent, error) {
	cursor, previous := cursorsOf(e)
	if e.Kind == stream.Opened {
		return &model.StreamOpened{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt}, nil
	}
	told, err := booking.Told(e)
	if err != nil {
		return nil, err
	}
	switch told := told.(type) {
	case booking.StatusTold:
		shown := &model.AppointmentStatusChanged{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, AppointmentID: e.Subject, To: told.To}
		if told.From != appointment.Status("") {
			shown.From = &told.From
		}
		return shown, nil
	case booking.MoveTold:
		return &model.AppointmentMoved{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, AppointmentID: e.Subject, RescheduledToID: told.To}, nil
	case booking.UpdateTold:
		return &model.AppointmentUpdated{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, AppointmentID: e.Subject, By: told.By}, nil
	default:
		return nil, fmt.Errorf("an event of a visit of the unknown kind %q", e.Kind)
	}
}

// unless is the id of what is gone, or null when it is not.
func unless(err error, id uuid.UUID) *uuid.UUID {
	if err != nil {
		return nil
	}
	return &id
}
