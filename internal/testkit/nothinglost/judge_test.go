package nothinglost_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/nothinglost"
)

// story is a room in which all is well: one writer, one reader who resumed once, three messages, one kill.
type story struct {
	plan   nothinglost.Plan
	logs   nothinglost.Logs
	stored map[string][]nothinglost.Stored
	kills  []nothinglost.Kill
}

func at(second int) time.Time { return testkit.Start.Add(time.Duration(second) * time.Second) }

func allIsWell() *story {
	s := &story{
		plan:   nothinglost.Plan{Rooms: []nothinglost.Room{{ID: "r", Writers: []nothinglost.Person{{Name: "w"}}, Readers: []nothinglost.Person{{Name: "d"}}}}},
		stored: map[string][]nothinglost.Stored{"r": {{ID: "m1", ClientID: "w-1", Position: 1}, {ID: "m2", ClientID: "w-2", Position: 2}, {ID: "m3", ClientID: "w-3", Position: 3}}},
		kills:  []nothinglost.Kill{{URL: "u", At: at(20)}},
	}
	for i, m := range s.stored["r"] {
		s.logs.Acks = append(s.logs.Acks, nothinglost.Ack{
			Room: "r", Writer: "w", ClientID: m.ClientID, ID: m.ID, Number: i + 1, Position: m.Position, Attempts: 1, At: at(10 * (i + 1)).Add(time.Second), CreatedAt: at(10 * (i + 1)),
		})
	}
	s.logs.Attempts = []nothinglost.Attempt{{Writer: "w", ClientID: "w-2", URL: "u", SentAt: at(19), EndedAt: at(21)}}
	event := func(kind, cursor, previous, message string, position int64) nothinglost.Event {
		return nothinglost.Event{Room: "r", Reader: "d", Kind: kind, Cursor: cursor, Previous: previous, MessageID: message, Position: position}
	}
	s.logs.Events = []nothinglost.Event{
		{Room: "r", Reader: "d"}, event("StreamOpened", "c1", "", "", 0), event("MessageAdded", "c2", "c1", "m1", 1), event("MessageAdded", "c3", "c2", "m2", 2),
		{Room: "r", Reader: "d", Lost: "reset"}, {Room: "r", Reader: "d", OpenedAfter: "c3"}, event("MessagesRead", "c4", "c3", "", 0), event("MessageAdded", "c5", "c4", "m3", 3),
	}
	return s
}

func (s *story) judge() nothinglost.Verdict {
	return nothinglost.Judge(s.plan, s.logs, s.stored, s.kills)
}

func TestJudge_AllIsWell(t *testing.T) {
	t.Parallel()
	v := allIsWell().judge()
	require.NoError(t, v.Err())
	require.Equal(t, nothinglost.Verdict{Acknowledged: 3, Stored: 3, Readers: 1, Delivered: 3, Expected: 3, Kills: 1, KillsUnderLoad: 1, Resolved: 1, Resumes: 1, Rooms: []string{"3=3=3"}}, v)
}

// TestJudge_SeesWhatIsWrong: every invariant is broken once.
func TestJudge_SeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(s *story)
		says  string
	}{
		"AnAcknowledgedMessageIsNotStored":   {func(s *story) { s.stored["r"] = s.stored["r"][:2] }, "w-3 was acknowledged at 3 and is stored as {ID: "},
		"AStoredMessageWasNeverAcknowledged": {func(s *story) { s.logs.Acks = s.logs.Acks[:2] }, "w-3 is stored and never was acknowledged"},
		"AnotherPlaceWasAcknowledged":        {func(s *story) { s.logs.Acks[2].Position = 4 }, "w-3 was acknowledged at 4"},
		"AMessageIsStoredTwice": {func(s *story) {
			s.stored["r"] = append(s.stored["r"], nothinglost.Stored{ID: "m4", ClientID: "w-3", Position: 4})
		}, "w-3 is stored twice"},
		"PositionsAreNotDense":           {func(s *story) { s.stored["r"][2].Position = 4 }, "the message at place 3 has position 4"},
		"AWriterIsOutOfOrder":            {func(s *story) { s.logs.Acks[1].Number, s.logs.Acks[2].Number = 3, 2 }, "of one writer stands at"},
		"AnEventIsDropped":               {func(s *story) { s.logs.Events = slices.Delete(s.logs.Events, 3, 4) }, "something is missing"},
		"AnEventWithoutMessageIsDropped": {func(s *story) { s.logs.Events = slices.Delete(s.logs.Events, 6, 7) }, "something is missing"},
		"TheLastEventIsDropped":          {func(s *story) { s.logs.Events = s.logs.Events[:7] }, "was given 2 messages of 3"},
		"AnEventComesTwice":              {func(s *story) { s.logs.Events = slices.Insert(s.logs.Events, 4, s.logs.Events[3]) }, "came twice"},
		"EventsAreExchanged": {func(s *story) {
			s.logs.Events[2], s.logs.Events[3] = s.logs.Events[3], s.logs.Events[2]
		}, "in another order"},
		"AResumedStreamStartsAnew": {func(s *story) { s.logs.Events[6].Kind = "StreamOpened" }, "was opened anew"},
		"AReaderIsRefused":         {func(s *story) { s.logs.Events[4].Fault = "RESUME_EXPIRED" }, "RESUME_EXPIRED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := allIsWell()
			tc.spoil(s)
			err := s.judge().Err()
			require.Error(t, err)
			require.True(t, strings.Contains(err.Error(), strings.TrimSuffix(tc.says, "{ID: ")), "%s", err)
		})
	}
}

// TestJudge_AKillCountsWhenItMetAMessage.
func TestJudge_AKillCountsWhenItMetAMessage(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *story){
		"NothingWasUnderWay":     func(s *story) { s.logs.Attempts[0].EndedAt = at(19) },
		"AtAnotherServer":        func(s *story) { s.logs.Attempts[0].URL = "v" },
		"BeforeTheFirstWasAcked": func(s *story) { s.logs.Acks = s.logs.Acks[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := allIsWell()
			spoil(s)
			require.Zero(t, s.judge().KillsUnderLoad)
		})
	}
}
