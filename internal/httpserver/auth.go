package httpserver

import (
	"net/http"
	"strings"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

var errForgery = fault.ErrForbidden.Says("Requests with a session cookie come from this site or an origin that it trusts.")

// credential is the token that a request carries.
type credential struct {
	token    string
	isGiven  bool
	isCookie bool
}

// credentialOf finds the token: in the Authorization header, else in the cookie. A websocket sends its token in connection_init, so
// its header does not count; other schemes than Bearer are not for us but for a proxy.
func credentialOf(r *http.Request) credential {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && !isWebsocket(r) {
		return credential{token: strings.TrimSpace(token), isGiven: true}
	}
	if cookie, err := r.Cookie(SessionCookie); err == nil && cookie.Value != "" {
		return credential{token: cookie.Value, isGiven: true, isCookie: true}
	}
	return credential{}
}

// signIn finds out who asks. A token that is not good, and a database that is away, leave nobody signed in: the handler decides what
// that means for what was asked.
func (s *Server) signIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := credentialOf(r)
		if s.isForged(r, sent) {
			writeError(w, r, http.StatusForbidden, errForgery)
			return
		}
		ctx := r.Context()
		switch {
		case !sent.isGiven:
		case sent.token == "":
			ctx = access.WithFailure(ctx, fault.ErrUnauthenticated)
		default:
			viewer, err := s.options.Authenticate(ctx, sent.token)
			if err == nil && viewer == nil {
				err = fault.ErrUnauthenticated
			}
			if err != nil {
				ctx = access.WithFailure(ctx, err)
				break
			}
			callOf(ctx).viewer = viewer
			ctx = access.As(ctx, viewer)
		}
		next.ServeHTTP(w, r.WithContext(access.WithHolder(ctx)))
	})
}

// isForged tells whether another site's page made this request with the visitor's cookie. Browsers send a cookie along with
// websockets and event streams too, which are GETs, so a GET that names its origin is checked as if it changed something. A websocket
// is checked even without a cookie: its origin has to be one of ours.
func (s *Server) isForged(r *http.Request, sent credential) bool {
	if !sent.isCookie && !isWebsocket(r) {
		return false
	}
	checked := r
	if isStream(r) || r.Header.Get("Origin") != "" {
		asWrite := *r
		asWrite.Method = http.MethodPost
		checked = &asWrite
	}
	return s.forgery.Check(checked) != nil
}
