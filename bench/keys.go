package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// signer makes access tokens with a key that it has made up and given to the product, in place of ten thousand sign-ins.
type signer struct{ key []byte }

func newSigner() signer {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand crashes the program instead
	return signer{key}
}

// setting is the variable of the environment that gives the product the key.
func (s signer) setting() string {
	return "JWT_KEYS=bench:HS256:" + base64.StdEncoding.EncodeToString(s.key)
}

// again signs a token of the product once more for another session and user.
func (s signer) again(token, session, user string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("an access token has another form than known")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("an access token has another form than known: %w", err)
	}
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(text, &claims); err != nil || claims["sid"] == nil || claims["sub"] == nil {
		return "", errors.New("an access token has other claims than known")
	}
	claims["sid"], claims["sub"], claims["jti"] = frame(session), frame(user), frame(session)
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(frame(claims))
	return signed + "." + base64.RawURLEncoding.EncodeToString(s.sum(signed)), nil
}

func (s signer) sum(text string) []byte {
	h := hmac.New(sha256.New, s.key)
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum(nil)
}

// genuine tells whether the product signed a token with our key.
func (s signer) genuine(token string) bool {
	cut := strings.LastIndexByte(token, '.')
	return cut > 0 && token[cut+1:] == base64.RawURLEncoding.EncodeToString(s.sum(token[:cut]))
}
