package httpserver

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/jub0bs/cors"
)

// secure sets the headers that every answer carries. Handlers of pages replace the policy by their own.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		if callOf(r.Context()).secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// exceptStreams compresses answers, but not those that go out piece by piece: compression would hold the pieces back.
func exceptStreams(compress func(http.Handler) http.HandlerFunc, next http.Handler) http.Handler {
	compressed := compress(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isStream(r) {
			next.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	})
}

// newCORS returns the middleware that lets pages of the origins read our answers, cookies included. It refuses unsafe origins.
func newCORS(origins []string) (func(http.Handler) http.Handler, error) {
	if len(origins) == 0 {
		return func(next http.Handler) http.Handler { return next }, nil
	}
	m, err := cors.NewMiddleware(cors.Config{
		Origins:      origins,
		Credentialed: true,
		Methods:      []string{http.MethodGet, http.MethodPost, http.MethodPut},
		RequestHeaders: []string{
			"Authorization", "Content-Type", "X-Caregraph-Client", "X-Caregraph-Background", "Apollo-Require-Preflight",
			"X-Requested-With", "Idempotency-Key", "Last-Event-ID",
		},
		ResponseHeaders: []string{"Retry-After", "X-Request-Id"},
		MaxAgeInSeconds: 600,
	})
	if err != nil {
		return nil, fmt.Errorf("CORS_ORIGINS: %w", err)
	}
	return m.Wrap, nil
}

// newForgeryProtection returns the check of requests that carry a cookie. It knows exact origins only, so patterns are refused.
func newForgeryProtection(origins []string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if strings.Contains(origin, "*") {
			return nil, fmt.Errorf("CORS_ORIGINS: %q is a pattern; name each origin", origin)
		}
		if err := p.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORS_ORIGINS: %w", err)
		}
	}
	return p, nil
}
