package process_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/process"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestKilledServerComesBack on the same address, with what was committed and with its sessions. It is a long test: it links the program.
func TestKilledServerComesBack(t *testing.T) {
	testkit.Long(t)
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			url := testkit.URL(t, engine)
			user := testkit.User(t, testkit.OpenURL(t, store.Config{URL: url}, clock.System{}), access.Biller)
			server := process.Start(t, url, nil)
			client := testkit.NewClient(t, server.URL).SignIn(t, user.Email, testkit.Password)
			address := server.URL

			server.Kill()
			_, err := http.Get(address + "/readyz")
			require.Error(t, err)
			t.Logf("back after %s", server.Restart(t))
			require.Equal(t, address, server.URL)
			require.Equal(t, user.Email, client.Do(t, `{ viewer { email } }`, nil).NoErrors(t).Text("viewer.email"))
			require.Contains(t, server.Log(), strings.TrimPrefix(address, "http://"))

			require.NoError(t, server.Stop())
			server.Kill()
			server.Restart(t)
			require.Equal(t, user.Email, client.Do(t, `{ viewer { email } }`, nil).NoErrors(t).Text("viewer.email"))
		})
	}
}
