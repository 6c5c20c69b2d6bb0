package transport

import (
	"context"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/internal/fault"
)

const (
	defaultMaxBody = 1 << 20
	maxErrors      = 50 // errors of a request that was not executed; a document can be wrong in thousands of places
)

// Options are what the transports share.
type Options struct {
	// RequestID names the request in errors; without it they carry no requestId.
	RequestID func(context.Context) string
	// MaxBody is the largest body in bytes; 0 means 1 MiB.
	MaxBody int64
}

// POST takes operations in the body. It takes every POST that is no websocket, so it is added after transports that
// take special ones (event streams, uploads).
type POST struct{ Options }

// GET takes queries in the URL. It is added after transports that take special GETs (websockets, event streams).
type GET struct{ Options }

// Other answers 405 to every other method. It is added last.
type Other struct{ Options }

var _, _, _ graphql.Transport = POST{}, GET{}, Other{}

// Supports implements graphql.Transport.
func (POST) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && !isWebsocket(r)
}

// Supports implements graphql.Transport.
func (GET) Supports(r *http.Request) bool {
	return r.Method == http.MethodGet && !isWebsocket(r)
}

// Supports implements graphql.Transport.
func (Other) Supports(r *http.Request) bool { return !isWebsocket(r) }

// isWebsocket tells whether the request wants to become a websocket: exactly those whose origin the server has checked. A wish for another
// protocol is no concern of ours.
func isWebsocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do implements graphql.Transport.
func (t POST) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	x := &exchange{w: w, r: r, exec: exec, options: t.Options}
	if !x.negotiate() {
		return
	}
	params, refusal := x.postParams()
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	x.run(params)
}

// Do implements graphql.Transport.
func (t GET) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	x := &exchange{w: w, r: r, exec: exec, options: t.Options, onlyQueries: true}
	if !x.negotiate() {
		return
	}
	params, refusal := x.getParams()
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	x.run(params)
}

// Do implements graphql.Transport.
func (t Other) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	x := &exchange{w: w, r: r, exec: exec, options: t.Options}
	if !x.negotiate() {
		return
	}
	x.refuse(&refusal{status: http.StatusMethodNotAllowed, allow: "GET, POST", cause: fault.ErrInvalid.Says("Send GET or POST.")})
}
