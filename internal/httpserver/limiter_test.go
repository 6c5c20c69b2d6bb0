package httpserver

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
)

func TestLimiter_MemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(1, clock.NewFake(time.Unix(0, 0)))
	for n := range uint32(maxCallers + 1000) {
		var address [4]byte
		binary.BigEndian.PutUint32(address[:], n)
		_, ok := l.admit(caller{network: netip.PrefixFrom(netip.AddrFrom4(address), 32)})
		require.True(t, ok)
	}
	require.Equal(t, maxCallers, l.callers.Len())
}

// A clock may stand anywhere, also before 1970.
func TestLimiter_AnyTime(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	l := newLimiter(1, clk)
	for range 200 {
		for range anonymousShare {
			_, ok := l.admit(caller{})
			require.True(t, ok)
		}
		wait, ok := l.admit(caller{})
		require.False(t, ok)
		clk.Advance(wait)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := newLimiter(1<<30, clock.NewFake(time.Unix(0, 0)))
	for b.Loop() {
		l.admit(caller{})
	}
}
