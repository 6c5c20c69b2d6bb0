// Package idem makes mutations safe to retry: one key, one effect.
//
// Invariants: the key is claimed by the first statement of the transaction, so that a concurrent twin waits for it; the ids of the result are stored,
// not the result, so that a replay passes the access policy again; a failure rolls the claim back with everything else.
package idem

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/idempotencykey"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	kept      = 24 * time.Hour
	maxLength = 200
)

// ErrRequired is the answer to a mutation that moves money without a key; ErrReused to a key that was used with another input.
var (
	ErrRequired = fault.New(fault.Invalid, "IDEMPOTENCY_KEY_REQUIRED", "This mutation needs an idempotencyKey.").At("idempotencyKey")
	ErrReused   = fault.New(fault.Conflict, "IDEMPOTENCY_KEY_REUSED", "This idempotencyKey was used with another input.").At("idempotencyKey")
)

// Do runs fn in a transaction, once per actor, mutation and key within 24 hours. fn returns the ids of its result; a repeated call with the same input
// returns them again without running fn. Without a key fn simply runs. Errors: ErrReused, INVALID_INPUT for a key that is too long, and fn's.
func Do(ctx context.Context, db *store.DB, mutation string, key *string, input any, fn func(ctx context.Context) ([]uuid.UUID, error)) (result []uuid.UUID, err error) {
	defer func() {
		if err != nil {
			result = nil // what was rolled back has no ids
		}
	}()
	if key == nil {
		err = db.WithTx(ctx, func(ctx context.Context) error {
			result, err = fn(ctx)
			return err
		})
		return result, err
	}
	if *key == "" || len(*key) > maxLength {
		return nil, fault.InvalidAt(fmt.Sprintf("An idempotencyKey has 1 to %d bytes.", maxLength), "idempotencyKey")
	}
	claim, err := newClaim(ctx, mutation, *key, input)
	if err != nil {
		return nil, err
	}
	err = db.WithTx(ctx, func(ctx context.Context) error {
		id, stored, err := claim.take(access.System(ctx, "idempotency key"), db)
		if err != nil || stored != nil {
			result = stored
			return err
		}
		if result, err = fn(ctx); err != nil {
			return err
		}
		texts := make([]string, len(result))
		for i, r := range result {
			texts[i] = r.String()
		}
		return db.Client.IdempotencyKey.UpdateOneID(id).SetResultIds(texts).Exec(access.System(ctx, "idempotency key"))
	})
	return result, err
}

type claim struct{ scope, key, hash string }

func newClaim(ctx context.Context, mutation, key string, input any) (claim, error) {
	encoded, err := json.Marshal(input)
	if err != nil {
		return claim{}, fmt.Errorf("hash the input: %w", err)
	}
	sum := sha256.Sum256(encoded)
	actor := "anonymous"
	if v := access.From(ctx).Person(); v != nil {
		actor = v.UserID.String()
	}
	return claim{scope: actor + " " + mutation, key: key, hash: hex.EncodeToString(sum[:])}, nil
}

// take claims the key and returns its row's id, or returns the stored result of the first call.
func (c claim) take(ctx context.Context, db *store.DB) (id uuid.UUID, stored []uuid.UUID, err error) {
	now := db.Now()
	id = db.NewID(ent.TypeIdempotencyKey)
	insert := db.Build().Insert(idempotencykey.Table).
		Columns("id", "created_at", "scope", "key", "input_hash", "expires_at").Values(id, now, c.scope, c.key, c.hash, now.Add(kept)).
		OnConflict(entsql.ConflictColumns("scope", "key"), entsql.DoNothing())
	for {
		inserted, err := db.Exec(ctx, "claim an idempotency key", insert)
		if err != nil || inserted == 1 {
			return id, nil, err
		}
		first, err := db.Client.IdempotencyKey.Query().Where(idempotencykey.Scope(c.scope), idempotencykey.Key(c.key)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			continue // the cleanup took it meanwhile
		case err != nil:
			return id, nil, err
		case !now.Before(first.ExpiresAt):
			if err := db.Client.IdempotencyKey.DeleteOne(first).Exec(ctx); err != nil && !ent.IsNotFound(err) {
				return id, nil, err
			}
		case first.InputHash != c.hash:
			return id, nil, ErrReused
		default:
			stored, err := parse(first.ResultIds)
			return id, stored, err
		}
	}
}

func parse(texts []string) ([]uuid.UUID, error) {
	list := make([]uuid.UUID, len(texts))
	for i, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("stored result: %w", err)
		}
		list[i] = id
	}
	return list, nil
}
