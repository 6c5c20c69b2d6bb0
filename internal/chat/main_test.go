package chat_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/streamentry"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// practice is a service with one room of one doctor and one patient.
type practice struct {
	*chat.Service
	db      *store.DB
	clk     *clock.Fake
	doctor  *ent.Practitioner
	patient *ent.Patient
	room    *ent.ChatRoom
	slots   int
}

func newService(db *store.DB) *chat.Service {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	recorder := audit.New(db, log, audit.Options{})
	recorder.Install()
	s := chat.New(chat.Config{
		DB: db, Streams: stream.New(db, nil, log), Audit: recorder, Notify: notify.New(notify.Config{DB: db, Log: log, Audit: recorder}),
		Storage: &shelf{}, FileKey: []byte("a key of tests"), BaseURL: "https://care.test", Log: log,
	})
	s.BePatient()
	return s
}

func newPractice(t *testing.T, db *store.DB, clk *clock.Fake) *practice {
	t.Helper()
	p := &practice{Service: newService(db), db: db, clk: clk, doctor: testkit.Practitioner(t, db), patient: testkit.Patient(t, db)}
	p.room = p.open(t, p.doctor, p.patient)
	return p
}

// visit makes a booked appointment.
func (p *practice) visit(t *testing.T, doctor *ent.Practitioner, patient *ent.Patient) *ent.Appointment {
	t.Helper()
	p.slots++
	return testkit.Appointment(t, p.db, testkit.Slot(t, p.db, doctor, p.clk.Now().Add(time.Duration(p.slots)*time.Hour)), patient)
}

// open makes a visit and opens its room.
func (p *practice) open(t *testing.T, doctor *ent.Practitioner, patient *ent.Patient) *ent.ChatRoom {
	t.Helper()
	a := p.visit(t, doctor, patient)
	require.NoError(t, p.Open(t.Context(), a))
	r, err := p.db.Client.ChatRoom.Query().Where(chatroom.AppointmentID(a.ID)).Only(testkit.System(t))
	require.NoError(t, err)
	return r
}

// put sets the room's status.
func (p *practice) put(t *testing.T, status chatroom.Status) {
	t.Helper()
	testkit.Write(t, p.db, func(ctx context.Context) error {
		return p.db.Client.ChatRoom.UpdateOne(p.room).SetStatus(status).Exec(ctx)
	})
}

// says is a message for the practice's room.
func (p *practice) says(body string, clientID ...string) chat.SendMessageInput {
	in := chat.SendMessageInput{RoomID: p.room.ID, Body: body}
	if len(clientID) > 0 {
		in.ClientMessageID = &clientID[0]
	}
	return in
}

func (p *practice) send(t *testing.T, who any, body string) *ent.ChatMessage {
	t.Helper()
	m, err := p.Send(testkit.As(t, who), p.says(body))
	require.NoError(t, err)
	return m
}

// requireDense checks that the room's messages and events have all positions from 1 on, and that events tell of messages in their order. It
// returns the messages.
func (p *practice) requireDense(t *testing.T, roomID uuid.UUID) []*ent.ChatMessage {
	t.Helper()
	ctx := testkit.System(t)
	messages, err := p.db.Client.ChatMessage.Query().Where(chatmessage.RoomID(roomID)).Order(chatmessage.ByPosition()).All(ctx)
	require.NoError(t, err)
	entries, err := p.db.Client.StreamEntry.Query().Where(streamentry.StreamID(roomID)).Order(streamentry.ByPosition()).All(ctx)
	require.NoError(t, err)
	told := 0
	for i, e := range entries {
		require.Equal(t, int64(i+1), e.Position)
		if e.Kind == chat.KindMessageAdded {
			require.Equal(t, messages[told].ID, *e.SubjectID)
			require.Equal(t, int64(told+1), messages[told].Position)
			told++
		}
	}
	require.Equal(t, len(messages), told)
	counters, err := p.db.Client.Stream.Get(ctx, roomID)
	require.NoError(t, err)
	require.Equal(t, int64(len(entries)), counters.Position)
	require.Equal(t, int64(len(messages)), counters.Items)
	return messages
}

func requireCode(t *testing.T, err error, code fault.Code, about ...any) {
	t.Helper()
	var e *fault.Error
	require.Truef(t, errors.As(err, &e), "want %s, got %v: %v", code, err, about)
	require.Equal(t, code, e.Code, about...)
}

// atOnce runs fn n times at the same moment and returns the errors.
func atOnce(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = fn(i)
		})
	}
	done.Wait()
	return errs
}

// outsiders are people who take no part in the practice's room.
func (p *practice) outsiders(t *testing.T) map[string]*access.Viewer {
	t.Helper()
	list := map[string]*access.Viewer{
		"another patient": testkit.Viewer(testkit.Patient(t, p.db)),
		"another doctor":  testkit.Viewer(testkit.Practitioner(t, p.db)),
	}
	for _, role := range access.Roles {
		if role != access.Patient && role != access.Doctor {
			list[fmt.Sprint(role)] = testkit.Viewer(testkit.User(t, p.db, role))
		}
	}
	admin := testkit.Viewer(p.doctor, access.Admin) // the doctor's own profile without the role to use it
	list["the doctor who is an administrator only"] = admin
	return list
}
