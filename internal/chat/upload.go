package chat

import (
	"context"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/chatupload"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

const (
	maxFileBytes = 10 << 20
	maxFileName  = 200

	sendWithin = 5 * time.Minute // an announced file
	linkFor    = 5 * time.Minute // to a stored one
)

// Storage is the object storage: a folder, or a service of the network.
type Storage interface {
	// Put stores what r holds under the key. When r fails nothing is left.
	Put(ctx context.Context, key, contentType string, r io.Reader) error
	// Get returns what is stored under the key.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// DeleteAll deletes what is stored under keys with the prefix.
	DeleteAll(ctx context.Context, prefix string) error
}

// CreateUploadInput is the input of CreateUpload.
type CreateUploadInput struct {
	RoomID      uuid.UUID
	Purpose     chatupload.Purpose
	FileName    string
	ContentType string
	SizeBytes   int

	IdempotencyKey *string
}

// Upload is where to send an announced file.
type Upload struct {
	ID        uuid.UUID
	URL       string
	ExpiresAt time.Time
}

// CreateUpload announces a file for a message in a room, and returns the link by which it can be sent once within five minutes. Participants may call it
// while the room is ACTIVE. Errors: NOT_FOUND, ROOM_NOT_WRITABLE, UPLOAD_REJECTED for a type or a length that is not taken, INVALID_INPUT, UNAVAILABLE
// without an object storage.
func (s *Service) CreateUpload(ctx context.Context, in CreateUploadInput) (*Upload, error) {
	name, contentType := cleanName(in.FileName), chatupload.ContentType(in.ContentType)
	switch {
	case chatupload.ContentTypeValidator(contentType) != nil:
		return nil, ErrUploadRejected.Says("Only JPEG, PNG and PDF files are taken.").At("contentType")
	case in.SizeBytes < 1 || in.SizeBytes > maxFileBytes:
		return nil, ErrUploadRejected.Says("A file has 1 byte to 10 MiB.").At("sizeBytes")
	case name == "":
		return nil, fault.InvalidAt("The file needs a name.", "fileName")
	}
	r, err := s.room(ctx, in.RoomID)
	if err != nil {
		return nil, err
	}
	if r.Status != chatroom.StatusACTIVE {
		return nil, ErrRoomNotWritable
	}
	if s.Storage == nil {
		return nil, fault.ErrUnavailable.Says("This practice takes no files.")
	}
	user, system := access.From(ctx).UserID, access.System(ctx, "announce a file")
	made, err := idem.Do(system, s.DB, "createUpload", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		f, err := s.DB.Client.ChatUpload.Create().SetRoomID(r.ID).SetPatientID(r.PatientID).SetPractitionerID(r.PractitionerID).SetUserID(user).
			SetPurpose(in.Purpose).SetFileName(name).SetContentType(contentType).SetSizeBytes(int64(in.SizeBytes)).
			SetExpiresAt(s.DB.Now().Add(sendWithin)).Save(ctx)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{f.ID}, nil
	})
	if err != nil {
		return nil, err
	}
	f, err := s.DB.Client.ChatUpload.Get(system, made[0])
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound // it was announced with this key before, and cleaned up since
	}
	if err != nil {
		return nil, err
	}
	until := f.ExpiresAt.Unix()
	return &Upload{ID: f.ID, URL: s.link("/uploads/"+f.ID.String(), "", until, s.signUpload(f, until)), ExpiresAt: f.ExpiresAt}, nil
}

// cleanName is a file's name without anything that a file system, a header or a terminal would interpret.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*/`, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	for len(name) > maxFileName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

const cleanUpPage = 200

// CleanUp deletes the files that went into no message within a day, and their records, and returns how many. It is for the job; a file that cannot be
// deleted is tried again at the next one.
func (s *Service) CleanUp(ctx context.Context) (n int, err error) {
	ctx = access.System(ctx, "clean up uploads")
	due := s.DB.Now().Add(-attachWithin - time.Hour) // nobody is about to use it
	for {
		list, err := s.DB.Client.ChatUpload.Query().Where(chatupload.CreatedAtLT(due), isFree).Order(chatupload.ByID()).Limit(cleanUpPage).All(ctx)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, f := range list {
			if s.Storage != nil {
				if err := s.Storage.DeleteAll(ctx, folderOf(f.ID)); err != nil {
					return n, err
				}
			}
			if err := s.DB.WithTx(ctx, func(ctx context.Context) error { return s.DB.Client.ChatUpload.DeleteOne(f).Exec(ctx) }); err != nil {
				return n, err
			}
			n++
		}
	}
}

// folderOf is what the keys of an upload's objects begin with: each attempt to send it has one of its own.
func folderOf(upload uuid.UUID) string { return "chat/" + upload.String() + "/" }
