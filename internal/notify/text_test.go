package notify

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/sms"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// pigeon is a service of text messages that remembers what it got and answers as told.
type pigeon struct {
	got []sms.Message
	err error
}

func (p *pigeon) Send(_ context.Context, m sms.Message) (string, error) {
	p.got = append(p.got, m)
	return "201 SM1", p.err
}

func someText(subject uuid.UUID) Text {
	return Text{Kind: "APPOINTMENT_REMINDER", To: "+61412345678", SubjectID: subject, Occurrence: "1", Body: "Tomorrow at nine"}
}

func TestText_GoesOutOnceAndLeavesNoTextBehind(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		bird, m := &pigeon{}, someText(uuid.New())
		s := New(Config{DB: db, SMS: bird, Log: slog.New(slog.DiscardHandler)})
		for range 2 {
			testkit.Write(t, db, func(ctx context.Context) error { return s.Text(ctx, m) })
		}
		deliver(t, s)
		clk.Advance(soon)
		deliver(t, s)
		d := one(t, db)
		require.Equal(t, []sms.Message{{ID: d.ID.String(), To: m.To, Text: m.Body}}, bird.got)
		require.Equal(t, []any{delivery.StatusSENT, "", "201 SM1", delivery.ChannelSMS}, []any{d.Status, d.Body, d.Answer, d.Channel})
	})
}

// One that fails for now is tried eight times, one that is refused for good once; without a service it is kept; a withdrawn one is not sent.
func TestText_Ends(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sender   sms.Sender
		withdraw bool
		status   delivery.Status
		attempts int
	}{
		"Away":      {sender: &pigeon{err: &sms.Error{Answer: "503, code 0"}}, status: delivery.StatusDEAD, attempts: 8},
		"Refused":   {sender: &pigeon{err: &sms.Error{Permanent: true, Answer: "400, code 21211"}}, status: delivery.StatusDEAD, attempts: 1},
		"NoService": {sender: sms.Log{Log: slog.New(slog.DiscardHandler)}, status: delivery.StatusKEPT, attempts: 1},
		"None":      {status: delivery.StatusKEPT, attempts: 1},
		"Withdrawn": {sender: &pigeon{}, withdraw: true, status: delivery.StatusWITHDRAWN},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				var out bytes.Buffer
				s, m := New(Config{DB: db, SMS: tc.sender, Log: slog.New(slog.NewTextHandler(&out, nil))}), someText(uuid.New())
				testkit.Write(t, db, func(ctx context.Context) error { return s.Text(ctx, m) })
				if tc.withdraw {
					testkit.Write(t, db, func(ctx context.Context) error { return s.Withdraw(ctx, m.Kind, m.SubjectID, m.Occurrence) })
				}
				for range 10 {
					deliver(t, s)
					clk.Advance(soon)
				}
				d := one(t, db)
				require.Equal(t, []any{tc.status, tc.attempts}, []any{d.Status, d.Attempts})
				require.NotContains(t, out.String(), "12345678")
				require.NotContains(t, out.String(), m.Body)
			})
		})
	}
}
