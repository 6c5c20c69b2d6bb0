package chat_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/ent/streamentry"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// meanwhile runs change in a transaction that holds the room's lock, starts call when the change is made, and commits once call waits for it. It
// returns what call does.
func (p *practice) meanwhile(t *testing.T, change func(ctx context.Context) error, call func() error) error {
	t.Helper()
	result := make(chan error, 1)
	testkit.Write(t, p.db, func(ctx context.Context) error {
		if err := p.db.Lock(ctx, stream.Table, p.room.ID); err != nil {
			return err
		}
		if err := change(ctx); err != nil {
			return err
		}
		go func() { result <- call() }()
		p.awaitBlocked(t)
		return nil
	})
	return <-result
}

// awaitBlocked returns once somebody waits for a lock. On SQLite, where transactions follow each other, there is nothing to wait for.
func (p *practice) awaitBlocked(t *testing.T) {
	t.Helper()
	for blocked := p.db.Dialect() != dialect.Postgres; !blocked; runtime.Gosched() {
		b := p.db.Build()
		q := b.Select("pid").From(b.Table("pg_locks")).Where(entsql.And(entsql.Not(entsql.EQ("granted", true)),
			entsql.ExprP("pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())")))
		require.NoError(t, p.db.Query(testkit.System(t), "look for locks", q, func(*entsql.Rows) error {
			blocked = true
			return nil
		}))
	}
}

func TestSend_SeesWhatWasChangedWhileItWaited(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		p.send(t, p.patient, "before")
		err := p.meanwhile(t, func(ctx context.Context) error {
			return db.Client.ChatRoom.UpdateOne(p.room).SetStatus(chatroom.StatusSUSPENDED).Exec(ctx)
		}, func() error {
			_, err := p.Send(testkit.As(t, p.patient), p.says("after"))
			return err
		})
		requireCode(t, err, "ROOM_NOT_WRITABLE")
		require.Len(t, p.requireDense(t, p.room.ID), 1)
	})
}

func TestMarkRead_SeesWhatWasReadWhileItWaited(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		for range 3 {
			p.send(t, p.doctor, "hello")
		}
		require.NoError(t, p.meanwhile(t, func(ctx context.Context) error {
			return db.Client.ChatRead.Create().SetRoomID(p.room.ID).SetPatientID(p.room.PatientID).SetPractitionerID(p.room.PractitionerID).
				SetUserID(*p.patient.UserID).SetUpTo(3).Exec(ctx)
		}, func() error { return p.mark(t, p.patient, 2) }))
		require.Equal(t, chat.ReadState{UpTo: 3}, p.state(t, p.patient))
		told, err := db.Client.StreamEntry.Query().Where(streamentry.StreamID(p.room.ID), streamentry.Kind(chat.KindMessagesRead)).Count(testkit.System(t))
		require.NoError(t, err)
		require.Zero(t, told)
	})
}

// Nothing follows the end of a room: whoever waited for it finds it gone.
func TestDeleteRoom_NothingFollows(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		p.send(t, p.doctor, "hello")
		admin := testkit.Viewer(testkit.User(t, db, access.Admin))
		err := p.meanwhile(t, func(ctx context.Context) error {
			_, err := p.DeleteRoom(access.As(ctx, admin), chat.DeleteChatRoomInput{RoomID: p.room.ID})
			return err
		}, func() error { return p.mark(t, p.patient, 1) })
		requireCode(t, err, fault.CodeNotFound)
		kinds := p.kinds(t, p.room.ID)
		require.Equal(t, chat.KindRoomDeleted, kinds[len(kinds)-1])
	})
}

func TestArchiveDue_LeavesOutWhatWasDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		_, err := p.Manage(testkit.As(t, p.doctor), chat.ManageChatRoomInput{RoomID: p.room.ID, Action: "DEACTIVATE"})
		require.NoError(t, err)
		clk.Advance(30 * 24 * time.Hour)
		admin := testkit.Viewer(testkit.User(t, db, access.Admin))
		require.NoError(t, p.meanwhile(t, func(ctx context.Context) error {
			_, err := p.DeleteRoom(access.As(ctx, admin), chat.DeleteChatRoomInput{RoomID: p.room.ID})
			return err
		}, func() error {
			n, err := p.ArchiveDue(t.Context())
			require.Zero(t, n)
			return err
		}))
	})
}

// Who books and moves visits locks the patient or the practitioner first and the room later. Messages refer to both: if they waited for these rows
// while they hold the room, each would wait for the other.
func TestSend_PassesWhoHoldsThePatient(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		if db.Dialect() != dialect.Postgres {
			t.Skip("transactions follow each other")
		}
		p := newPractice(t, db, clk)
		next := p.visit(t, p.doctor, p.patient)
		testkit.Write(t, db, func(ctx context.Context) error {
			if err := db.Lock(ctx, patient.Table, p.patient.ID); err != nil {
				return err
			}
			if err := db.Lock(ctx, practitioner.Table, p.doctor.ID); err != nil {
				return err
			}
			if _, err := p.Send(testkit.As(t, p.patient), p.says("hello")); err != nil {
				return err
			}
			return p.Move(ctx, p.room.AppointmentID, next.ID)
		})
		require.Len(t, p.requireDense(t, p.room.ID), 1)
	})
}
