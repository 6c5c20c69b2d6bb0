package matrix_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// api is a run through the world over HTTP.
type api struct {
	*matrix
	t       *testing.T
	program *app.App
	clients map[string]*testkit.Client // by viewer
}

// TestMatrixOverHTTP tries the ways of reading of the API as a client sees it, on both engines. It is a long test: TestMatrix asks for every row.
func TestMatrixOverHTTP(t *testing.T) {
	testkit.Long(t)
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			a := serve(t, engine)
			a.tryNodeFields()
			a.tryTrees()
			a.trySideDoors()
			a.tryRootLists()
			a.tryStreams()
			a.tryDoors()
			for _, v := range a.violations {
				t.Error(v)
			}
			fmt.Printf("access matrix over HTTP (%s): %d cells: %v\n", engine, a.total(), a.cells)
			least := len(nodeTypes()) * (len(access.Roles) + 1) * len(apiWays)
			if !t.Failed() && a.total() < least {
				t.Errorf("%d cells are fewer than types x roles x ways = %d", a.total(), least)
			}
			for _, way := range apiWays {
				if a.cells[way] == 0 {
					t.Errorf("no cell of the way %q was tried", way)
				}
			}
		})
	}
}

// wayDoor is a root field, before it looks at any row.
const wayDoor = "root field"

// wayStream is a subscription.
const wayStream = "subscription"

var apiWays = []string{wayNode, wayNodes, wayList, wayNested, wayFilter, wayOrder, wayCursor, wayCount, wayDoor, wayStream}

// serve runs the program on a fresh database with the world in it, and signs everybody in.
func serve(t *testing.T, engine string) *api {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	cfg, err := config.Load(config.Sources{Flags: map[string]string{
		"ENVIRONMENT": "development", "DATABASE_URL": testkit.URL(t, engine), "PUBLIC_URL": server.URL, "MIGRATE": "auto",
		"API_REQUESTS_PER_MINUTE": "100000", "PATIENT_SUSPICIOUS_REQUESTS": "1000000", "LOGIN_ATTEMPTS_PER_MINUTE": "1000", "OPERATION_TIMEOUT": "60s",
		"QUERY_MAX_TOKENS": "100000", "QUERY_MAX_DEPTH": "30", "QUERY_MAX_ALIASES": "1000", "QUERY_MAX_ROOT_FIELDS": "1000", "QUERY_MAX_COST": "1000000000",
	}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := app.New(t.Context(), cfg, app.Options{
		Clock: clock.NewFake(testkit.Start), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		HashParams: &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler = program.Handler()
	t.Cleanup(func() {
		server.Close()
		if err := program.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	a := &api{matrix: newMatrix(build(t, program.DB), maxViolations), t: t, program: program, clients: map[string]*testkit.Client{}}
	a.number()
	a.clients[anonymous] = testkit.NewClient(t, server.URL)
	for _, p := range people {
		a.signIn(p.name)
	}
	return a
}

// number sets the counters of the rooms to the messages that they hold, as the program would have.
func (a *api) number() {
	testkit.Write(a.t, a.db, func(ctx context.Context) error {
		for _, room := range a.of("ChatRoom") {
			held := slices.DeleteFunc(a.of("ChatMessage"), func(id uuid.UUID) bool { return a.refs[id]["room_id"] != room })
			_, err := a.program.Streams.Reserve(ctx, []stream.Need{{Stream: room, Items: len(held)}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// signIns are the sessions that the test itself opens: rows of the world like the others.
var signIns = map[string]string{
	"alice": "alice ada dana", "bob": "bob ada dana", "pete": "pete ada dana", "dora": "dora ada dana", "drew": "drew ada dana", "dirk": "dirk ada dana",
	"cleo": "cleo ada dana", "sue": "sue ada dana", "nell": "nell ada dana", "sid": "sid ada dana", "bea": "bea ada dana", "bess": "bess ada dana",
	"phil": "phil ada dana", "ada": "ada dana", "dana": "ada dana", "norm": "ada dana",
}

const signInOperation = `mutation ($email: String!, $password: String!) {
	login(input: {email: $email, password: $password}) { accessToken session { id } userErrors { code } } }`

func (a *api) signIn(name string) {
	a.t.Helper()
	email, _ := a.present[a.ids["User "+name]]["email"].(string)
	answer := a.clients[anonymous].Do(a.t, signInOperation, map[string]any{"email": email, "password": password}).NoErrors(a.t)
	a.clients[name] = a.clients[anonymous].WithToken(answer.Text("login.accessToken"))
	sessions, err := a.db.Client.Session.Query().All(a.system(a.t.Context()))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, s := range sessions {
		if a.names[s.ID] == "" {
			a.adopt(row{entity: "Session", name: "signin." + name, read: signIns[name]}, s.ID, map[string]uuid.UUID{"user_id": s.UserID})
		}
	}
}

// adopt makes a row that the program has written one of the world.
func (w *world) adopt(r row, id uuid.UUID, refs map[string]uuid.UUID) {
	w.rows = append(slices.Clone(w.rows), r)
	w.ids[r.entity+" "+r.name], w.names[id], w.refs[id], w.read[id] = id, r.entity+" "+r.name, refs, viewers(r.read)
}

// maxFields is how many root fields go into one request.
const maxFields = 80

// ask sends root fields as one viewer and returns their answers in order. Any error is a violation: what is hidden is null, without an error.
func (a *api) ask(viewer string, fields []string) []any {
	answers := make([]any, 0, len(fields))
	for chunk := range slices.Chunk(fields, maxFields) {
		var b strings.Builder
		b.WriteString("query {")
		for i, f := range chunk {
			fmt.Fprintf(&b, "\n f%d: %s", i, f)
		}
		b.WriteString("\n}")
		r := a.clients[viewer].Do(a.t, b.String(), nil)
		if len(r.Errors) > 0 || r.Data == nil {
			a.violated("request", viewer, "HTTP %d %.300s for %.300s", r.Status, r.Body, b.String())
		}
		for i := range chunk {
			answers = append(answers, r.Get(fmt.Sprintf("f%d", i)))
		}
	}
	return answers
}

// idOf reads the id of a node; zero for null.
func idOf(node any) uuid.UUID {
	fields, _ := node.(map[string]any)
	text, _ := fields["id"].(string)
	id, _ := uuid.Parse(text)
	return id
}

// idsOf reads the ids of a connection's nodes and its total.
func idsOf(connection any) (list []uuid.UUID, total int) {
	fields, _ := connection.(map[string]any)
	edges, _ := fields["edges"].([]any)
	for _, e := range edges {
		edge, _ := e.(map[string]any)
		list = append(list, idOf(edge["node"]))
	}
	_, _ = fmt.Sscan(fmt.Sprint(fields["totalCount"]), &total)
	return list, total
}

// counted compares a total with the number of rows that the viewer may read.
func (a *api) counted(viewer, entity, what string, want, got int) {
	a.tried(wayCount, entity)
	if want != got {
		a.violated(wayCount, viewer, "%s: want a total of %d, got %d", what, want, got)
	}
}

// signedInNames lists the viewers who have signed in.
func signedInNames() []string { return strings.Fields(signedIn) }

func quoted(list []uuid.UUID) string {
	texts := make([]string, len(list))
	for i, id := range list {
		texts[i] = `"` + id.String() + `"`
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
