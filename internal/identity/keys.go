package identity

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Keys sign and verify access tokens.
type Keys struct {
	signing *key
	byID    map[string]*key
}

// key has its algorithm with it: a token cannot choose another.
type key struct {
	id           string
	method       jwt.SigningMethod
	sign, verify any
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

const minSecret = 32 // bytes of an HS256 key

// ParseKeys reads "kid:alg:key,kid2:alg:key", the newest first: it signs, and all verify. alg is EdDSA, with the 32 bytes of a private key's seed
// or all 64 of it, or HS256, with at least 32 bytes; keys are in base64. Errors show nothing of a key.
func ParseKeys(text string) (Keys, error) {
	keys := Keys{byID: map[string]*key{}}
	for i, entry := range strings.Split(text, ",") {
		k, err := parseKey(strings.TrimSpace(entry))
		if err == nil && keys.byID[k.id] != nil {
			err = errors.New("its id is that of another one")
		}
		if err != nil {
			return Keys{}, fmt.Errorf("key %d: %w", i+1, err)
		}
		if keys.signing == nil {
			keys.signing = k
		}
		keys.byID[k.id] = k
	}
	return keys, nil
}

func parseKey(entry string) (*key, error) {
	parts := strings.Split(entry, ":")
	if len(parts) != 3 {
		return nil, errors.New("the form is id:algorithm:key")
	}
	if !keyID.MatchString(parts[0]) {
		return nil, errors.New("an id has 1 to 64 letters, digits, dots, hyphens and underscores")
	}
	// Both alphabets of base64, with and without padding.
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(parts[2]), "=")
	secret, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, errors.New("the key is not base64")
	}
	switch parts[1] {
	case jwt.SigningMethodHS256.Alg():
		if len(secret) < minSecret {
			return nil, fmt.Errorf("an HS256 key has at least %d bytes", minSecret)
		}
		return &key{id: parts[0], method: jwt.SigningMethodHS256, sign: secret, verify: secret}, nil
	case jwt.SigningMethodEdDSA.Alg():
		private, err := privateKey(secret)
		if err != nil {
			return nil, err
		}
		return &key{id: parts[0], method: jwt.SigningMethodEdDSA, sign: private, verify: private.Public()}, nil
	default:
		return nil, errors.New("the algorithm is EdDSA or HS256")
	}
}

func privateKey(secret []byte) (ed25519.PrivateKey, error) {
	if len(secret) != ed25519.SeedSize && len(secret) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("an EdDSA key has %d or %d bytes", ed25519.SeedSize, ed25519.PrivateKeySize)
	}
	private := ed25519.NewKeyFromSeed(secret[:ed25519.SeedSize])
	if len(secret) == ed25519.PrivateKeySize && !private.Equal(ed25519.PrivateKey(secret)) {
		return nil, errors.New("the halves of the EdDSA key do not belong together")
	}
	return private, nil
}
