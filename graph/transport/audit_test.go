package transport

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const auditScript = `import { serverAudits } from 'graphql-http';
const results = [];
for (const audit of serverAudits({ url: process.argv[2] })) {
  const result = await audit.fn();
  results.push({ id: result.id, name: result.name, status: result.status, reason: result.reason ?? '' });
}
console.log(JSON.stringify(results));
`

// The audits of the npm package graphql-http find no error and no warning. MAY audits report notices; none of those
// either.
func TestGraphQLOverHTTPAudits(t *testing.T) {
	if os.Getenv("CAREGRAPH_LONG") != "1" {
		t.Skip("the graphql-http audits need npm: set CAREGRAPH_LONG=1")
	}
	dir := t.TempDir()
	run := func(name string, args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err, string(out))
		return out
	}
	run("npm", "install", "--no-audit", "--no-fund", "graphql-http", "graphql@16")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "audit.mjs"), []byte(auditScript), 0o600))
	var results []struct{ ID, Name, Status, Reason string }
	require.NoError(t, json.Unmarshal(run("node", "audit.mjs", newServer(t).URL+"/graphql"), &results))
	require.Greater(t, len(results), 50)
	counts := map[string]int{}
	for _, result := range results {
		counts[result.Status]++
		if result.Status != "ok" {
			t.Errorf("%s %s: %s: %s", result.ID, result.Status, result.Name, result.Reason)
		}
	}
	t.Log(counts)
}
