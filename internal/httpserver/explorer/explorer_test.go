package explorer

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func get(t *testing.T, h http.Handler, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

func TestIndex(t *testing.T) {
	t.Parallel()
	h := Handler()

	res := get(t, h, "/")
	page := text(t, res.Body)
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
	assert.Contains(t, page, "Caregraph explorer")

	t.Run("RemoteOriginsAreAbsent", func(t *testing.T) {
		t.Parallel()
		assert.NotRegexp(t, `(?i)(src|href)\s*=\s*["']?\s*(https?:)?//`, page)
		assert.NotContains(t, page, "http://")
		assert.NotContains(t, page, "https://")
	})

	t.Run("ScriptsAreNotInline", func(t *testing.T) {
		t.Parallel()
		assert.NotRegexp(t, `(?is)<script[^>]*>\s*[^<\s]`, page)
		assert.NotRegexp(t, `(?i)\son[a-z]+\s*=`, page)
	})

	t.Run("AssetsItNamesExist", func(t *testing.T) {
		t.Parallel()
		named := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
		require.NotEmpty(t, named)
		for _, m := range named {
			asset := get(t, h, m[1])
			assert.Equal(t, http.StatusOK, asset.StatusCode, m[1])
			assert.NotEmpty(t, text(t, asset.Body), m[1])
		}
	})
}

// A script names the chunks and workers it loads later by their file names.
func TestAssetsNamedByScriptsExist(t *testing.T) {
	t.Parallel()
	assets := load(dist)
	chunk := regexp.MustCompile(`["'\x60](?:\./|/?explorer/)?([\w.-]+-[\w-]{8}\.(?:js|css|ttf))["'\x60]`)
	found := 0
	for name, a := range assets {
		if path.Ext(name) != ".js" {
			continue
		}
		for _, m := range chunk.FindAllSubmatch(a.plain().body, -1) {
			found++
			assert.Contains(t, assets, "explorer/"+string(m[1]), "named by %s", name)
		}
	}
	assert.Positive(t, found)
}

func TestStylesLoadNothingRemote(t *testing.T) {
	t.Parallel()
	remote := regexp.MustCompile(`(?i)(?:url\(\s*["']?|@import\s*["']?)(?:https?:)?//`)
	for name, a := range load(dist) {
		if path.Ext(name) == ".css" {
			assert.False(t, remote.Match(a.plain().body), name)
		}
	}
}

func TestEveryAsset(t *testing.T) {
	t.Parallel()
	h := Handler()
	total := 0
	err := fs.WalkDir(dist, "dist", func(file string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		if entry.IsDir() {
			return nil
		}
		url := strings.TrimPrefix(file, "dist")
		res := get(t, h, url)
		total += len(text(t, res.Body))
		assert.Equal(t, http.StatusOK, res.StatusCode, url)
		assert.NotEmpty(t, res.Header.Get("Content-Type"), url)
		assert.NotEqual(t, ".map", path.Ext(url), "source maps stay out")
		csp := res.Header.Get("Content-Security-Policy")
		assert.Contains(t, csp, "default-src 'none'", url)
		assert.NotContains(t, csp, "http", url)
		assert.NotContains(t, csp, "*", url)
		assert.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"), url)
		return nil
	})
	require.NoError(t, err)
	assert.Less(t, total, 6<<20, "the embedded explorer stays under 6 MiB")
}

func TestCaching(t *testing.T) {
	t.Parallel()
	h := Handler()

	t.Run("IndexIsRevalidated", func(t *testing.T) {
		t.Parallel()
		first := get(t, h, "/")
		assert.Equal(t, "no-cache", first.Header.Get("Cache-Control"))
		tag := first.Header.Get("ETag")
		require.NotEmpty(t, tag)
		again := get(t, h, "/", "If-None-Match", tag)
		assert.Equal(t, http.StatusNotModified, again.StatusCode)
		assert.NotEmpty(t, again.Header.Get("Content-Security-Policy"))
	})

	t.Run("HashedAssetsAreKept", func(t *testing.T) {
		t.Parallel()
		script := regexp.MustCompile(`src="([^"]+\.js)"`).FindStringSubmatch(text(t, get(t, h, "/").Body))
		require.NotNil(t, script)
		assert.Contains(t, get(t, h, script[1]).Header.Get("Cache-Control"), "immutable")
	})

	t.Run("OtherAssetsAreRevalidated", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, "no-cache", get(t, h, "/explorer/favicon.svg").Header.Get("Cache-Control"))
	})
}

func TestCompression(t *testing.T) {
	t.Parallel()
	h := Handler()

	plain := get(t, h, "/")
	zipped := get(t, h, "/", "Accept-Encoding", "br;q=1.0, gzip;q=0.8")
	assert.Empty(t, plain.Header.Get("Content-Encoding"))
	assert.Equal(t, "gzip", zipped.Header.Get("Content-Encoding"))
	assert.Equal(t, "Accept-Encoding", zipped.Header.Get("Vary"))
	assert.NotEqual(t, plain.Header.Get("ETag"), zipped.Header.Get("ETag"))
	z, err := gzip.NewReader(zipped.Body)
	require.NoError(t, err)
	assert.Equal(t, text(t, plain.Body), text(t, z))

	for header, want := range map[string]bool{
		"": false, "br": false, "gzip": true, "GZIP": true, "gzip;q=0": false, "gzip; q=0.0": false, "deflate, gzip ;q=1": true, "gzip;q=x": false,
	} {
		assert.Equal(t, want, acceptsGzip(header), header)
	}
}

func TestOnlyReads(t *testing.T) {
	t.Parallel()
	h := Handler()
	for _, target := range []string{"/nothing", "/explorer/", "/explorer/../index.html", "/dist/index.html"} {
		assert.Equal(t, http.StatusNotFound, get(t, h, target).StatusCode, target)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}
