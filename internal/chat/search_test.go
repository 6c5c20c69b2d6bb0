package chat_test

import (
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func (p *practice) find(t *testing.T, who any, in chat.MessagesInput) (bodies []string) {
	t.Helper()
	in.RoomID = p.room.ID
	q, err := p.Messages(in)
	require.NoError(t, err)
	list, err := q.Order(chatmessage.ByPosition(sql.OrderDesc())).All(testkit.As(t, who))
	require.NoError(t, err)
	for _, m := range list {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

func TestMessages_Search(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		for _, body := range []string{"ÄRZTE in der Straße", "100% sure", "100 percent", "under_score", "underscore", `back\slash`, "İstanbul", "ΣΊΣΥΦΟΣ", "Рецепт"} {
			p.send(t, p.patient, body)
		}
		for search, want := range map[string][]string{
			"ärzte": {"ÄRZTE in der Straße"}, "STRASSE": {"ÄRZTE in der Straße"}, "straße": {"ÄRZTE in der Straße"}, "arzte": nil,
			"%": {"100% sure"}, "100": {"100 percent", "100% sure"}, "_": {"under_score"}, `\`: {`back\slash`}, "UNDERSCORE": {"underscore"},
			"istanbul": nil, "i̇stanbul": {"İstanbul"}, "σίσυφοσ": {"ΣΊΣΥΦΟΣ"}, "ς": {"ΣΊΣΥΦΟΣ"}, "рецепт": {"Рецепт"}, "sure": {"100% sure"}, "nothing": nil,
		} {
			require.Equal(t, want, p.find(t, p.doctor, chat.MessagesInput{Search: &search}), search)
			require.Empty(t, p.find(t, testkit.Patient(t, db), chat.MessagesInput{Search: &search}), "of a stranger")
		}
	})
}

// An edited message is found by its latest text, a deleted one not at all, and one from before there were searches by its letters.
func TestMessages_SearchLatestText(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		edited, gone := p.send(t, p.patient, "left knee"), p.send(t, p.patient, "left foot")
		require.NoError(t, p.edit(t, p.patient, edited, "wrong"))
		require.NoError(t, p.edit(t, p.patient, edited, "RIGHT knee"))
		require.NoError(t, p.edit(t, p.patient, gone, "right foot"))
		require.NoError(t, p.remove(t, p.patient, gone))
		for search, want := range map[string]int{"left": 0, "wrong": 0, "right": 1, "KNEE": 1, "foot": 0} {
			require.Len(t, p.find(t, p.patient, chat.MessagesInput{Search: &search}), want, search)
		}
	})
}

func TestMessages_FromTo(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		var at []time.Time
		for _, body := range []string{"one", "two", "three"} {
			at = append(at, clk.Now())
			p.send(t, p.patient, body)
			clk.Advance(time.Hour)
		}
		require.Equal(t, []string{"three", "two"}, p.find(t, p.patient, chat.MessagesInput{From: &at[1]}))
		require.Equal(t, []string{"two", "one"}, p.find(t, p.patient, chat.MessagesInput{To: &at[2]}))
		require.Equal(t, []string{"two"}, p.find(t, p.patient, chat.MessagesInput{From: &at[1], To: &at[2]}))
	})
}

func TestMessages_SearchIsBounded(t *testing.T) {
	t.Parallel()
	for name, search := range map[string]string{"empty": "", "blank": " \t", "201 characters": strings.Repeat("ä", 201), "no text": "a\xffb"} {
		err := chat.MessagesInput{Search: &search}.Validate()
		requireCode(t, err, fault.CodeInvalidInput, name)
	}
	most := strings.Repeat("ä", 200)
	require.NoError(t, chat.MessagesInput{Search: &most}.Validate())
}

func TestHighlights(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text, search string
		want         []chat.TextRange
	}{
		{"Hello hello", "HELLO", []chat.TextRange{{Start: 0, Length: 5}, {Start: 6, Length: 5}}},
		{"İİx", "x", []chat.TextRange{{Start: 2, Length: 1}}},
		{"Straße", "SS", []chat.TextRange{{Start: 4, Length: 1}}},
		{"Straße", "asse", []chat.TextRange{{Start: 3, Length: 3}}},
		{"ßs", "ss", []chat.TextRange{{Start: 0, Length: 1}}},
		{"ßß", "s", []chat.TextRange{{Start: 0, Length: 1}, {Start: 1, Length: 1}}},
		{"😀 knee", "KNEE", []chat.TextRange{{Start: 2, Length: 4}}},
		{"aaaa", "aa", []chat.TextRange{{Start: 0, Length: 2}, {Start: 2, Length: 2}}},
		{"nothing", "x", []chat.TextRange{}},
		{"nothing", " ", []chat.TextRange{}},
	} {
		require.Equal(t, tc.want, chat.Highlights(tc.text, tc.search), "%q in %q", tc.search, tc.text)
	}
}

// Whatever a part of a text is searched for, some highlight lies where it is, and all lie within the text, in order and apart.
func TestHighlights_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := []rune(rapid.StringOfN(rapid.SampledFrom([]rune("aAsSßİıéÉΣςſﬃ😀 ")), 1, 30, -1).Draw(t, "text"))
		from := rapid.IntRange(0, len(text)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(text)).Draw(t, "to")
		part := strings.TrimSpace(string(text[from:to]))
		found := chat.Highlights(string(text), strings.ToUpper(strings.ToLower(part)))
		if same := chat.Highlights(string(text), part); part != "" && len(same) == 0 {
			t.Fatalf("%q is not found in %q", part, string(text))
		}
		end := 0
		for _, r := range found {
			if r.Start < end || r.Length < 1 || r.Start+r.Length > len(text) {
				t.Fatalf("%v in a text of %d characters", found, len(text))
			}
			end = r.Start + r.Length
		}
	})
}
