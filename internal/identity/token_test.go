package identity_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

func withKeys(t *testing.T, text string) func(c *identity.Config) {
	t.Helper()
	keys, err := identity.ParseKeys(text)
	require.NoError(t, err)
	return func(c *identity.Config) { c.Keys = keys }
}

func TestTokenClaims(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		result := c.signIn(t, u)
		claims := jwt.MapClaims{}
		token, _, err := jwt.NewParser().ParseUnverified(result.Token, claims)
		require.NoError(t, err)
		assert.Equal(t, "new", token.Header["kid"])
		assert.Equal(t, "EdDSA", token.Header["alg"])
		assert.Equal(t, u.ID.String(), claims["sub"])
		assert.Equal(t, result.Session.ID.String(), claims["sid"])
		assert.Equal(t, []any{"NURSE"}, claims["roles"])
		assert.Equal(t, "caregraph", claims["iss"])
		assert.Equal(t, []any{"caregraph-api"}, claims["aud"])
		assert.EqualValues(t, testkit.Start.Unix(), claims["iat"])
		assert.EqualValues(t, testkit.Start.Add(24*time.Hour).Unix(), claims["exp"])
		assert.NoError(t, uuid.Validate(claims["jti"].(string)))
		assert.NotEqual(t, result.Token, c.signIn(t, u).Token)
	})
}

// Keys rotate without signing anyone out: the newest signs, all verify, and a key that is taken out ends its tokens.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		before := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Token
		_, err := instance(t, c.db, withKeys(t, newKey+","+oldKey)).Authenticate(t.Context(), before)
		require.NoError(t, err, "an old token under a new first key")
		_, err = instance(t, c.db, withKeys(t, newKey)).Authenticate(t.Context(), before)
		requireFault(t, err, "UNAUTHENTICATED")
	}, func(c *identity.Config) { c.Keys, _ = identity.ParseKeys(oldKey) })
}

func TestForgedTokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		result, other := c.signIn(t, u), testkit.User(t, c.db, access.Admin)
		private := ed25519.NewKeyFromSeed([]byte("the seed of some new private key"))
		secret := []byte("an old key of thirty-two letters")
		make := func(method jwt.SigningMethod, key any, kid any, change func(jwt.MapClaims)) string {
			claims := jwt.MapClaims{
				"sub": u.ID.String(), "sid": result.Session.ID.String(), "iss": "caregraph", "aud": "caregraph-api", "exp": testkit.Start.Add(time.Hour).Unix(),
			}
			if change != nil {
				change(claims)
			}
			token := jwt.NewWithClaims(method, claims)
			token.Header["kid"] = kid
			signed, err := token.SignedString(key)
			require.NoError(t, err)
			return signed
		}
		good := make(jwt.SigningMethodEdDSA, private, "new", nil)
		_, err := c.Authenticate(t.Context(), good)
		require.NoError(t, err, "what the forgeries differ from")

		for name, token := range map[string]string{
			"empty":   "",
			"garbage": "a.b.c",
			"alg confusion: HS256 by the public key of an EdDSA key": make(jwt.SigningMethodHS256, []byte(private.Public().(ed25519.PublicKey)), "new", nil),
			"alg confusion: HS256 by the secret of another key":      make(jwt.SigningMethodHS256, secret, "new", nil),
			"alg confusion: EdDSA under the id of an HS256 key":      make(jwt.SigningMethodEdDSA, private, "old", nil),
			"alg none":           make(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "new", nil),
			"HS512 of the key":   make(jwt.SigningMethodHS512, secret, "old", nil),
			"unknown key":        make(jwt.SigningMethodEdDSA, private, "none", nil),
			"no key":             make(jwt.SigningMethodEdDSA, private, nil, nil),
			"another signature":  make(jwt.SigningMethodEdDSA, ed25519.NewKeyFromSeed(secret), "new", nil),
			"changed":            good[:len(good)-6] + "AAAAAA",
			"another issuer":     make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { m["iss"] = "else" }),
			"another audience":   make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { m["aud"] = "else" }),
			"no end":             make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { delete(m, "exp") }),
			"no user":            make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { delete(m, "sub") }),
			"longer than 4 KiB":  make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { m["jti"] = strings.Repeat("x", 4096) }),
			"with the word":      "Bearer " + good,
			"two tokens in one":  good + "." + good,
			"session is no uuid": make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { m["sid"] = "7" }),
		} {
			_, err := c.Authenticate(t.Context(), token)
			assert.ErrorIs(t, err, fault.ErrUnauthenticated, name)
		}
		for name, token := range map[string]string{
			"over":              make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { m["exp"] = testkit.Start.Unix() }),
			"of nobody's":       make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { m["sid"] = uuid.NewString() }),
			"of somebody else":  make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { m["sub"] = other.ID.String() }),
			"without a session": make(jwt.SigningMethodEdDSA, private, "new", func(m jwt.MapClaims) { delete(m, "sid") }),
		} {
			_, err := c.Authenticate(t.Context(), token)
			assert.ErrorIs(t, err, identity.ErrSessionExpired, name)
		}
	})
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	b64 := func(n int) string { return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xfb", n))) }
	pair := base64.RawURLEncoding.EncodeToString(ed25519.NewKeyFromSeed([]byte("the seed of some new private key")))
	for text, isGood := range map[string]bool{
		"a:HS256:" + b64(32): true, "a:HS256:" + b64(31): false, "a:HS256:" + b64(64): true,
		"a:EdDSA:" + b64(32): true, "a:EdDSA:" + b64(31): false, "a:EdDSA:" + b64(33): false, "a:EdDSA:" + b64(64): false, "a:EdDSA:" + pair: true,
		"a:HS256:" + strings.NewReplacer("+", "-", "=", "").Replace(b64(32)): true,
		"a.b-c_1:HS256:" + b64(32) + ", b:EdDSA:" + b64(32):                  true,
		"a:HS256:" + b64(32) + ",a:EdDSA:" + b64(32):                         false,
		"": false, "a": false, "a:HS256": false, ":HS256:" + b64(32): false, "a b:HS256:" + b64(32): false, "a:none:" + b64(32): false,
		"a:hs256:" + b64(32): false, "a:RS256:" + b64(32): false, "a:HS256:***": false, "a:HS256:" + b64(32) + ",": false, "a:HS256:" + b64(32) + ":x": false,
	} {
		_, err := identity.ParseKeys(text)
		assert.Equal(t, isGood, err == nil, "%s: %v", text, err)
		if err != nil {
			assert.NotContains(t, err.Error(), b64(12), "an error shows nothing of a key")
		}
	}
}
