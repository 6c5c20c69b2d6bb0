package httpserver

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/caregraph/caregraph/internal/fault"
)

// guard watches the answer and turns a panic into a 500. When part of the answer is out already, the connection is cut instead, so
// that no client takes the part for the whole.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		c.w = &recorder{ResponseWriter: w}
		defer func() {
			if reason := recover(); reason != nil {
				s.afterPanic(c, r, reason)
				return
			}
			c.w.WriteHeader(http.StatusOK) // for a handler that wrote nothing
		}()
		next.ServeHTTP(c.w, r)
	})
}

func (s *Server) afterPanic(c *call, r *http.Request, reason any) {
	if reason == http.ErrAbortHandler { //nolint:errorlint // the exact value, as net/http compares it
		panic(reason)
	}
	s.options.Log.ErrorContext(r.Context(), "panic while answering a request",
		"request_id", c.id, "route", c.route, "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
	if status, _ := c.w.result(); status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeError(c.w, r, http.StatusInternalServerError, fault.ErrInternal)
}
