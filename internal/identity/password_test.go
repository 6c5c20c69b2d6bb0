package identity_test

import (
	"context"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for password, isGood := range map[string]bool{
		"":                              false,
		"nine char":                     false,
		"ten chars!":                    true,
		"zehn Bäume":                    true,  // 10 characters in 11 bytes
		"ééééééééé":                     false, // 9 characters in 18 bytes
		strings.Repeat("ab", 512):       true,
		strings.Repeat("ab", 512) + "c": false, // 1,025 bytes
		"password123":                   false,
		"PassWord123":                   false,
		"qwertyuiop":                    false,
		"1234567890":                    false,
		"ada.lovelace@clinic.example":   false,
		"Ada.Lovelace@Clinic.Example":   false,
		"ada.lovelace":                  false,
		"ada.lovelace 1815":             true,
	} {
		err := identity.CheckPassword(password, "ada.lovelace@clinic.example")
		if isGood {
			assert.NoError(t, err, password)
		} else {
			assert.ErrorIs(t, err, identity.ErrWeakPassword, password)
		}
	}
}

// The product's own parameters are those of the specification's Argon2id with 19 MiB.
func TestHashParams(t *testing.T) {
	t.Parallel()
	assert.Equal(t, argon2id.Params{Memory: 19456, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}, *identity.HashParams)
}

// A password is checked as slowly where there is no account, or where it is too long to be one.
func TestCheckTakesAsLongWithoutAccount(t *testing.T) { // alone, because it looks at the clock on the wall
	c := config(t, testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start)), &mailbox{})
	c.HashParams = &argon2id.Params{Memory: 8 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	s, err := identity.New(c)
	require.NoError(t, err)
	hash, err := argon2id.CreateHash(testkit.Password, c.HashParams)
	require.NoError(t, err)
	fastest := func(password, hash string, want bool) time.Duration {
		best := time.Duration(math.MaxInt64)
		for range 8 {
			started := clock.System{}.Now()
			isMatch, err := s.Matches(t.Context(), password, hash)
			best = min(best, clock.System{}.Now().Sub(started))
			require.NoError(t, err)
			require.Equal(t, want, isMatch)
		}
		return best
	}
	right := fastest(testkit.Password, hash, true)
	for name, took := range map[string]time.Duration{
		"wrong": fastest("another password", hash, false), "no account": fastest(testkit.Password, "", false),
		"too long": fastest(strings.Repeat("x", 1<<20), hash, false),
	} {
		assert.Less(t, took, 3*right, name)
		assert.Greater(t, 3*took, right, name)
	}
}

// Hashes are bounded in number: who waits for a place gives up with the request.
func TestHashesAreBounded(t *testing.T) {
	t.Parallel()
	c := config(t, testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start)), &mailbox{})
	c.MaxHashes = 1
	c.HashParams = &argon2id.Params{Memory: 64 * 1024, Iterations: 8, Parallelism: 1, SaltLength: 16, KeyLength: 32} // long enough to be met at work
	s, err := identity.New(c)
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		_, err := s.Matches(t.Context(), "some password", "")
		assert.NoError(t, err)
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Eventually(t, func() bool {
		_, err := s.Matches(ctx, "some password", "")
		return err != nil && assert.ErrorIs(t, err, fault.ErrTimeout)
	}, 10*time.Second, time.Millisecond)
	running.Wait()
}
