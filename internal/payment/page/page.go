// Package page is the look of the pages on which payers are: one style, which every provider's pages load from below their own path.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the style
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed style.css
var style []byte

// StyleQuery is new when the style is: browsers may keep what they load with it for good.
var StyleQuery = func() string {
	sum := sha256.Sum256(style)
	return "?v=" + hex.EncodeToString(sum[:6])
}()

// ServeStyle serves the style.
func ServeStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(style))
}
