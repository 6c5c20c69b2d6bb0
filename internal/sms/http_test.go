package sms

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var message = Message{ID: "1", To: "+61412345678", Text: "Test Clinic: your appointment"}

// answering is a sender of a service that answers so.
func answering(t *testing.T, status int, body string, see func(*http.Request)) Sender {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if see != nil {
			see(r)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	s, err := FromURL(strings.Replace(server.URL, "http://", "http://AC1:token@", 1) + "/Accounts/AC1/Messages.json?from=%2B61400000000")
	require.NoError(t, err)
	return s
}

func TestSend_PostsTheForm(t *testing.T) {
	t.Parallel()
	var got url.Values
	var user, password, path string
	s := answering(t, http.StatusCreated, `{"sid":"SM1"}`, func(r *http.Request) {
		_ = r.ParseForm()
		got, path = r.PostForm, r.URL.String()
		user, password, _ = r.BasicAuth()
	})
	answer, err := s.Send(t.Context(), message)
	require.NoError(t, err)
	require.Equal(t, "201 SM1", answer)
	require.Equal(t, url.Values{"To": {message.To}, "From": {"+61400000000"}, "Body": {message.Text}}, got)
	require.Equal(t, []string{"AC1", "token", "/Accounts/AC1/Messages.json"}, []string{user, password, path})
}

func TestSend_WhichFailuresAreFinal(t *testing.T) {
	t.Parallel()
	for status, final := range map[int]bool{400: true, 404: true, 401: false, 408: false, 429: false, 500: false, 503: false, 302: false} {
		_, err := answering(t, status, `{"code":21211,"message":"+61412345678 is no number"}`, nil).Send(t.Context(), message)
		require.Error(t, err)
		require.Equal(t, final, IsPermanent(err), status)
		require.NotContains(t, err.Error(), "412345678")
	}
	gone, err := FromURL("http://AC1:token@127.0.0.1:1/x?from=1")
	require.NoError(t, err)
	_, err = gone.Send(t.Context(), message)
	require.Error(t, err)
	require.False(t, IsPermanent(err))
	require.NotContains(t, err.Error()+errors.Unwrap(err).Error(), "token")
}

func TestFromURL_Refuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "https://host/x?from=1", "https://a:b@host/x", "://"} {
		_, err := FromURL(text)
		require.Error(t, err, text)
	}
}

func TestLog_ShowsNeitherTextNorNumber(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_, err := Log{slog.New(slog.NewTextHandler(&out, nil))}.Send(t.Context(), message)
	require.ErrorIs(t, err, ErrKept)
	require.Contains(t, out.String(), "…678")
	require.NotContains(t, out.String(), "12345678")
	require.NotContains(t, out.String(), "appointment")
	require.Equal(t, "…", Masked("123"))
}
