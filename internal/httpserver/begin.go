package httpserver

import (
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/clock"
)

const maxUserAgent = 300

// saneID are the ids of requests that we take over from a proxy: they are written to logs and answers.
var saneID = regexp.MustCompile(`^[A-Za-z0-9._:=-]{8,128}$`)

// begin makes the call of a request and sets its deadlines.
func (s *Server) begin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := peerOf(r.RemoteAddr)
		isProxy := s.isTrusted(peer)
		c := &call{server: s, client: peer, agent: userAgent(r), secure: r.TLS != nil}
		if isProxy {
			c.client = s.clientBehind(peer, r.Header.Values("X-Forwarded-For"))
			c.secure = c.secure || isForwardedTLS(r.Header)
			c.id = r.Header.Get("X-Request-Id")
		}
		if !saneID.MatchString(c.id) {
			c.id = rand.Text()
		}
		w.Header().Set("X-Request-Id", c.id)
		ctx := context.WithValue(r.Context(), callKey{}, c)
		if s.options.SetClient != nil {
			ctx = s.options.SetClient(ctx, c.clientIP(), c.agent)
		}
		r = r.WithContext(ctx)
		setDeadlines(w, r)
		next.ServeHTTP(w, r)
	})
}

// userAgent returns what the client calls itself, as the store can keep it: short, printable UTF-8.
func userAgent(r *http.Request) string {
	agent := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, r.UserAgent())
	return strings.ToValidUTF8(agent[:min(len(agent), maxUserAgent)], "")
}

// isStream tells whether the answer may be a websocket or an event stream: these last, and go out piece by piece.
func isStream(r *http.Request) bool {
	return isWebsocket(r) || strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/event-stream")
}

func isWebsocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// setDeadlines bounds the reading of the body and the writing of an answer that is no stream. The server's own WriteTimeout would end
// streams. A deadline that the connection cannot keep (a test's recorder) is none.
func setDeadlines(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	now := clock.System{}.Now()
	writeBy := now.Add(writeTimeout)
	if isStream(r) {
		writeBy = time.Time{} // also lifts the one of the request before on this connection
	}
	_ = control.SetWriteDeadline(writeBy)
	if r.Body == nil || r.Body == http.NoBody || isWebsocket(r) {
		return
	}
	_ = control.SetReadDeadline(now.Add(bodyTimeout)) // net/http lifts it when the body was read
}
