package graph

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/stream"
)

// slotsChanged shows the free slots of a range.
func slotsChanged(_ context.Context, e *stream.Event) (*booking.SlotsChanged, error) {
	value, ok := e.Value.(*booking.SlotsChanged)
	if !ok {
		return nil, fmt.Errorf("free slots are no %T", e.Value)
	}
	shown := *value // which other readers have too
	shown.OccurredAt = e.OccurredAt
	return &shown, nil
}

// typing shows who writes.
func typing(_ context.Context, e *stream.Event) (*chat.Typing, error) {
	value, ok := e.Value.(*chat.Typing)
	if !ok {
		return nil, fmt.Errorf("typing is no %T", e.Value)
	}
	shown := *value
	shown.OccurredAt = e.OccurredAt
	return &shown, nil
}

// bedBoard shows who lies where in a ward, as far as the reader may see it.
func (r *Resolver) bedBoard(ctx context.Context, e *stream.Event) (*hospital.BedBoard, error) {
	value, ok := e.Value.(*hospital.BedBoard)
	if !ok {
		return nil, fmt.Errorf("a bed board is no %T", e.Value)
	}
	shown := *value // which other readers have too
	shown.OccurredAt = e.OccurredAt
	return r.Beds.As(ctx, shown)
}
