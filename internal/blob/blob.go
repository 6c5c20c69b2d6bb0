// Package blob keeps files in an object storage that a URL names: a folder ("file:///var/lib/caregraph/files"), a bucket of an S3 service
// ("s3://bucket?region=ap-southeast-2"), or memory ("mem://", for tests). Nothing but this package knows which.
//
// Invariants:
//   - A Put that fails leaves nothing under its key.
//   - Keys are made by the program; nothing that a user has said is in one.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"
)

// Store is one bucket.
type Store struct{ bucket *blob.Bucket }

// Open opens the bucket that the URL names. A folder is made when it is not there; a bucket of a service has to be there.
func Open(ctx context.Context, address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("it is not a URL") // which may hold secrets
	}
	if u.Scheme == "file" {
		q := u.Query()
		q.Set("create_dir", "true")
		q.Set("no_tmp_dir", "true") // a file appears by a rename, which needs one file system
		q.Set("metadata", "skip")
		u.RawQuery = q.Encode()
	}
	bucket, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("open the object storage (%s): %w", u.Scheme, err)
	}
	return &Store{bucket}, nil
}

// Folder is the URL of a folder.
func Folder(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute)}).String(), nil
}

// Put stores what r holds under the key. When r fails nothing is left, and the error of r is returned as it is.
func (s *Store) Put(ctx context.Context, key, contentType string, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := s.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: contentType, DisableContentTypeDetection: true})
	if err != nil {
		return fmt.Errorf("store a file: %w", err)
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel() // the writer gives up instead of storing the part
		_ = w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("store a file: %w", err)
	}
	return nil
}

// Get returns what is stored under the key; os.ErrNotExist when there is nothing.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := s.bucket.NewReader(ctx, key, nil)
	switch {
	case gcerrors.Code(err) == gcerrors.NotFound:
		return nil, fmt.Errorf("read a file: %w", os.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("read a file: %w", err)
	}
	return r, nil
}

// DeleteAll deletes what is stored under keys with the prefix; it is no error when there is nothing.
func (s *Store) DeleteAll(ctx context.Context, prefix string) error {
	list := s.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		object, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if err := s.bucket.Delete(ctx, object.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("delete a file: %w", err)
		}
	}
}

// Close lets the bucket go.
func (s *Store) Close() error { return s.bucket.Close() }
