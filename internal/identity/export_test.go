package identity

import (
	"context"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
)

// CheckPassword is the rule of passwords.
var CheckPassword = checkPassword

// StatusAt is the pure part of a session's status.
var StatusAt = statusAt

// FlushDue is what Run does at every tick.
func (s *Service) FlushDue(ctx context.Context) error { return s.flush(ctx, false) }

// Known tells how many sessions the instance remembers.
func (s *Service) Known() int {
	s.activity.mu.Lock()
	defer s.activity.mu.Unlock()
	return len(s.activity.sessions)
}

// Matches compares a password with a hash; "" stands for an account that does not exist.
func (s *Service) Matches(ctx context.Context, password, hash string) (bool, error) {
	return s.passwords.matches(ctx, password, hash)
}

// OpenAfterCheck makes a session for a user whose password has been checked already.
func (s *Service) OpenAfterCheck(ctx context.Context, checked *ent.User) error {
	ctx = access.System(ctx, "test")
	try, err := s.reserveLogin(ctx, checked.EmailKey)
	if err != nil {
		return err
	}
	defer try.Close()
	_, err = s.open(ctx, checked, nil, checked.EmailKey, try)
	return err
}

// ErrChangedMeanwhile is the refusal of OpenAfterCheck.
var ErrChangedMeanwhile = errChangedMeanwhile

// Network is the address that limits count for.
func (c Client) Network() string { return c.network() }

// ClientOf returns the client of ctx as it is stored.
var ClientOf = clientOf

// Look is what Live's Run does at every tick.
func (l *Live) Look(ctx context.Context) error { return l.look(ctx) }

// Sessions tells how many sessions have open sockets or listeners, and how many of them wait for an instant.
func (l *Live) Sessions() (known, queued int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sessions), len(l.queue)
}

// Hashes tells how often a password was hashed.
func (s *Service) Hashes() int64 { return s.passwords.begun.Load() }
