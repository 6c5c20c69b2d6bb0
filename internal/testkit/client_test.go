package testkit_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/testkit"
)

// answering starts a server that answers every operation with the text, or signs in when asked to.
func answering(t *testing.T, status int, answer string) *testkit.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var sent struct{ Query string }
		_ = json.Unmarshal(body, &sent)
		w.Header().Set("X-Path", r.URL.Path)
		w.Header().Set("X-Authorization", r.Header.Get("Authorization"))
		w.WriteHeader(status)
		if strings.Contains(sent.Query, "login") {
			answer = `{"data": {"login": {"accessToken": "secret", "userErrors": []}}}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return testkit.NewClient(t, server.URL)
}

func TestClientReadsData(t *testing.T) {
	t.Parallel()
	r := answering(t, 200, `{"data": {"a": {"list": [{"n": 7, "id": "x"}], "none": null, "yes": true, "userErrors": []}}}`).Do(t, "query", nil).NoErrors(t)
	assert.Equal(t, 200, r.Status)
	assert.Equal(t, "/graphql", r.Header.Get("X-Path"))
	assert.Equal(t, "x", r.Text("a.list.0.id"))
	assert.Equal(t, 7, r.Int("a.list.0.n"))
	assert.Equal(t, 1, r.Len("a.list"))
	assert.Equal(t, true, r.Get("a.yes"))
	for _, path := range []string{"b", "a.none", "a.list.1.id", "a.list.x", "a.yes.no"} {
		assert.Nil(t, r.Get(path), path)
		assert.Empty(t, r.Text(path), path)
	}
	assert.Empty(t, r.Code())
}

func TestClientReadsErrors(t *testing.T) {
	t.Parallel()
	r := answering(t, 429, `{"data": null, "errors": [{"message": "Later.", "path": ["a", 0], "extensions": {"code": "THROTTLED"}}]}`).Do(t, "query", nil)
	assert.Equal(t, 429, r.Status)
	require.Len(t, r.Errors, 1)
	assert.Equal(t, "THROTTLED", r.Code())
	assert.Equal(t, "Later.", r.Errors[0].Message)

	r = answering(t, 200, `{"data": {"bookAppointment": {"userErrors": [{"code": "SLOT_TAKEN"}]}}}`).Do(t, "mutation", nil)
	assert.Equal(t, "SLOT_TAKEN", r.Code())

	r = answering(t, 502, "<html>").Do(t, "query", nil)
	assert.Nil(t, r.Data)
	assert.Equal(t, "<html>", string(r.Body))
}

func TestClientSignsIn(t *testing.T) {
	t.Parallel()
	anonymous := answering(t, 200, `{"data": {}}`)
	client := anonymous.SignIn(t, "robin@caregraph.test", testkit.Password)
	assert.Equal(t, "Bearer secret", client.Do(t, "query", nil).Header.Get("X-Authorization"))
	assert.Empty(t, anonymous.Do(t, "query", nil).Header.Get("X-Authorization"), "the first client stays as it was")
	assert.Empty(t, client.WithToken("").Do(t, "query", nil).Header.Get("X-Authorization"))
}
