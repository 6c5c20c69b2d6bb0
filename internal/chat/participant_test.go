package chat_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"

	"github.com/google/uuid"
)

// Whoever takes part in a room reads its messages, and nobody else does: participant and the access policy say the same, and so do the
// statements that count past the policy.
func TestParticipant_IsWhatThePolicySays(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		patients := []*ent.Patient{p.patient, testkit.Patient(t, db)}
		doctors := []*ent.Practitioner{p.doctor, testkit.Practitioner(t, db)}
		rooms := []*ent.ChatRoom{p.room, p.open(t, doctors[1], patients[0]), p.open(t, doctors[0], patients[1]), p.open(t, doctors[1], patients[1])}
		for _, r := range rooms {
			in := p.says("a message in every room")
			in.RoomID = r.ID
			for _, v := range []*access.Viewer{
				{UserID: *p.patient.UserID, PatientID: r.PatientID, Roles: []access.Role{access.Patient}},
				{UserID: p.doctor.UserID, PractitionerID: r.PractitionerID, Roles: []access.Role{access.Doctor}},
			} {
				_, err := p.Send(access.As(t.Context(), v), in)
				require.NoError(t, err)
			}
		}
		reader := testkit.User(t, db, access.Nurse) // has read nothing
		rapid.Check(t, func(rt *rapid.T) {
			v := &access.Viewer{
				UserID:         reader.ID,
				PatientID:      rapid.SampledFrom([]uuid.UUID{{}, patients[0].ID, patients[1].ID, doctors[0].ID}).Draw(rt, "patient"),
				PractitionerID: rapid.SampledFrom([]uuid.UUID{{}, doctors[0].ID, doctors[1].ID, patients[0].ID}).Draw(rt, "practitioner"),
				Roles:          rapid.SliceOfNDistinct(rapid.SampledFrom(access.Roles), 0, 3, rapid.ID).Draw(rt, "roles"),
			}
			ctx := access.As(t.Context(), v)
			unread := 0
			for _, r := range rooms {
				role, takesPart := chat.Participant(v, r.PatientID, r.PractitionerID)
				n, err := db.Client.ChatMessage.Query().Where(chatmessage.RoomID(r.ID)).Count(ctx)
				require.NoError(rt, err)
				require.Equal(rt, takesPart, n == 2, "%v in %v", v, r)
				require.Equal(rt, !takesPart, n == 0)
				states, err := p.ReadStates(ctx, []uuid.UUID{r.ID})
				require.NoError(rt, err)
				state, counted := states[r.ID]
				require.Equal(rt, takesPart, counted)
				if takesPart {
					require.Equal(rt, 1, state.Unread, "the message of the other side, as %s", role)
					unread++
				}
				newest, err := p.Newest(ctx, []uuid.UUID{r.ID}, 5)
				require.NoError(rt, err)
				require.Len(rt, newest[r.ID], n)
			}
			total, err := p.UnreadTotal(ctx)
			require.NoError(rt, err)
			require.Equal(rt, unread, total)
		})
	})
}
