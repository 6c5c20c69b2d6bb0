package graph

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/stream"
)

func TestSessionEventShowsEveryKind(t *testing.T) {
	t.Parallel()
	at := time.Unix(1, 0)
	for _, value := range []any{
		identity.SessionOpened{OccurredAt: at}, identity.SessionExpiring{OccurredAt: at}, identity.SessionExtended{OccurredAt: at},
		identity.SessionEnded{OccurredAt: at, Reason: session.EndReasonIDLE},
	} {
		got, err := sessionEvent(t.Context(), &stream.Event{Value: value})
		require.NoError(t, err)
		assert.Equal(t, value, got)
	}
	_, err := sessionEvent(t.Context(), &stream.Event{Value: 1})
	require.Error(t, err)
}
