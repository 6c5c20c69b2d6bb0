package chat

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatattachment"
	"github.com/caregraph/caregraph/ent/chatupload"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
)

// Links are signed, so that nothing has to be kept of them, and end by time; who has one needs no other proof.

func (s *Service) sign(method string, id uuid.UUID, about string, until int64) string {
	mac := hmac.New(sha256.New, s.FileKey)
	_, _ = fmt.Fprintf(mac, "%s\n%s\n%s\n%d", method, id, about, until)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signUpload binds a link to the user, the purpose, the type and the length of the file.
func (s *Service) signUpload(f *ent.ChatUpload, until int64) string {
	return s.sign(http.MethodPut, f.ID, fmt.Sprintf("%s %s %s %d", f.UserID, f.Purpose, f.ContentType, f.SizeBytes), until)
}

func (s *Service) link(path, user string, until int64, signature string) string {
	q := url.Values{"expires": {strconv.FormatInt(until, 10)}, "signature": {signature}}
	if user != "" {
		q.Set("user", user)
	}
	return s.BaseURL + path + "?" + q.Encode()
}

// isSigned tells whether the request's signature is the expected one and its time is not over.
func (s *Service) isSigned(r *http.Request, expected func(until int64) string) bool {
	until, err := strconv.ParseInt(r.URL.Query().Get("expires"), 10, 64)
	if err != nil || s.DB.Now().Unix() >= until {
		return false
	}
	return hmac.Equal([]byte(r.URL.Query().Get("signature")), []byte(expected(until)))
}

// FilesHandler answers the links of uploads (PUT /uploads/ID) and attachments (GET /files/ID).
func (s *Service) FilesHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /uploads/{id}", s.takeFile)
	mux.HandleFunc("GET /files/{id}", s.showFile)
	return mux
}

const (
	linkIsOver = "The link is not valid, or no longer so."
	isRejected = "UPLOAD_REJECTED: The content is not what was announced."
)

// takeFile stores the file of an upload once.
func (s *Service) takeFile(w http.ResponseWriter, r *http.Request) {
	ctx := access.System(r.Context(), "store a file")
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil || s.Storage == nil {
		http.Error(w, linkIsOver, http.StatusForbidden)
		return
	}
	f, err := s.DB.Client.ChatUpload.Get(ctx, id)
	switch {
	case err != nil && !ent.IsNotFound(err):
		s.failed(w, r, err)
	case err != nil || !s.isSigned(r, func(until int64) string { return s.signUpload(f, until) }):
		http.Error(w, linkIsOver, http.StatusForbidden)
	case f.StoredAt != nil:
		http.Error(w, "The link was used.", http.StatusConflict)
	case r.ContentLength > f.SizeBytes:
		http.Error(w, "UPLOAD_REJECTED: The content is longer than announced.", http.StatusRequestEntityTooLarge)
	case r.ContentLength >= 0 && r.ContentLength != f.SizeBytes:
		http.Error(w, isRejected, http.StatusUnprocessableEntity)
	default:
		s.keep(ctx, w, r, f)
	}
}

// keep stores the content under a key of its own, and then claims the upload for it: of several who send at once one wins.
func (s *Service) keep(ctx context.Context, w http.ResponseWriter, r *http.Request, f *ent.ChatUpload) {
	allowTime(w)
	key := folderOf(f.ID) + rand.Text()
	err := s.Storage.Put(ctx, key, string(f.ContentType), checked(sent{http.MaxBytesReader(w, r.Body, f.SizeBytes)}, f))
	var tooLong *http.MaxBytesError
	switch {
	case errors.Is(err, errCutOff) && errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "The content took too long.", http.StatusRequestTimeout)
		return
	case errors.Is(err, errCutOff):
		http.Error(w, "The content did not come whole.", http.StatusBadRequest)
		return
	case errors.Is(err, errContent) || errors.As(err, &tooLong):
		http.Error(w, isRejected, http.StatusUnprocessableEntity)
		return
	case err != nil:
		s.failed(w, r, err)
		return
	}
	claimed := 0
	err = s.DB.WithTx(ctx, func(ctx context.Context) (err error) {
		claimed, err = s.DB.Client.ChatUpload.Update().Where(chatupload.ID(f.ID), chatupload.StoredAtIsNil()).
			SetStoredAt(s.DB.Now()).SetObjectKey(key).Save(ctx)
		return err
	})
	if err == nil && claimed == 1 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err == nil {
		if err = s.Storage.DeleteAll(ctx, key); err == nil {
			http.Error(w, "The link was used.", http.StatusConflict)
			return
		}
	}
	s.failed(w, r, err)
}

// allowTime lets a file come as slowly as its link lives: a phone may need minutes for what the server's usual time for a body is too short for.
func allowTime(w http.ResponseWriter) {
	control, now := http.NewResponseController(w), clock.System{}.Now()
	_ = control.SetReadDeadline(now.Add(sendWithin)) // a connection that knows no deadlines has none
	_ = control.SetWriteDeadline(now.Add(sendWithin + time.Minute))
}

var errCutOff = errors.New("the content stopped coming")

// sent is what a client sends. That it stops has errCutOff, to tell it from failures of the storage.
type sent struct{ io.Reader }

// Read implements io.Reader.
func (s sent) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	var tooLong *http.MaxBytesError
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &tooLong) {
		err = errors.Join(errCutOff, err)
	}
	return n, err
}

var errContent = errors.New("the content is not what was announced")

// checked reads what was announced, and fails with errContent when it is something else: by the first bytes, or by the length.
func checked(r io.Reader, f *ent.ChatUpload) io.Reader {
	return &checkedReader{r: bufio.NewReaderSize(r, sniffed), left: f.SizeBytes, contentType: string(f.ContentType)}
}

const sniffed = 512 // bytes that http.DetectContentType looks at

type checkedReader struct {
	r           *bufio.Reader
	left        int64
	contentType string
	isKnown     bool
}

// Read implements io.Reader.
func (c *checkedReader) Read(p []byte) (int, error) {
	if !c.isKnown {
		head, err := c.r.Peek(sniffed)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if http.DetectContentType(head) != c.contentType {
			return 0, errContent
		}
		c.isKnown = true
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.left < 0 || errors.Is(err, io.EOF) && c.left > 0 {
		return 0, errContent
	}
	return n, err
}

// showFile answers the content of an attachment to the user for whom the link was made, under that user's rights of now: the policy decides, and the
// audit notes that the record was read.
func (s *Service) showFile(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	reader := r.URL.Query().Get("user")
	if err != nil || s.Storage == nil || !s.isSigned(r, func(until int64) string { return s.sign(http.MethodGet, id, reader, until) }) {
		http.Error(w, linkIsOver, http.StatusForbidden)
		return
	}
	a, key, err := s.fileFor(r.Context(), uuid.MustParse(reader), id)
	if ent.IsNotFound(err) {
		http.Error(w, linkIsOver, http.StatusForbidden)
		return
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	ctx := r.Context()
	content, err := s.Storage.Get(ctx, key)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	defer func() { _ = content.Close() }()
	h := w.Header()
	h.Set("Content-Type", a.ContentType)
	h.Set("Content-Length", strconv.FormatInt(a.SizeBytes, 10))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.FileName}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = io.Copy(w, content) // who reads has gone, or hears it by the length
}

// fileFor returns a file as the user may read it now, and where it is stored.
func (s *Service) fileFor(ctx context.Context, reader, id uuid.UUID) (*ent.ChatAttachment, string, error) {
	system := access.System(ctx, "show a file")
	v, err := s.viewerOf(system, reader)
	if err != nil {
		return nil, "", err
	}
	asked := s.Audit.Begin(access.As(ctx, v))
	a, err := s.DB.Client.ChatAttachment.Query().Where(chatattachment.ID(id), isShown).Only(asked)
	if err != nil {
		return nil, "", err
	}
	if err := s.Audit.End(asked); err != nil {
		return nil, "", err
	}
	upload, err := s.DB.Client.ChatUpload.Get(system, a.UploadID)
	if err != nil {
		return nil, "", err
	}
	return a, upload.ObjectKey, nil
}

// viewerOf returns an active user with the rights of now; a link has no session.
func (s *Service) viewerOf(ctx context.Context, id uuid.UUID) (*access.Viewer, error) {
	u, err := s.DB.Client.User.Query().Where(user.ID(id), user.IsActive(true)).Only(ctx)
	if err != nil {
		return nil, err
	}
	v := &access.Viewer{UserID: u.ID, Email: u.Email}
	for _, role := range u.Roles {
		v.Roles = append(v.Roles, access.Role(role))
	}
	if v.PatientID, err = s.DB.Client.Patient.Query().Where(patient.UserID(u.ID)).OnlyID(ctx); err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	if v.PractitionerID, err = s.DB.Client.Practitioner.Query().Where(practitioner.UserID(u.ID)).OnlyID(ctx); err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	return v, nil
}

// failed answers that it is our fault, and logs why; links and names of files stay out of the log.
func (s *Service) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.ErrorContext(r.Context(), "a file could not be stored or shown", "cause", err)
	http.Error(w, "Something went wrong on our side. Try again later.", http.StatusInternalServerError)
}
