package graph

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/stream"
)

// sessionEvent shows an event of the session that asks.
func sessionEvent(_ context.Context, e *stream.Event) (identity.SessionEvent, error) {
	shown, ok := e.Value.(identity.SessionEvent)
	if !ok {
		return nil, fmt.Errorf("a session has no event %T", e.Value)
	}
	return shown, nil
}
