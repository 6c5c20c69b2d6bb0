package chat_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/testkit"
)

// shelf is an object storage in memory.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func (s *shelf) Put(_ context.Context, key, _ string, r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = map[string][]byte{}
	}
	s.objects[key] = content
	return nil
}

func (s *shelf) Get(_ context.Context, key string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.objects[key]
	if !ok {
		return nil, os.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (s *shelf) DeleteAll(_ context.Context, prefix string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.objects {
		if strings.HasPrefix(key, prefix) {
			delete(s.objects, key)
		}
	}
	return nil
}

func (s *shelf) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.objects)
}

var png = append([]byte("\x89PNG\x0D\x0A\x1A\x0A"), make([]byte, 600)...)

func (p *practice) announce(t *testing.T, who any, contentType string, size int) *chat.Upload {
	t.Helper()
	u, err := p.CreateUpload(testkit.As(t, who), chat.CreateUploadInput{
		RoomID: p.room.ID, Purpose: "CHAT_ATTACHMENT", FileName: `C:\scans\..\left knee.png`, ContentType: contentType, SizeBytes: size,
	})
	require.NoError(t, err)
	return u
}

func (p *practice) http(method, url string, body []byte) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	p.FilesHandler().ServeHTTP(answer, httptest.NewRequest(method, url, bytes.NewReader(body)))
	return answer
}

// upload announces and sends a picture.
func (p *practice) upload(t *testing.T, who any) uuid.UUID {
	t.Helper()
	u := p.announce(t, who, "image/png", len(png))
	require.Equal(t, http.StatusNoContent, p.http("PUT", u.URL, png).Code)
	return u.ID
}

func (p *practice) sendFiles(t *testing.T, who any, body string, files ...uuid.UUID) (*ent.ChatMessage, error) {
	t.Helper()
	in := p.says(body)
	in.AttachmentIds = files
	return p.Send(testkit.As(t, who), in)
}

// link is the link to the only file of a message, as the viewer gets it.
func (p *practice) link(t *testing.T, who any, m *ent.ChatMessage) string {
	t.Helper()
	found, err := p.Attachments(testkit.As(t, who), []uuid.UUID{m.ID})
	require.NoError(t, err)
	require.Len(t, found[m.ID], 1)
	return p.Link(testkit.Viewer(who), found[m.ID][0])
}
