package chat_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/streamentry"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestOpen_50TimesAtOnceIsOneRoom(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		second := newService(testkit.Another(t, db, clk))
		a := p.visit(t, p.doctor, p.patient)
		for _, err := range atOnce(50, func(i int) error {
			s := p.Service
			if i%2 == 1 {
				s = second
			}
			return s.DB.WithTx(t.Context(), func(ctx context.Context) error { return s.Open(ctx, a) })
		}) {
			require.NoError(t, err)
		}
		r, err := db.Client.ChatRoom.Query().Where(chatroom.AppointmentID(a.ID)).Only(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, chatroom.StatusACTIVE, r.Status)
		require.Equal(t, p.patient.ID, r.PatientID)
		require.Equal(t, p.doctor.ID, r.PractitionerID)
		page, err := p.EventPage(testkit.As(t, p.patient), r.ID, nil, nil)
		require.NoError(t, err)
		require.Len(t, page.Events, 1)
		told, err := chat.Told(page.Events[0])
		require.NoError(t, err)
		require.Equal(t, chat.StatusStep{Status: chatroom.StatusACTIVE}, told)
		entries, err := db.Client.StreamEntry.Query().Where(streamentry.StreamIDIn(r.ID, p.room.ID), streamentry.Kind(chat.KindRoomStatusChanged)).Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 2, entries, "that of this room and that of the practice's other one")
		e, err := db.Client.AuditEvent.Query().Where(auditevent.EntityID(r.ID)).Only(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, auditevent.ActionCREATE, e.Action)
		require.Equal(t, p.patient.ID, *e.PatientID)
	})
}

func TestOpen_GoesWithTheBooking(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		a := p.visit(t, p.doctor, p.patient)
		failure := errors.New("the booking fails after all")
		require.ErrorIs(t, db.WithTx(testkit.System(t), func(ctx context.Context) error {
			if err := p.Open(ctx, a); err != nil {
				return err
			}
			return failure
		}), failure)
		n, err := db.Client.ChatRoom.Query().Where(chatroom.AppointmentID(a.ID)).Count(testkit.System(t))
		require.NoError(t, err)
		require.Zero(t, n)
	})
}
