package stripe

import (
	"bytes"
	_ "embed" // the page
	"html/template"
	"log/slog"
	"net/http"

	"github.com/caregraph/caregraph/internal/payment/page"
)

const (
	paidPath      = "/stripe/paid"
	cancelledPath = "/stripe/cancelled"
	stylePath     = "/stripe/style.css"

	// policy lets the page load its style; nothing else.
	policy = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

var (
	//go:embed page.html
	pageText string

	document = template.Must(template.New("page").Parse(pageText))
)

// Handler serves the pages to which Stripe sends payers back, all below /stripe/. They tell nothing of any order: whoever knows the address may open them, and
// only the webhook books.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+paidPath, p.serve(true))
	mux.HandleFunc("GET "+cancelledPath, p.serve(false))
	mux.HandleFunc("GET "+stylePath, page.ServeStyle)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

func (p *Provider) serve(isPaid bool) http.HandlerFunc {
	var body bytes.Buffer
	err := document.Execute(&body, struct {
		IsPaid              bool
		StyleHref, Practice string
	}{isPaid, "style.css" + page.StyleQuery, p.practice})
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			p.log.ErrorContext(r.Context(), "the page after a payment cannot be written", slog.Any("error", err))
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body.Bytes())
	}
}
