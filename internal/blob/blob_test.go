package blob_test

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/blob"
)

// addresses are stores of all kinds: what holds for one holds for the others.
func addresses(t *testing.T) map[string]string {
	t.Helper()
	folder, err := blob.Folder(t.TempDir() + "/new/files")
	require.NoError(t, err)
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("files"))
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	q := url.Values{"region": {"us-east-1"}, "endpoint": {server.URL}, "use_path_style": {"true"}, "disable_https": {"true"}}
	return map[string]string{"mem": "mem://", "file": folder, "s3": "s3://files?" + q.Encode()}
}

func TestStore(t *testing.T) {
	for name, address := range addresses(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			s, err := blob.Open(ctx, address)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			content := bytes.Repeat([]byte("0123456789"), 100_000)

			require.NoError(t, s.Put(ctx, "chat/a/1", "image/png", bytes.NewReader(content)))
			require.NoError(t, s.Put(ctx, "chat/b/1", "image/png", strings.NewReader("other")))
			r, err := s.Get(ctx, "chat/a/1")
			require.NoError(t, err)
			stored, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.True(t, bytes.Equal(content, stored))

			broken := errors.New("broken")
			err = s.Put(ctx, "chat/a/2", "image/png", io.MultiReader(bytes.NewReader(content[:2000]), iotest.ErrReader(broken)))
			require.ErrorIs(t, err, broken)
			_, err = s.Get(ctx, "chat/a/2")
			require.ErrorIs(t, err, os.ErrNotExist, "a Put that fails leaves nothing")

			require.NoError(t, s.DeleteAll(ctx, "chat/a/"))
			_, err = s.Get(ctx, "chat/a/1")
			require.ErrorIs(t, err, os.ErrNotExist)
			r, err = s.Get(ctx, "chat/b/1")
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.NoError(t, s.DeleteAll(ctx, "chat/a/"), "nothing is there any more")
		})
	}
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "ftp://host/files", "s3://", "%zz"} {
		_, err := blob.Open(t.Context(), address)
		require.Error(t, err, address)
	}
}
