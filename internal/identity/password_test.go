package identity_test

import (
	"context"
	"runtime"
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

// A password is checked at the same cost where there is no account, or where it is too long to be one. Memory is what these hashes take, and it can be
// measured on a busy machine.
func TestCheckCostsTheSameWithoutAccount(t *testing.T) { // alone: it looks at what the whole process allocates
	c := config(t, testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start)), &mailbox{})
	c.HashParams = &argon2id.Params{Memory: 32 * 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	s, err := identity.New(c)
	require.NoError(t, err)
	hash, err := argon2id.CreateHash(testkit.Password, c.HashParams)
	require.NoError(t, err)
	for _, tc := range []struct {
		name, password, hash string
		want                 bool
	}{
		{"right", testkit.Password, hash, true}, {"wrong", "another password", hash, false}, {"no account", testkit.Password, "", false},
		{"too long", strings.Repeat("x", 1<<20), hash, false},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		isMatch, err := s.Matches(t.Context(), tc.password, tc.hash)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.Equal(t, tc.want, isMatch, tc.name)
		assert.InEpsilon(t, 32<<20, after.TotalAlloc-before.TotalAlloc, 0.05, tc.name)
	}
}

// Hashes are bounded in number: who waits for a place gives up with the request.
func TestHashesAreBounded(t *testing.T) {
	t.Parallel()
	c := config(t, testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start)), &mailbox{})
	c.MaxHashes = 1
	c.HashParams = &argon2id.Params{Memory: 8 * 1024, Iterations: 4, Parallelism: 1, SaltLength: 16, KeyLength: 32}
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
