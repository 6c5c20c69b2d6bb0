package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/generated"
	"github.com/caregraph/caregraph/graph/precheck"
	"github.com/caregraph/caregraph/graph/transport"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
)

// Cookies sets the session cookie of the running request.
type Cookies interface {
	Set(ctx context.Context, token string)
	Clear(ctx context.Context)
}

// Options are the settings of the API.
type Options struct {
	RequestID     func(context.Context) string
	Log           *slog.Logger
	Limits        precheck.Limits
	MaxBody       int64
	Timeout       time.Duration // of one operation
	Introspection Introspection
	Observe       func(operation, kind, result string, took time.Duration) // for metrics
	Sockets       *transport.Websocket                                     // nil: none are served
}

// Introspection says who may read the schema from the server, and whether errors suggest names.
type Introspection int

// The kinds: everybody with suggestions, or signed-in staff without.
const (
	Open Introspection = iota
	StaffOnly
)

type server struct {
	resolver *Resolver
	options  Options
}

const queryCacheSize = 1000

// New returns the handler of /graphql and the schema in SDL.
func New(resolver *Resolver, options Options) (http.Handler, string) {
	s := &server{resolver: resolver, options: options}
	es := generated.NewExecutableSchema(generated.Config{
		Resolvers:  resolver,
		Directives: generated.DirectiveRoot{Auth: exceptShared(s.auth)},
	})
	resolver.permissionTable = permissionsOf(es.Schema())
	checker := precheck.New(es.Schema(), options.Limits)
	srv := handler.New(es)
	transports := transport.Options{RequestID: options.RequestID, MaxBody: options.MaxBody}
	if options.Sockets != nil {
		srv.AddTransport(options.Sockets)
		srv.AddTransport(options.Sockets.EventStream())
	}
	srv.AddTransport(transport.POST{Options: transports})
	srv.AddTransport(transport.GET{Options: transports})
	srv.AddTransport(transport.Other{Options: transports})
	srv.SetQueryCache(precheck.NewQueryCache(queryCacheSize, checker))
	srv.Use(extension.AutomaticPersistedQuery{Cache: shortTexts{lru.New[string](queryCacheSize)}})
	srv.Use(precheck.Extension{Checker: checker})
	srv.Use(extension.Introspection{})
	if options.Introspection == StaffOnly {
		srv.SetDisableSuggestion(true)
		srv.SetValidationRulesFn(precheck.RulesWithoutSuggestions)
	}
	srv.SetErrorPresenter(s.present)
	srv.SetRecoverFunc(s.recover)
	srv.AroundOperations(s.around)
	srv.AroundRootFields(s.aroundRoot)
	srv.AroundFields(outcomes)
	return srv, sdl(es.Schema())
}

// shortTexts bounds what strangers can make the cache of persisted queries keep: texts arrive there before anything has looked at them.
type shortTexts struct{ graphql.Cache[string] }

const maxKeptText = 16 << 10

// Add implements graphql.Cache; a longer text is simply not kept.
func (c shortTexts) Add(ctx context.Context, key, text string) {
	if len(text) <= maxKeptText {
		c.Cache.Add(ctx, key, text)
	}
}

// SDL returns the API's schema.
func SDL() string { return sdl(generated.NewExecutableSchema(generated.Config{}).Schema()) }

// sdl prints the schema for clients, without the directives that only the generator reads.
func sdl(schema *ast.Schema) string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(public(schema))
	return b.String()
}

// public is a copy of the schema without the generator's directives.
func public(schema *ast.Schema) *ast.Schema {
	shown := *schema
	shown.Directives = map[string]*ast.DirectiveDefinition{}
	for name, d := range schema.Directives {
		if name != "goField" && name != "goModel" && name != "goTag" && name != "goEnum" && name != "goExtraField" {
			shown.Directives[name] = d
		}
	}
	shown.Types = map[string]*ast.Definition{}
	for name, def := range schema.Types {
		copied := *def
		copied.Directives = withoutGenerator(def.Directives)
		copied.Fields = nil
		for _, f := range def.Fields {
			field := *f
			field.Directives = withoutGenerator(f.Directives)
			copied.Fields = append(copied.Fields, &field)
		}
		shown.Types[name] = &copied
	}
	shown.Query, shown.Mutation = shown.Types[schema.Query.Name], shown.Types[schema.Mutation.Name]
	return &shown
}

func withoutGenerator(list ast.DirectiveList) ast.DirectiveList {
	var kept ast.DirectiveList
	for _, d := range list {
		if !strings.HasPrefix(d.Name, "go") {
			kept = append(kept, d)
		}
	}
	return kept
}

// around brackets every operation: introspection, the session's activity, the audit of reads, loaders, the time limit and the log. A
// subscription comes here when it is opened, and again for each of its events, which are not logged.
func (s *server) around(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	viewer := access.From(ctx)
	if s.options.Introspection == StaffOnly && (viewer == nil || viewer.Has(access.Patient)) {
		op.DisableIntrospection = true
	}
	ctx = audit.WithOperation(ctx, rootField(op.Operation.SelectionSet))
	if op.Operation.Operation != ast.Subscription { // whose reads are collected from its opening on (Sockets)
		ctx = s.resolver.Audit.Begin(ctx)
	}
	ctx = s.withLoaders(ctx)
	ctx, cancel := context.WithTimeout(ctx, s.timeout(op, viewer))
	started := clock.System{}.Now()
	respond := next(ctx)
	return func(outer context.Context) *graphql.Response {
		defer cancel()
		if viewer != nil && extends(op) {
			if err := s.resolver.Identity.Touch(ctx, viewer); err != nil {
				return &graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}}
			}
		}
		response := respond(ctx)
		if err := s.resolver.Audit.End(ctx); err != nil {
			response = &graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}}
		}
		if !transport.IsDelivery(ctx) {
			s.log(ctx, op, response, clock.System{}.Now().Sub(started))
		}
		return response
	}
}

// aroundRoot gives each mutation of a document loaders of its own: loaders keep what they have read, and a mutation is answered by what holds after it.
func (s *server) aroundRoot(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
		ctx = s.withLoaders(ctx)
	}
	return next(ctx)
}

// patience is the time for operations that run many jobs; the server ends an answer after two minutes.
const patience = 110 * time.Second

func (s *server) timeout(op *graphql.OperationContext, viewer *access.Viewer) time.Duration {
	set := op.Operation.SelectionSet
	if len(set) == 1 && rootField(set) == "advanceClock" && viewer.Has(access.Admin) && s.resolver.Jobs.Clock != nil {
		return patience
	}
	return s.options.Timeout
}

// rootField names an operation by its first root field; the name that a client gives may say anything.
func rootField(set ast.SelectionSet) string {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			return s.Name
		case *ast.InlineFragment:
			return rootField(s.SelectionSet)
		case *ast.FragmentSpread:
			return rootField(s.Definition.SelectionSet)
		}
	}
	return ""
}

// quiet are the root fields that do not count as the user's activity.
var quiet = map[string]bool{"sessionStatus": true, "pingActivity": true, "extendSession": true, "logout": true, "setTyping": true, "__typename": true}

// What says that nobody sent the operation: a header, or for operations on a websocket an extension.
const (
	backgroundHeader    = "X-Caregraph-Background"
	backgroundExtension = "background"
)

// extends tells whether the operation counts as activity: one that the user sent, and not only to look at the session itself.
func extends(op *graphql.OperationContext) bool {
	if op.Operation.Operation == ast.Subscription || op.Headers.Get(backgroundHeader) == "1" || op.Extensions[backgroundExtension] == true {
		return false
	}
	return anyActive(op.Operation.SelectionSet)
}

func anyActive(set ast.SelectionSet) bool {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if !quiet[s.Name] {
				return true
			}
		case *ast.InlineFragment:
			if anyActive(s.SelectionSet) {
				return true
			}
		case *ast.FragmentSpread:
			if anyActive(s.Definition.SelectionSet) {
				return true
			}
		}
	}
	return false
}

func (s *server) log(ctx context.Context, op *graphql.OperationContext, response *graphql.Response, took time.Duration) {
	result := "OK"
	if response != nil && len(response.Errors) > 0 {
		result = "ERROR"
		if code, ok := response.Errors[0].Extensions["code"].(fault.Code); ok {
			result = string(code)
		}
	}
	kind := string(op.Operation.Operation)
	name := rootField(op.Operation.SelectionSet)
	s.options.Observe(name, kind, result, took)
	attrs := []any{slog.String("operation", name), slog.String("kind", kind), slog.String("result", result),
		slog.Duration("took", took), slog.String("requestId", s.options.RequestID(ctx))}
	if v := access.From(ctx); v != nil {
		attrs = append(attrs, slog.String("session", v.SessionID.String()))
	}
	s.options.Log.InfoContext(ctx, "graphql", attrs...)
}

// recover turns a panic into a fault; its text stays in the log.
func (s *server) recover(ctx context.Context, value any) error {
	s.options.Log.ErrorContext(ctx, "panic", slog.String("requestId", s.options.RequestID(ctx)), slog.String("value", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
	return fault.ErrInternal.Because(errors.New("panic"))
}
