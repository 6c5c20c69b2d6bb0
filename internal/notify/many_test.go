package notify

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Many are told at once, of more than goes into one statement, and each once however often.
func TestNoticesAndMails(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, subject, u := service(db, &postbox{}), uuid.New(), testkit.User(t, db, access.Biller)
		const n = perStatement + 2
		var notices []Notice
		var mails []Mail
		for i := range n {
			notices = append(notices, Notice{Kind: "K", UserID: u.ID, SubjectID: subject, Occurrence: fmt.Sprint(i), Title: "T", Text: "X"})
			m := someMail(subject)
			m.Occurrence = fmt.Sprint(i)
			mails = append(mails, m)
		}
		for _, part := range []int{2, n, n} {
			testkit.Write(t, db, func(ctx context.Context) error {
				require.NoError(t, s.Mails(ctx, mails[:part]...))
				return s.Notices(ctx, notices[:part]...)
			})
			assert.Len(t, outbox(t, db), part)
			told, err := db.Client.Notification.Query().Count(testkit.System(t))
			require.NoError(t, err)
			assert.Equal(t, part, told)
		}
		testkit.Write(t, db, func(ctx context.Context) error { // nobody is told of nothing
			require.NoError(t, s.Mails(ctx))
			return s.Notices(ctx)
		})
		require.ErrorContains(t, s.Notices(testkit.System(t), notices[0]), "transaction")
	})
}
