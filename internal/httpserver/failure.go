package httpserver

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

const graphqlResponse = "application/graphql-response+json"

// writeError answers with one error in the shape of GraphQL's, whatever was asked for: clients have one way to read errors.
func writeError(w http.ResponseWriter, r *http.Request, status int, f *fault.Error) {
	extensions := map[string]any{"code": f.Code, "requestId": RequestID(r.Context())}
	if f.RetryAfter > 0 {
		wait := wholeSeconds(f.RetryAfter)
		extensions["retryAfter"] = wait
		w.Header().Set("Retry-After", strconv.Itoa(wait))
	}
	text, err := json.Marshal(map[string]any{"errors": []any{map[string]any{"message": f.Message, "extensions": extensions}}})
	if err != nil { // cannot be: it is text and numbers
		panic(err)
	}
	media := "application/json"
	if strings.Contains(r.Header.Get("Accept"), graphqlResponse) {
		media = graphqlResponse
	}
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// wholeSeconds rounds up, so that who waits as long as told is not too early.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
