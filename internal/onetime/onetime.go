// Package onetime makes codes that people read from a mail or a sheet of paper and type, each good once. They have 80 random bits, so that a plain
// hash of one is safe to store.
package onetime

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// New returns a code as it is shown: XXXX-XXXX-XXXX-XXXX.
func New() string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails: crypto/rand crashes the program instead
	text := base32.StdEncoding.EncodeToString(b)
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// Plain takes off what people and programs put around the characters of a code.
func Plain(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
}

// Hash is what is stored of a code, however it is typed.
func Hash(code string) string {
	sum := sha256.Sum256([]byte(Plain(code)))
	return hex.EncodeToString(sum[:])
}
