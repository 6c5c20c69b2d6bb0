package app_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/testkit"
)

// TestNodes_KeepTheirOrderWithNullForUnknownForbiddenAndMalformedIds, and no error.
func TestNodes_KeepTheirOrderWithNullForUnknownForbiddenAndMalformedIds(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			i := serve(t, engine, nil)
			alice, bruno := testkit.Patient(t, i.DB), testkit.Patient(t, i.DB)
			visit := testkit.Appointment(t, i.DB, testkit.Slot(t, i.DB, testkit.Practitioner(t, i.DB), i.clk.Now().Add(time.Hour)), alice)
			client := i.client(t).SignIn(t, alice.Email, testkit.Password)
			answer := client.Do(t, `query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Patient { givenName } ... on Appointment { patient { id } } } }`,
				map[string]any{"ids": []any{bruno.ID, visit.ID, uuid.New(), "not an id", alice.ID, alice.ID}}).NoErrors(t)
			require.Equal(t, 6, answer.Len("nodes"))
			for at, want := range []any{nil, visit.ID.String(), nil, nil, alice.ID.String(), alice.ID.String()} {
				if want == nil {
					require.Nil(t, answer.Data.(map[string]any)["nodes"].([]any)[at])
					continue
				}
				require.Equal(t, want, answer.Data.(map[string]any)["nodes"].([]any)[at].(map[string]any)["id"])
			}
			for _, id := range []any{bruno.ID, uuid.New(), ""} {
				require.Nil(t, client.Do(t, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": id}).NoErrors(t).Get("node"))
			}
		})
	}
}
