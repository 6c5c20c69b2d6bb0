// Package explorer serves the query explorer: GraphiQL, built from web/ into dist/ and embedded, so that the page at / loads
// nothing from anywhere else. It talks to /graphql on the origin that served it.
//
// Rules the tests check: the index names no remote origin and only assets that exist; every answer carries the strict
// Content-Security-Policy below; assets whose name holds a hash of their content are cached for good, all else is revalidated.
package explorer

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The built page. "all:" because a bundler may name a chunk with a leading underscore.
//
//go:embed all:dist
var dist embed.FS

// policy lets the page run its own scripts and workers and talk to its own origin, websockets included; nothing else. The code editor
// writes style elements and style attributes, and draws some icons from data URLs.
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hashed matches the names that the bundler derives from the content: such a file never changes.
var hashed = regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.[a-z0-9]+$`)

// contentTypes is a closed table: what the system's MIME files say must not matter.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
	".md":   "text/markdown; charset=utf-8",
}

// Handler serves the page at / and its assets below /explorer/; any other path is not found. It answers GET and HEAD.
func Handler() http.Handler {
	assets := load(dist)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		a, ok := assets[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r)
	})
}

// asset is one embedded file; its forms are made when first asked for, so that a start costs nothing.
type asset struct {
	name   string
	plain  func() form
	zipped func() form
}

// form is one encoding of an asset, with the tag of exactly these bytes.
type form struct {
	body []byte
	etag string
}

// load lists the embedded files by their path below dist. Embedded files can always be read, so an error is a broken build.
func load(files fs.FS) map[string]*asset {
	assets := map[string]*asset{}
	err := fs.WalkDir(files, "dist", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(file, "dist/")
		assets[name] = &asset{
			name:   name,
			plain:  sync.OnceValue(func() form { return newForm(body) }),
			zipped: sync.OnceValue(func() form { return newForm(compress(body)) }),
		}
		return nil
	})
	if err != nil {
		panic("explorer: " + err.Error())
	}
	return assets
}

func newForm(body []byte) form {
	sum := sha256.Sum256(body)
	return form{body: body, etag: strconv.Quote(hex.EncodeToString(sum[:16]))}
}

// compress cannot fail: a buffer takes every write.
func compress(body []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(body)
	_ = z.Close()
	return out.Bytes()
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Type", contentTypes[path.Ext(a.name)])
	h.Set("Cache-Control", cacheControl(a.name))

	f := a.plain
	if path.Ext(a.name) != ".ttf" { // text: a quarter of its size
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			f = a.zipped
		}
	}
	chosen := f()
	h.Set("ETag", chosen.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(chosen.body))
}

func cacheControl(name string) string {
	if hashed.MatchString(name) {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache" // may be kept, must be asked about each time
}

// acceptsGzip reads an Accept-Encoding header: gzip is named and not refused with q=0.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !found || (err == nil && weight > 0)
	}
	return false
}
