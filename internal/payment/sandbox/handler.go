package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/payment/page"
)

const (
	pagePath  = "/sandbox/checkout/"
	stylePath = "/sandbox/style.css"
	maxForm   = 4 << 10

	scriptPath = "/sandbox/countdown.js"

	// policy lets the page load its style and the script that counts down, and post to itself; nothing else.
	policy = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// refForm is what New makes refs of; other texts are not looked up.
var refForm = regexp.MustCompile(`^` + refPrefix + `[a-z2-7]{26}$`)

// Handler serves the checkout pages and their style, all below /sandbox/. Who knows the address of a checkout may pay it. A form that is sent
// from another site is refused.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pagePath+"{ref}", p.withCheckout(p.show))
	mux.HandleFunc("POST "+pagePath+"{ref}", p.withCheckout(p.act))
	mux.HandleFunc("GET "+stylePath, page.ServeStyle)
	mux.HandleFunc("GET "+scriptPath, serveScript)
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.render(w, r, http.StatusForbidden, view{State: stateRefused})
	}))
	guarded := sameOrigin.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		// The address goes to no other site. "no-referrer" would also make browsers send "Origin: null" with the form, and over plain
		// HTTP, where they send no Sec-Fetch-Site, its origin is all that tells it from a foreign one.
		h.Set("Referrer-Policy", "same-origin")
		guarded.ServeHTTP(w, r)
	})
}

// withCheckout finds the checkout that the path names and lets the provider act.
func (p *Provider) withCheckout(next func(http.ResponseWriter, *http.Request, *ent.SandboxCheckout)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := asProvider(r.Context())
		r = r.WithContext(ctx)
		ref := r.PathValue("ref")
		if !refForm.MatchString(ref) {
			p.render(w, r, http.StatusNotFound, view{State: stateUnknown})
			return
		}
		row, err := p.find(ctx, sandboxcheckout.Ref(ref))
		switch {
		case errors.Is(err, errUnknown):
			p.render(w, r, http.StatusNotFound, view{State: stateUnknown})
		case err != nil:
			p.fail(w, r, err)
		default:
			next(w, r, row)
		}
	}
}

// show answers with where the checkout stands, and delivers what has not been accepted yet.
func (p *Provider) show(w http.ResponseWriter, r *http.Request, row *ent.SandboxCheckout) {
	v := p.viewOf(row)
	v.IsDeclined = v.State == stateOpen && r.URL.Query().Get("outcome") == "declined"
	v.IsUntold = !p.announce(r.Context(), history(row)...)
	p.render(w, r, http.StatusOK, v)
}

// act does what the payer chose and sends the browser back to the page, which tells the outcome, whoever brought it about.
func (p *Provider) act(w http.ResponseWriter, r *http.Request, row *ent.SandboxCheckout) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	outcome, err := "", error(nil)
	switch action := r.PostFormValue("action"); action {
	case "pay":
		err = p.settle(r.Context(), row, sandboxcheckout.StatusPAID)
	case "cancel":
		err = p.settle(r.Context(), row, sandboxcheckout.StatusCANCELLED)
	case "decline":
		outcome = p.decline(r.Context(), row)
	default:
		p.render(w, r, http.StatusBadRequest, view{State: stateRefused})
		return
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	w.Header().Set("Location", row.Ref+outcome) // relative: right under any host and prefix
	w.WriteHeader(http.StatusSeeOther)
}

// decline tells of a declined attempt; the checkout stays open.
func (p *Provider) decline(ctx context.Context, row *ent.SandboxCheckout) (outcome string) {
	if p.stateOf(row) != stateOpen {
		return ""
	}
	p.announce(ctx, declinedEvent(row))
	return "?outcome=declined"
}

func (p *Provider) fail(w http.ResponseWriter, r *http.Request, err error) {
	p.log.ErrorContext(r.Context(), "the sandbox's page failed", slog.Any("error", err))
	p.render(w, r, http.StatusServiceUnavailable, view{State: stateUnavailable})
}
