package httpserver_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
)

func (g *rig) post(path string, form url.Values) *http.Response {
	r := request("POST", path, "Content-Type", "application/x-www-form-urlencoded")
	r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	return g.serve(r)
}

// The page behind the mailed link: opening it changes nothing, the form is answered without a script, and its policy allows nothing but itself.
func TestResetPasswordPage(t *testing.T) {
	t.Parallel()
	var got []string
	answer := error(nil)
	g := newRig(t, func(o *httpserver.Options) {
		o.ResetPassword = func(_ context.Context, token, password string) error {
			got = append(got, token+" "+password)
			return answer
		}
	})
	page := g.do("GET", "/reset-password?token=a%22%3E%3Cscript%3E")
	require.Equal(t, http.StatusOK, page.StatusCode)
	policy := page.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "form-action 'self'")
	require.NotContains(t, policy, "script-src")
	text := bodyOf(t, page)
	require.NotContains(t, text, "<script>")
	require.Contains(t, text, `value="a&#34;&gt;&lt;script&gt;"`)
	require.Empty(t, got)

	form := url.Values{"token": {"tok"}, "password": {"twelve green ladders"}, "again": {"twelve green ladders"}}
	different := url.Values{"token": {"tok"}, "password": {"twelve green ladders"}, "again": {"other"}}
	require.Contains(t, bodyOf(t, g.post("/reset-password", different)), "not the same")
	require.Empty(t, got)
	for _, tc := range []struct {
		answer error
		status int
		text   string
	}{
		{nil, http.StatusOK, "Your password is changed."},
		{fault.New(fault.Invalid, "WEAK_PASSWORD", "Too weak."), http.StatusUnprocessableEntity, `value="tok"`},
		{fault.New(fault.Invalid, "TOKEN_INVALID", ""), http.StatusNotFound, "used before"},
		{fault.ErrThrottled, http.StatusTooManyRequests, "Too many requests"},
		{errors.New("disk on fire"), http.StatusServiceUnavailable, "Try again later"},
	} {
		answer = tc.answer
		reply := g.post("/reset-password", form)
		require.Equal(t, tc.status, reply.StatusCode)
		text := bodyOf(t, reply)
		require.Contains(t, text, tc.text)
		require.NotContains(t, text, "fire")
		require.NotContains(t, text, "ladders", "a password is never shown")
	}
	require.Equal(t, "tok twelve green ladders", got[0])
	require.NotContains(t, g.log.String(), "ladders")
	require.NotContains(t, g.log.String(), "tok twelve")
	require.Equal(t, http.StatusNotFound, newRig(t).do("GET", "/reset-password?token=x").StatusCode)
}
