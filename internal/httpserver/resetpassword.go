package httpserver

import (
	"errors"
	"html/template"
	"net/http"

	"github.com/caregraph/caregraph/internal/fault"
)

var resetPage = template.Must(template.New("reset").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Choose a new password</title><style>` + pageStyle + `</style></head>
<body><main>
{{if .Outcome}}<h1>{{.Outcome}}</h1>{{else}}<h1>Choose a new password</h1>
{{with .Problem}}<p class="problem" role="alert">{{.}}</p>{{end}}
<form method="post" action="/reset-password"><input type="hidden" name="token" value="{{.Token}}">
<label for="password">New password <span class="hint">at least 10 characters</span></label>
<input id="password" name="password" type="password" autocomplete="new-password" required minlength="10">
<label for="again">The same once more</label>
<input id="again" name="again" type="password" autocomplete="new-password" required>
<button>Set the password</button></form>
<p class="hint">You will be signed out everywhere.</p>{{end}}
</main></body>
</html>
`))

// resetView is what the page shows: an outcome, or the form with what was wrong with it.
type resetView struct{ Outcome, Problem, Token string }

// askForPassword shows the page of a mailed link. Opening it changes nothing.
func (s *Server) askForPassword(w http.ResponseWriter, r *http.Request) {
	renderPage(w, http.StatusOK, resetPage, resetView{Token: r.URL.Query().Get("token")})
}

// resetPassword takes the page's form.
func (s *Server) resetPassword(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPageBody)
	if err := r.ParseForm(); err != nil {
		renderPage(w, http.StatusBadRequest, resetPage, resetView{Outcome: "This form could not be read."})
		return
	}
	token, password := r.PostForm.Get("token"), r.PostForm.Get("password")
	if password != r.PostForm.Get("again") {
		renderPage(w, http.StatusUnprocessableEntity, resetPage, resetView{Token: token, Problem: "The two passwords are not the same."})
		return
	}
	ctx := r.Context()
	err := s.options.ResetPassword(ctx, token, password)
	var known *fault.Error
	switch {
	case err == nil:
		renderPage(w, http.StatusOK, resetPage, resetView{Outcome: "Your password is changed. Sign in with the new one."})
	case errors.As(err, &known) && known.Code == "WEAK_PASSWORD":
		renderPage(w, http.StatusUnprocessableEntity, resetPage, resetView{Token: token, Problem: known.Message})
	case errors.As(err, &known) && known.Kind == fault.Limit:
		renderPage(w, http.StatusTooManyRequests, resetPage, resetView{Outcome: known.Message})
	case errors.As(err, &known) && known.Kind != fault.Internal && known.Kind != fault.Unavailable:
		renderPage(w, http.StatusNotFound, resetPage, resetView{Outcome: "This link is wrong, was used before or is too old. Ask for a new one."})
	default:
		s.options.Log.ErrorContext(ctx, "a password could not be reset", "request_id", RequestID(ctx), "error", err)
		renderPage(w, http.StatusServiceUnavailable, resetPage, resetView{Outcome: "That did not work. Try again later."})
	}
}
