package chat_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestAttachment(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		file := p.upload(t, p.patient)
		m, err := p.sendFiles(t, p.patient, "", file)
		require.NoError(t, err, "beside a file the text may be empty")
		for _, who := range []any{p.patient, p.doctor} {
			link := p.link(t, who, m)
			require.NotContains(t, link, "knee")
			answer := p.http("GET", link, nil)
			require.Equal(t, http.StatusOK, answer.Code)
			require.Equal(t, png, answer.Body.Bytes())
			require.Equal(t, "image/png", answer.Header().Get("Content-Type"))
			require.Equal(t, `attachment; filename="left knee.png"`, answer.Header().Get("Content-Disposition"))
			require.Equal(t, "nosniff", answer.Header().Get("X-Content-Type-Options"))
			require.Equal(t, "private, no-store", answer.Header().Get("Cache-Control"))
		}
		require.NoError(t, p.Audit.Flush(t.Context()))
		read, err := db.Client.AuditEvent.Query().Where(auditevent.ActionEQ(auditevent.ActionREAD), auditevent.PatientID(p.patient.ID)).Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 2, read, "the audit knows who read the file")
		for name, v := range p.outsiders(t) {
			found, err := p.Attachments(access.As(t.Context(), v), []uuid.UUID{m.ID})
			require.NoError(t, err)
			require.Empty(t, found, name)
		}
		_, err = p.sendFiles(t, p.patient, "once more", file)
		requireCode(t, err, "UPLOAD_REJECTED")
		for name, files := range map[string][]uuid.UUID{
			"another's": {p.upload(t, p.doctor)}, "unsent": {p.announce(t, p.patient, "image/png", 5).ID}, "none": {uuid.New()},
		} {
			_, err = p.sendFiles(t, p.patient, "mine", files...)
			requireCode(t, err, "UPLOAD_REJECTED", name)
		}
		other := p.open(t, p.doctor, p.patient)
		in := chat.SendMessageInput{RoomID: other.ID, Body: "elsewhere", AttachmentIds: []uuid.UUID{p.upload(t, p.patient)}}
		_, err = p.Send(testkit.As(t, p.patient), in)
		requireCode(t, err, "UPLOAD_REJECTED")
		requireCode(t, p.edit(t, p.doctor, m, "x"), fault.CodeForbidden)
		require.NoError(t, p.edit(t, p.patient, m, "with a word"))
		require.NoError(t, p.edit(t, p.patient, m, ""))
		require.Len(t, p.requireDense(t, p.room.ID), 1)
	})
}

// A link to a file is good for five minutes, for its user, and as long as that user may read the message.
func TestAttachment_Link(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		m, err := p.sendFiles(t, p.patient, "", p.upload(t, p.patient))
		require.NoError(t, err)
		mine := p.link(t, p.patient, m)
		status := func(link string) int { return p.http("GET", link, nil).Code }
		require.Equal(t, http.StatusForbidden, status(strings.Replace(mine, p.patient.UserID.String(), p.doctor.UserID.String(), 1)))
		require.Equal(t, http.StatusForbidden, status(strings.Split(mine, "?")[0]))
		clk.Advance(5*time.Minute - time.Second)
		require.Equal(t, http.StatusOK, status(mine))
		clk.Advance(time.Second)
		require.Equal(t, http.StatusForbidden, status(mine))
		ada := testkit.User(t, db, access.Admin)
		p.breakGlass(t, ada)
		opened := p.link(t, ada, m)
		require.Equal(t, http.StatusOK, status(opened))

		mine = p.link(t, p.patient, m)
		doctors := p.link(t, p.doctor, m)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.User.UpdateOneID(p.doctor.UserID).SetIsActive(false).Exec(ctx)
		})
		require.Equal(t, http.StatusForbidden, status(doctors), "who may no longer sign in")
		require.NoError(t, p.remove(t, p.patient, m))
		require.Equal(t, http.StatusForbidden, status(mine), "of a deleted message")
		require.Equal(t, http.StatusForbidden, status(opened))
		found, err := p.Attachments(testkit.As(t, p.patient), []uuid.UUID{m.ID})
		require.NoError(t, err)
		require.Empty(t, found)
	})
}

func TestCreateUpload_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		good := chat.CreateUploadInput{RoomID: p.room.ID, Purpose: "CHAT_ATTACHMENT", FileName: "a.pdf", ContentType: "application/pdf", SizeBytes: 10 << 20}
		try := func(change func(in *chat.CreateUploadInput)) error {
			in := good
			change(&in)
			_, err := p.CreateUpload(testkit.As(t, p.patient), in)
			return err
		}
		require.NoError(t, try(func(*chat.CreateUploadInput) {}))
		requireCode(t, try(func(in *chat.CreateUploadInput) { in.SizeBytes++ }), "UPLOAD_REJECTED", "more than 10 MiB")
		requireCode(t, try(func(in *chat.CreateUploadInput) { in.SizeBytes = 0 }), "UPLOAD_REJECTED")
		requireCode(t, try(func(in *chat.CreateUploadInput) { in.ContentType = "image/svg+xml" }), "UPLOAD_REJECTED")
		requireCode(t, try(func(in *chat.CreateUploadInput) { in.FileName = "../.." }), fault.CodeInvalidInput)
		requireCode(t, try(func(in *chat.CreateUploadInput) { in.RoomID = uuid.New() }), fault.CodeNotFound)
		for name, v := range p.outsiders(t) {
			_, err := p.CreateUpload(access.As(t.Context(), v), good)
			requireCode(t, err, fault.CodeNotFound, name)
		}
		p.Storage = nil
		requireCode(t, try(func(*chat.CreateUploadInput) {}), fault.CodeUnavailable)
		p.put(t, chatroom.StatusSUSPENDED)
		requireCode(t, try(func(*chat.CreateUploadInput) {}), "ROOM_NOT_WRITABLE")
	})
}

// What is sent must be what was announced, once and in time; nothing of what is refused is kept.
func TestUpload_Content(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		jpeg, pdf := append([]byte("\xFF\xD8\xFF\xE0"), png...), append([]byte("%PDF-1.7\n"), png...)
		for name, tc := range map[string]struct {
			contentType string
			size        int
			content     []byte
			want        int
		}{
			"a PNG": {"image/png", len(png), png, 204}, "a JPEG": {"image/jpeg", len(jpeg), jpeg, 204}, "a PDF": {"application/pdf", len(pdf), pdf, 204},
			"a page in a picture's name": {"image/png", 20, []byte("<html><script></html>")[:20], 422}, "a PNG as JPEG": {"image/jpeg", len(png), png, 422},
			"too long": {"image/png", len(png) - 1, png, 413}, "too short": {"image/png", len(png) + 1, png, 422}, "nothing": {"image/png", 1, nil, 422},
		} {
			before := p.Storage.(*shelf).size()
			u := p.announce(t, p.patient, tc.contentType, tc.size)
			require.Equal(t, tc.want, p.http("PUT", u.URL, tc.content).Code, name)
			kept := p.Storage.(*shelf).size() - before
			require.Equal(t, tc.want == 204, kept == 1, name)
			streamed := httptest.NewRequest("PUT", p.announce(t, p.patient, tc.contentType, tc.size).URL, io.MultiReader(bytes.NewReader(tc.content)))
			answer := httptest.NewRecorder() // without a length that is told before
			p.FilesHandler().ServeHTTP(answer, streamed)
			require.Equal(t, min(tc.want, 422) == 204, answer.Code == 204, name)
		}
	})
}

func TestUpload_Link(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		u, late, foreign := p.announce(t, p.patient, "image/png", len(png)), p.announce(t, p.patient, "image/png", len(png)), p.announce(t, p.patient, "image/png", len(png))
		require.Equal(t, clk.Now().Add(5*time.Minute), u.ExpiresAt)
		require.Equal(t, 403, p.http("PUT", strings.Replace(u.URL, u.ID.String(), foreign.ID.String(), 1), png).Code, "signed for another file")
		require.Equal(t, 403, p.http("PUT", strings.Replace(u.URL, u.ID.String(), uuid.NewString(), 1), png).Code)
		won, lost := 0, 0
		var mu sync.Mutex
		atOnce(8, func(int) error {
			code := p.http("PUT", u.URL, png).Code
			mu.Lock()
			defer mu.Unlock()
			switch code {
			case 204:
				won++
			case 409:
				lost++
			}
			return nil
		})
		require.Equal(t, []int{1, 7}, []int{won, lost}, "one use")
		require.Equal(t, 1, p.Storage.(*shelf).size(), "what came too late is not kept")
		clk.Advance(5*time.Minute - time.Second)
		require.Equal(t, 422, p.http("PUT", late.URL, png[1:]).Code, "in time, but not what was announced")
		clk.Advance(time.Second)
		require.Equal(t, 403, p.http("PUT", late.URL, png).Code)
	})
}

// One upload goes into one message, of however many that name it: in one group, and of several that are sent at once.
func TestAttachment_ClaimedOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		file, other := p.upload(t, p.patient), newService(db) // another instance
		won := 0
		for i, err := range atOnce(12, func(i int) error {
			in := p.says(fmt.Sprint(i))
			in.AttachmentIds = []uuid.UUID{file}
			_, err := []*chat.Service{p.Service, other}[i%2].Send(testkit.As(t, p.patient), in)
			return err
		}) {
			if err == nil {
				won++
				continue
			}
			requireCode(t, err, "UPLOAD_REJECTED", i)
		}
		require.Equal(t, 1, won)
		second := p.upload(t, p.patient)
		in := p.says("in a group")
		in.AttachmentIds = []uuid.UUID{second}
		_, errs := p.Group(t.Context(), chat.Sending{By: testkit.Viewer(p.patient), In: in}, chat.Sending{By: testkit.Viewer(p.patient), In: in})
		require.NoError(t, errs[0])
		requireCode(t, errs[1], "UPLOAD_REJECTED")
		require.Len(t, p.requireDense(t, p.room.ID), 2)
	})
}

// The clean-up takes what went into no message within a day, and what is in one stays.
func TestCleanUp(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		used, old := p.upload(t, p.patient), p.upload(t, p.patient)
		p.announce(t, p.patient, "image/png", 9) // and never sent
		m, err := p.sendFiles(t, p.patient, "", used)
		require.NoError(t, err)
		clk.Advance(24 * time.Hour)
		_, err = p.sendFiles(t, p.patient, "", old)
		requireCode(t, err, "UPLOAD_REJECTED", "after a day")
		fresh := p.upload(t, p.patient)
		clk.Advance(time.Hour + time.Second)
		n, err := p.CleanUp(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, 2, p.Storage.(*shelf).size())
		require.Equal(t, http.StatusOK, p.http("GET", p.link(t, p.doctor, m), nil).Code)
		_, err = p.sendFiles(t, p.patient, "", fresh)
		require.NoError(t, err)
	})
}

// connection is an answer that remembers the deadlines of its connection.
type connection struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (c *connection) SetReadDeadline(t time.Time) error  { c.read = t; return nil }
func (c *connection) SetWriteDeadline(t time.Time) error { c.write = t; return nil }

// A file may come as slowly as its link lives, and is answered then.
func TestUpload_MayTakeMinutes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		started := clock.System{}.Now()
		answer := &connection{ResponseRecorder: httptest.NewRecorder()}
		p.FilesHandler().ServeHTTP(answer, httptest.NewRequest(http.MethodPut, p.announce(t, p.patient, "image/png", len(png)).URL, bytes.NewReader(png)))
		require.Equal(t, http.StatusNoContent, answer.Code)
		require.GreaterOrEqual(t, answer.read.Sub(started), 5*time.Minute)
		require.True(t, answer.write.After(answer.read))
	})
}

// broken is a body whose sender has gone, or was too slow.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// An upload whose sender goes away or is too slow is no failure of ours: nothing of it stays, the log is silent, and the link is still good.
func TestUpload_TheSenderGoes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		var told bytes.Buffer
		p.Log = slog.New(slog.NewTextHandler(&told, nil))
		u := p.announce(t, p.patient, "image/png", len(png))
		for cause, want := range map[error]int{io.ErrUnexpectedEOF: http.StatusBadRequest, os.ErrDeadlineExceeded: http.StatusRequestTimeout} {
			for _, sent := range []int{0, len(png) - 1} {
				request := httptest.NewRequest(http.MethodPut, u.URL, io.MultiReader(bytes.NewReader(png[:sent]), broken{cause}))
				request.ContentLength = int64(len(png))
				answer := httptest.NewRecorder()
				p.FilesHandler().ServeHTTP(answer, request)
				require.Equal(t, want, answer.Code, "%v after %d bytes", cause, sent)
			}
		}
		require.Empty(t, told.String())
		require.Equal(t, http.StatusNoContent, p.http("PUT", u.URL, png).Code)
	})
}
