package identity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/secondfactor"
	"github.com/caregraph/caregraph/internal/access"
)

// TotpKeys encrypt the secrets of second factors where they are stored. Without any there are no second factors.
type TotpKeys struct{ keys []totpKey }

type totpKey struct {
	id   string // says which key it is, and nothing of the key
	aead cipher.AEAD
}

const minTotpKey = 32 // characters

// ParseTotpKeys reads random texts, separated by commas, the newest first: it encrypts, and all decrypt. Errors show nothing of a key.
func ParseTotpKeys(text string) (keys TotpKeys, err error) {
	if text == "" {
		return TotpKeys{}, nil
	}
	for i, part := range strings.Split(text, ",") {
		secret := strings.TrimSpace(part)
		if len(secret) < minTotpKey {
			return TotpKeys{}, fmt.Errorf("key %d has less than %d characters", i+1, minTotpKey)
		}
		key, err := newTotpKey(secret)
		if err != nil {
			return TotpKeys{}, err
		}
		keys.keys = append(keys.keys, key)
	}
	return keys, nil
}

func newTotpKey(secret string) (totpKey, error) {
	sealing, err := hkdf.Key(sha256.New, []byte(secret), nil, "caregraph totp", 32)
	if err != nil {
		return totpKey{}, err
	}
	name, err := hkdf.Key(sha256.New, []byte(secret), nil, "caregraph totp key id", 8)
	if err != nil {
		return totpKey{}, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return totpKey{}, err
	}
	aead, err := cipher.NewGCM(block)
	return totpKey{id: hex.EncodeToString(name), aead: aead}, err
}

// seal encrypts a secret for its owner: in another user's row it cannot be read.
func (k TotpKeys) seal(owner uuid.UUID, secret string) (sealed, keyID string) {
	key := k.keys[0]
	nonce := make([]byte, key.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand crashes the program instead
	return base64.RawStdEncoding.EncodeToString(key.aead.Seal(nonce, nonce, []byte(secret), owner[:])), key.id
}

var errSealed = errors.New("identity: the secret of a second factor cannot be decrypted: TOTP_KEYS lacks its key")

func (k TotpKeys) open(owner uuid.UUID, sealed, keyID string) (string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", errSealed
	}
	for _, key := range k.keys {
		if size := key.aead.NonceSize(); key.id == keyID && len(raw) > size {
			secret, err := key.aead.Open(nil, raw[:size], raw[size:], owner[:])
			if err != nil {
				return "", errSealed
			}
			return string(secret), nil
		}
	}
	return "", errSealed
}

// CheckTotpKeys returns an error when the keys lack one by which a second factor of the database is encrypted, whose owner could not sign in. It is for
// the start of the program.
func (s *Service) CheckTotpKeys(ctx context.Context) error {
	ids := make([]string, len(s.TotpKeys.keys))
	for i, key := range s.TotpKeys.keys {
		ids[i] = key.id
	}
	isLost, err := s.DB.Client.SecondFactor.Query().Where(secondfactor.KeyIDNotIn(ids...)).Exist(access.System(ctx, "check the keys of second factors"))
	if err == nil && isLost {
		err = errors.New("TOTP_KEYS lacks a key by which second factors in the database are encrypted: give all keys, the newest first")
	}
	return err
}
