package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Reads from before an outage are all told after it, each once, whatever the network did to the commits.
func TestFlushThroughOutage(t *testing.T) {
	t.Parallel()
	if !slices.Contains(testkit.Engines(), testkit.Postgres) {
		t.Skip("an outage of the network needs PostgreSQL")
	}
	clk := clock.NewFake(testkit.Start)
	proxy, through := testkit.NewProxy(t, testkit.URL(t, testkit.Postgres))
	w := newWard(t, testkit.OpenURL(t, store.Config{URL: through}, clk), Options{})
	const reads = 20
	for i := range reads {
		require.NoError(t, w.read())
		if i%5 == 4 {
			proxy.Reset()
			require.Error(t, w.Flush(t.Context()))
			proxy.Normal()
			require.Eventually(t, func() bool { return w.Flush(t.Context()) == nil }, 20*time.Second, 10*time.Millisecond)
		}
	}
	require.Equal(t, reads, w.written())
}
