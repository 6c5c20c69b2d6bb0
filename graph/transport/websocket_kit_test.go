package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

var liveSchema = gqlparser.MustLoadSchema(&ast.Source{Name: "live.graphql", Input: `
directive @sameForAll on FIELD_DEFINITION
type Query { echo(text: String): String who: String fail: String! refused: String hang: String requestId: String boom: String background: Boolean }
type Mutation { touch: String hang: String }
type Subscription { ticks(room: String, after: Int): Tick @sameForAll session: Tick own: Tick broken: Tick }
type Tick { n: Int @sameForAll text(prefix: String): String @sameForAll viewer: String }
`})

// kit is a server with sockets, its world, and what was observed.
type kit struct {
	t       testing.TB
	server  *httptest.Server
	sockets *Websocket
	options WebsocketOptions

	rooms   map[string]*fakeSource
	session *fakeSource
	hang    chan struct{} // ends what hangs
	hanging chan struct{}

	mu       sync.Mutex
	sessions []*fakeSession
	refuse   error // of sessions
	admit    error

	open, subscribed, executed, begun atomic.Int64
}

func newKit(t testing.TB, change ...func(*WebsocketOptions)) *kit {
	t.Helper()
	k := &kit{
		t: t, rooms: map[string]*fakeSource{"": newSource(true)}, session: newSource(false),
		hang: make(chan struct{}), hanging: make(chan struct{}, 200),
	}
	k.session.isOfSession = true
	k.options = WebsocketOptions{
		Options: Options{RequestID: func(ctx context.Context) string { id, _ := ctx.Value(idKey{}).(string); return id }, MaxBody: 4096},
		Detach: func(_ context.Context, id string) context.Context {
			return context.WithValue(context.Background(), idKey{}, id)
		},
		Authenticate: authenticate, OpenSession: k.openSession,
		Admit:   func(context.Context) error { k.mu.Lock(); defer k.mu.Unlock(); return k.admit },
		Begin:   func(ctx context.Context) context.Context { k.begun.Add(1); return ctx },
		Cursor:  func(e *stream.Event) string { return "at " + strconv.FormatInt(e.Position, 10) },
		Now:     func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Log:     slog.New(slog.DiscardHandler),
		Sockets: func(n int) { k.open.Add(int64(n)) }, Subscriptions: func(n int) { k.subscribed.Add(int64(n)) },
	}
	for _, f := range change {
		f(&k.options)
	}
	k.sockets = NewWebsocket(k.options)
	srv := handler.New(executable{k})
	srv.SetErrorPresenter(presentCode)
	srv.AddTransport(k.sockets)
	srv.AddTransport(k.sockets.EventStream())
	srv.AddTransport(POST{k.options.Options})
	srv.AddTransport(GET{k.options.Options})
	srv.AddTransport(Other{k.options.Options})
	k.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), idKey{}, "r")
		if cookie, err := r.Cookie("who"); err == nil {
			if viewer, err := authenticate(ctx, cookie.Value); err == nil {
				ctx = access.As(ctx, viewer)
			} else {
				ctx = access.WithFailure(ctx, err)
			}
		}
		srv.ServeHTTP(w, r.WithContext(ctx))
	}))
	k.server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(8 << 10)
		return ctx
	}
	k.server.Start()
	t.Cleanup(func() {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		k.sockets.Close(gone)
		k.server.Close()
	})
	return k
}

// executable is the schema; gqlgen's mock would remember every call.
type executable struct{ k *kit }

func (executable) Schema() *ast.Schema { return liveSchema }
func (executable) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}
func (e executable) Exec(ctx context.Context) graphql.ResponseHandler { return e.k.exec(ctx) }

type idKey struct{}

func presentCode(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	var f *fault.Error
	if errors.As(err, &f) {
		shown.Message = f.Message
		shown.Extensions = map[string]any{"code": f.Code}
	}
	return shown
}

// authenticate knows the tokens "good" and "good-<name>"; "away" is a database that is.
func authenticate(_ context.Context, token string) (*access.Viewer, error) {
	switch {
	case token == "away":
		return nil, fault.ErrUnavailable
	case token == "panic":
		panic("authenticate")
	case strings.HasPrefix(token, "good"):
		return &access.Viewer{UserID: uuid.New(), SessionID: uuid.New(), Email: token}, nil
	default:
		return nil, fault.ErrUnauthenticated
	}
}

// exec answers by the names of the root fields.
func (k *kit) exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query", "Mutation", "Subscription"})
	if op.Operation.Operation == ast.Subscription {
		return k.subscription(ctx, op, fields[0])
	}
	var members []string
	for _, field := range fields {
		value := "null"
		switch field.Name {
		case "echo":
			text, _ := json.Marshal(field.ArgumentMap(op.Variables)["text"])
			value = string(text)
		case "who":
			if v := access.From(ctx); v != nil {
				value = strconv.Quote(v.Email)
			}
		case "requestId":
			value = strconv.Quote(k.options.RequestID(ctx))
		case "background":
			value = fmt.Sprint(op.Extensions["background"] == true)
		case "fail":
			return graphql.OneShot(&graphql.Response{Data: json.RawMessage("null"), Errors: gqlerror.List{{Message: "No.", Path: ast.Path{ast.PathName("fail")}}}})
		case "refused":
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{{Message: "No.", Extensions: map[string]any{"code": "SESSION_EXPIRED"}}}})
		case "boom":
			panic("boom")
		case "hang":
			k.hanging <- struct{}{}
			select {
			case <-k.hang:
			case <-ctx.Done():
			}
		}
		members = append(members, `"`+field.Alias+`":`+value)
	}
	return graphql.OneShot(&graphql.Response{Data: json.RawMessage("{" + strings.Join(members, ",") + "}")})
}

func (k *kit) subscription(ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField) graphql.ResponseHandler {
	args := field.ArgumentMap(op.Variables)
	out, err := Subscribe(ctx, func() (stream.Source, error) {
		switch field.Name {
		case "session":
			return k.session, nil
		case "broken":
			panic("broken")
		}
		room, _ := args["room"].(string)
		if k.rooms[room] == nil {
			return nil, fault.ErrNotFound
		}
		return k.rooms[room], nil
	}, func(_ context.Context, e *stream.Event) (*stream.Event, error) { k.executed.Add(1); return e, nil })
	if err != nil {
		graphql.AddError(ctx, err)
		return graphql.OneShot(nil)
	}
	return func(context.Context) *graphql.Response {
		e, ok := <-out
		if !ok {
			return nil
		}
		text, _ := e.Value.(string)
		switch text {
		case "boom":
			panic("boom")
		case "hang":
			select {
			case k.hanging <- struct{}{}:
			default:
			}
			<-k.hang
		case "away":
			return &graphql.Response{Errors: gqlerror.List{{Message: "Later.", Extensions: map[string]any{"code": "UNAVAILABLE"}}}}
		}
		members := []string{}
		for _, f := range graphql.CollectFields(op, field.Selections, []string{"Tick"}) {
			value := strconv.FormatInt(e.Position, 10)
			switch f.Name {
			case "text":
				prefix, _ := f.ArgumentMap(op.Variables)["prefix"].(string)
				value = strconv.Quote(prefix + text)
			case "viewer":
				value = strconv.Quote(access.From(ctx).Email)
			}
			members = append(members, `"`+f.Alias+`":`+value)
		}
		return &graphql.Response{Data: json.RawMessage(`{"` + field.Alias + `":{` + strings.Join(members, ",") + "}}")}
	}
}
