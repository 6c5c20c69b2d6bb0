package httpserver_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
)

func ready(check func() error) func(*httpserver.Options) {
	return func(o *httpserver.Options) { o.Ready = check }
}

func TestReadyz(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		check func() error
		code  string
	}{
		"a coded reason":    {func() error { return fault.New(fault.Unavailable, "MIGRATING", "secret text") }, "MIGRATING"},
		"an unknown reason": {func() error { return errors.New("dial tcp 10.0.0.1:5432: secret text") }, "UNAVAILABLE"},
		"a panic":           {func() error { panic("secret text") }, "UNAVAILABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, ready(tc.check))
			for range 2 {
				got := g.do("GET", "/readyz")
				require.Equal(t, 503, got.StatusCode)
				require.Equal(t, "application/json", got.Header.Get("Content-Type"))
				require.JSONEq(t, `{"status":"unavailable","code":"`+tc.code+`"}`, bodyOf(t, got))
			}
			require.Equal(t, 200, g.do("GET", "/healthz").StatusCode)
		})
	}
}

func TestReadyz_WithinASecondWhileTheCheckHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		release := make(chan struct{})
		g := newRig(t, ready(func() error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			<-release
			return nil
		}))
		for range 5 {
			asked := time.Now() //nolint:forbidigo // the bubble's time
			got := g.do("GET", "/readyz")
			require.Equal(t, 503, got.StatusCode)
			require.Less(t, time.Since(asked), time.Second) //nolint:forbidigo // the bubble's time
		}
		require.EqualValues(t, 1, most.Load(), "one check hangs, not one per question")
		close(release)
		synctest.Wait()
		require.Equal(t, 200, g.do("GET", "/readyz").StatusCode, "and it recovers")
	})
}
