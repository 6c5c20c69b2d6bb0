package nothinglost_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/nothinglost"
	"github.com/caregraph/caregraph/internal/testkit/process"
)

// asClient makes this program the client of a test instead.
const asClient = "CAREGRAPH_NOTHING_LOST_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(asClient) == "" {
		testkit.Main(m)
	}
	if err := nothinglost.Run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

const (
	rooms     = 4
	lanes     = 2  // writers of each person
	leastHits = 20 // kills that must meet a message under way
	mostKills = 40
	ackedEach = 30 // acknowledgements at least between two kills
)

// TestNothingLost kills the real program again and again while a client in another process writes and reads: everything that was acknowledged is stored, and
// delivered to every reader once and in order. On PostgreSQL two instances run, of which one is killed at a time.
func TestNothingLost(t *testing.T) {
	testkit.Long(t)
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) { // one after the other: the machine is small
			url := testkit.URL(t, engine)
			n := 1
			if engine == testkit.Postgres {
				n = 2
			}
			started := clock.System{}.Now()
			plan := nothinglost.Plan{Dir: t.TempDir()}
			emails := seed(t, url, &plan)
			var servers []*process.Server
			for range n {
				servers = append(servers, process.Start(t, url, nil))
				plan.URLs = append(plan.URLs, servers[len(servers)-1].URL)
			}
			signIn(t, &plan, emails)
			c := startClient(t, plan)
			kills, restarts := killing(t, c, servers, plan.Dir)
			c.stop(t)
			logs, err := nothinglost.ReadLogs(plan.Dir)
			require.NoError(t, err)
			v := nothinglost.Judge(plan, logs, storedMessages(t, url, plan), kills)
			fmt.Printf("nothing lost, %s, %d instances: %s restart=%s total=%s\n", engine, n, v, restarts.Round(time.Millisecond), clock.System{}.Now().Sub(started).Round(100*time.Millisecond))
			require.NoError(t, v.Err())
			require.GreaterOrEqual(t, v.KillsUnderLoad, leastHits)
			require.GreaterOrEqual(t, v.ResumesOfEvents, leastHits, "event streams went on by Last-Event-ID")
		})
	}
}

// killing kills the servers in turn at random moments until enough kills have met a message, and returns the mean time of a restart.
func killing(t *testing.T, c *clientProcess, servers []*process.Server, dir string) (kills []nothinglost.Kill, restart time.Duration) {
	t.Helper()
	for hits := 0; hits < leastHits && len(kills) < mostKills; {
		c.await(t, "acked", ackedEach)
		c.pause(t, rand.N(300*time.Millisecond))
		server := servers[len(kills)%len(servers)]
		kills = append(kills, nothinglost.Kill{URL: server.URL, At: server.Kill()})
		restart += server.Restart(t)
		c.pause(t, 0) // what was acknowledged before does not count
		if len(kills) >= leastHits {
			c.await(t, "acked", ackedEach) // what was under way is settled
			logs, err := nothinglost.ReadLogs(dir)
			require.NoError(t, err)
			hits = nothinglost.Judge(nothinglost.Plan{}, logs, nil, kills).KillsUnderLoad
		}
	}
	return kills, restart / time.Duration(len(kills))
}

// seed makes the rooms through the services and returns the accounts by the name of the person.
func seed(t *testing.T, url string, plan *nothinglost.Plan) (emails map[string]string) {
	t.Helper()
	flags := testkit.Settings()
	flags["DATABASE_URL"], flags["PUBLIC_URL"] = url, "http://caregraph.test"
	cfg, err := config.Load(config.Sources{Flags: flags})
	require.NoError(t, err)
	a, err := app.New(t.Context(), cfg, app.Options{Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close(context.Background())) }()
	emails = map[string]string{}
	for n := range rooms {
		doctor, patient := testkit.Practitioner(t, a.DB), testkit.Patient(t, a.DB)
		account, err := a.DB.Client.User.Get(testkit.System(t), doctor.UserID)
		require.NoError(t, err)
		visit := testkit.Appointment(t, a.DB, testkit.Slot(t, a.DB, doctor, a.DB.Now().Add(time.Hour)), patient)
		require.NoError(t, a.Chat.Open(testkit.System(t), visit))
		id, err := a.DB.Client.ChatRoom.Query().Where(chatroom.AppointmentID(visit.ID)).OnlyID(testkit.System(t))
		require.NoError(t, err)
		room := nothinglost.Room{ID: id.String()}
		add := func(to *[]nothinglost.Person, name, email string) *nothinglost.Person {
			name = fmt.Sprintf("%s-%d", name, n)
			emails[name] = email
			*to = append(*to, nothinglost.Person{Name: name})
			return &(*to)[len(*to)-1]
		}
		for lane := range lanes {
			add(&room.Writers, fmt.Sprintf("patient-writes%d", lane), patient.Email)
			add(&room.Writers, fmt.Sprintf("doctor-writes%d", lane), account.Email)
		}
		add(&room.Readers, "patient-reads", patient.Email)
		add(&room.Readers, "patient-hears", patient.Email).OverEvents = true
		add(&room.Readers, "doctor-reads", account.Email)
		add(&room.Readers, "doctor-hears", account.Email).OverEvents = true
		plan.Rooms = append(plan.Rooms, room)
	}
	return emails
}

// signIn gives every person a session of its own.
func signIn(t *testing.T, plan *nothinglost.Plan, emails map[string]string) {
	t.Helper()
	client := testkit.NewClient(t, plan.URLs[0])
	for r := range plan.Rooms {
		for _, people := range [][]nothinglost.Person{plan.Rooms[r].Writers, plan.Rooms[r].Readers} {
			for i := range people {
				people[i].Token = client.SignIn(t, emails[people[i].Name], testkit.Password).Token
			}
		}
	}
}

// storedMessages reads all rooms from the database.
func storedMessages(t *testing.T, url string, plan nothinglost.Plan) map[string][]nothinglost.Stored {
	t.Helper()
	db := testkit.OpenURL(t, store.Config{URL: url}, clock.System{})
	stored := map[string][]nothinglost.Stored{}
	for _, room := range plan.Rooms {
		all, err := db.Client.ChatMessage.Query().Where(chatmessage.RoomID(uuid.MustParse(room.ID))).Order(chatmessage.ByPosition()).All(testkit.System(t))
		require.NoError(t, err)
		for _, m := range all {
			require.NotNil(t, m.ClientMessageID)
			stored[room.ID] = append(stored[room.ID], nothinglost.Stored{ID: m.ID.String(), ClientID: *m.ClientMessageID, Position: m.Position})
		}
	}
	return stored
}

// clientProcess is the client in a process of its own.
type clientProcess struct {
	in    io.WriteCloser
	words chan string
	done  chan error
}

const clientTime = 45 * time.Second

func startClient(t *testing.T, plan nothinglost.Plan) *clientProcess {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(self)
	command.Env = append(os.Environ(), asClient+"=1")
	var complaints strings.Builder
	command.Stderr = &complaints
	c := &clientProcess{words: make(chan string, 1<<16), done: make(chan error, 1)}
	c.in, err = command.StdinPipe()
	require.NoError(t, err)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill() })
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			c.words <- lines.Text()
		}
		err := command.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, complaints.String())
		}
		c.done <- err
	}()
	line, err := json.Marshal(plan)
	require.NoError(t, err)
	_, err = c.in.Write(append(line, '\n'))
	require.NoError(t, err)
	c.await(t, "ready", 1)
	return c
}

// await waits until the client has said the word n times.
func (c *clientProcess) await(t *testing.T, word string, n int) {
	t.Helper()
	late := time.NewTimer(clientTime)
	defer late.Stop()
	for n > 0 {
		select {
		case said := <-c.words:
			if said == word {
				n--
			}
		case err := <-c.done:
			t.Fatalf("the client ended before it said %q: %v", word, err)
		case <-late.C:
			t.Fatalf("the client did not say %q within %s", word, clientTime)
		}
	}
}

// pause lets the client work on, and forgets what it says.
func (c *clientProcess) pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-c.words:
			continue
		default:
		}
		select {
		case <-timer.C:
			return
		case <-c.words:
		case err := <-c.done:
			t.Fatalf("the client ended early: %v", err)
		}
	}
}

// stop lets the client come to an end.
func (c *clientProcess) stop(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(c.in, "stop\n")
	require.NoError(t, err)
	c.await(t, "done", 1)
	select {
	case err := <-c.done:
		require.NoError(t, err)
	case <-time.After(clientTime):
		t.Fatal("the client does not end")
	}
}
