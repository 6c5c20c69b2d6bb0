package httpserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"

	"github.com/caregraph/caregraph/internal/fault"
)

// pageStyle is that of the pages behind mailed links.
const pageStyle = `body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;color:#1c2430;background:#f6f7f9}` +
	`main{background:#fff;border:1px solid #d8dde4;border-radius:.75rem;padding:1.5rem}h1{font-size:1.3rem;margin-top:0}` +
	`button{font:inherit;font-weight:600;width:100%;padding:.7rem;border:0;border-radius:.5rem;background:#0b6b5d;color:#fff;cursor:pointer}` +
	`button:focus-visible,input:focus-visible{outline:3px solid #7cc4b8}label{display:block;font-weight:600}` +
	`input{font:inherit;width:100%;box-sizing:border-box;padding:.6rem;margin:.3rem 0 1rem;border:1px solid #9aa5b4;border-radius:.5rem}` +
	`.problem{color:#a3261d}.hint{color:#596577;font-weight:400;font-size:.9rem}`

var verifyPage = template.Must(template.New("verify").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Confirm your e-mail address</title><style>` + pageStyle + `</style></head>
<body><main>
{{if .Outcome}}<h1>{{.Outcome}}</h1>{{else}}<h1>Confirm your e-mail address</h1>
<p>Press the button to confirm that this address is yours.</p>
<form method="post" action="/verify-email"><input type="hidden" name="token" value="{{.Token}}"><button>Confirm</button></form>{{end}}
</main></body>
</html>
`))

// pagePolicy allows such a page its style and its form, and nothing else.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}()

const maxPageBody = 4 << 10

// askToVerify shows the page of a mailed link. Opening it changes nothing: programs that look for bad links open them too.
func (s *Server) askToVerify(w http.ResponseWriter, r *http.Request) {
	renderVerify(w, http.StatusOK, "", r.URL.Query().Get("token"))
}

// verifyEmail takes the page's button.
func (s *Server) verifyEmail(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPageBody)
	if err := r.ParseForm(); err != nil {
		renderVerify(w, http.StatusBadRequest, "This form could not be read.", "")
		return
	}
	ctx := r.Context()
	err := s.options.VerifyEmail(ctx, r.PostForm.Get("token"))
	var known *fault.Error
	switch {
	case err == nil:
		renderVerify(w, http.StatusOK, "Thank you. Your e-mail address is confirmed.", "")
	case errors.As(err, &known) && known.Kind == fault.Limit:
		renderVerify(w, http.StatusTooManyRequests, known.Message, "")
	case errors.As(err, &known) && known.Kind != fault.Internal && known.Kind != fault.Unavailable:
		renderVerify(w, http.StatusNotFound, "This link is wrong, was used before or is too old.", "")
	default:
		s.options.Log.ErrorContext(ctx, "an e-mail address could not be verified", "request_id", RequestID(ctx), "error", err)
		renderVerify(w, http.StatusServiceUnavailable, "That did not work. Try again later.", "")
	}
}

func renderVerify(w http.ResponseWriter, status int, outcome, token string) {
	renderPage(w, status, verifyPage, struct{ Outcome, Token string }{outcome, token})
}

func renderPage(w http.ResponseWriter, status int, page *template.Template, data any) {
	var text bytes.Buffer
	if err := page.Execute(&text, data); err != nil { // a buffer takes every write, and the template is fixed
		panic(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes())
}
