package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/caregraph/caregraph/internal/blob"
	"github.com/caregraph/caregraph/internal/chat"
)

// openStorage opens the object storage: the configured one, or a folder beside an SQLite database; nil when there is neither.
func (a *App) openStorage() (chat.Storage, error) {
	address := a.cfg.StorageURL.Reveal()
	if path := strings.TrimPrefix(a.cfg.DatabaseURL.Reveal(), "sqlite://"); address == "" && !a.cfg.IsPostgres() && !strings.HasPrefix(path, "file:") {
		var err error
		if address, err = blob.Folder(path + ".files"); err != nil {
			return nil, fmt.Errorf("STORAGE_URL: %w", err)
		}
	}
	if address == "" {
		return nil, nil
	}
	files, err := blob.Open(context.Background(), address)
	if err != nil {
		return nil, fmt.Errorf("STORAGE_URL: %w", err)
	}
	a.files = files
	return files, nil
}

// derivedKey is a key for one purpose out of the keys that all instances share, so that none of them is used for two.
func derivedKey(keys, purpose string) []byte {
	mac := hmac.New(sha256.New, []byte(keys))
	_, _ = mac.Write([]byte(purpose))
	return mac.Sum(nil)
}
