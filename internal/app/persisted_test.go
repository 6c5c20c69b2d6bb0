package app_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/testkit"
)

// TestPersistedQueries: a hash that the server does not know is answered as the protocol says, the text is then kept under it.
func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	i := serve(t, testkit.SQLite, nil)
	ask := func(query, hash string) string {
		body, err := json.Marshal(map[string]any{"query": query, "extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}})
		require.NoError(t, err)
		answer, err := http.Post(i.URL+"/graphql", "application/json", strings.NewReader(string(body)))
		require.NoError(t, err)
		defer func() { require.NoError(t, answer.Body.Close()) }()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	sum := sha256.Sum256([]byte("{ __typename }"))
	hash := hex.EncodeToString(sum[:])
	require.Contains(t, ask("", hash), `"code":"PERSISTED_QUERY_NOT_FOUND"`)
	require.Contains(t, ask("{ __typename }", hash), `"__typename":"Query"`)
	require.Contains(t, ask("", hash), `"__typename":"Query"`)
	require.Contains(t, ask("{ viewer { id } }", hash), `"code":"INVALID_INPUT"`, "another text under the hash")
}

// TestProduction_HasNoSandboxWithoutItsSecret: nobody books without money.
func TestProduction_HasNoSandboxWithoutItsSecret(t *testing.T) {
	t.Parallel()
	i := serve(t, testkit.SQLite, map[string]string{"ENVIRONMENT": "production", "JWT_KEYS": "k:HS256:" + strings.Repeat("q83vAg", 9), "PUBLIC_URL": "https://clinic.example"})
	require.Nil(t, i.Sandbox)
	require.Equal(t, http.StatusNotFound, get(t, i.URL+"/sandbox/checkout/cs_sandbox_x"))
}

// TestNew_AMissingFolderIsSaid in a sentence that an operator can act on.
func TestNew_AMissingFolderIsSaid(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(config.Sources{Flags: map[string]string{"ENVIRONMENT": "development", "DATABASE_URL": t.TempDir() + "/missing/caregraph.db"}})
	require.NoError(t, err)
	_, err = app.New(t.Context(), cfg, app.Options{Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), HashParams: cheap})
	require.ErrorContains(t, err, "create it, or name another file")
}
