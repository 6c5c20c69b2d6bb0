package identity

import (
	"context"
	_ "embed" // the list of common passwords
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/caregraph/caregraph/internal/fault"
)

// HashParams make one hash cost an attacker 19 MiB and two passes; it takes a few hundredths of a second here.
var HashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

const (
	minPassword = 10   // characters
	maxPassword = 1024 // bytes: hashing must not cost more because somebody sends a book
)

//go:embed common_passwords.txt
var commonList string

// common holds well-known passwords of sufficient length, in small letters.
var common = func() map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(commonList) {
		m[word] = true
	}
	return m
}()

// checkPassword tells whether the account of the folded address may have the password.
func checkPassword(password, emailKey string) error {
	lower := strings.ToLower(password)
	localPart, _, _ := strings.Cut(emailKey, "@")
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return ErrWeakPassword.Says("A password has at least 10 characters.")
	case len(password) > maxPassword:
		return ErrWeakPassword.Says("A password has at most 1,024 bytes.")
	case common[lower]:
		return ErrWeakPassword.Says("This password is one of the most common ones.")
	case lower == emailKey || lower == localPart:
		return ErrWeakPassword.Says("The e-mail address is not a password.")
	}
	return nil
}

// hasher hashes passwords, a bounded number at a time: each takes its memory.
type hasher struct {
	params *argon2id.Params
	slots  chan struct{}
	begun  atomic.Int64
	dummy  string // hash of nothing that anybody knows, checked where there is no account
}

func newHasher(params *argon2id.Params, atOnce int) (*hasher, error) {
	if params == nil {
		params = HashParams
	}
	if atOnce <= 0 {
		atOnce = runtime.GOMAXPROCS(0)
	}
	dummy, err := argon2id.CreateHash(randomToken(), params)
	return &hasher{params: params, slots: make(chan struct{}, atOnce), dummy: dummy}, err
}

func (h *hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		h.begun.Add(1)
		return nil
	case <-ctx.Done():
		return fault.ErrTimeout.Because(ctx.Err())
	}
}

func (h *hasher) leave() { <-h.slots }

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return argon2id.CreateHash(password, h.params)
}

// matches tells whether the hash is that of the password. An empty hash matches nothing, and takes as long.
func (h *hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	isReal := hash != "" && len(password) <= maxPassword
	if !isReal {
		hash, password = h.dummy, password[:min(len(password), maxPassword)]
	}
	isMatch, err := argon2id.ComparePasswordAndHash(password, hash)
	return isMatch && isReal, err
}
