package patient_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, nurse := service(t, db), testkit.As(t, testkit.User(t, db, access.Nurse))
		for _, name := range [][2]string{{"Zoë", "O'Brien-Núñez"}, {"Łukasz", "Strauß"}, {"100%", "Under_score"}} {
			_, _, err := s.Create(nurse, input(func(in *patient.CreatePatientInput) { in.GivenName, in.FamilyName = name[0], name[1] }))
			require.NoError(t, err)
		}
		for words, want := range map[string]string{
			"":               "P000001 P000002 P000003",
			"  ":             "P000001 P000002 P000003",
			"zoe":            "P000001",
			"OBRIEN":         "P000001",
			"o’brien zo":     "P000001",
			"nuñez zoë":      "P000001",
			"zoe strauss":    "",
			"lukasz STRAUSS": "P000002",
			"p000002":        "P000002",
			"000":            "P000001 P000002 P000003",
			"%":              "P000001 P000002 P000003", // a sign is no word
			"under score":    "P000003",
		} {
			var numbers []string
			found, err := s.Search(nurse, words).Order(ent.Asc("number")).All(nurse)
			require.NoError(t, err)
			for _, p := range found {
				numbers = append(numbers, p.Number)
			}
			assert.Equal(t, want, strings.Join(numbers, " "), words)
		}

		own := testkit.Patient(t, db)
		found, err := s.Search(nurse, "").All(testkit.As(t, own))
		require.NoError(t, err)
		require.Len(t, found, 1, "the policy limits the search to what the viewer may see")
		assert.Equal(t, own.ID, found[0].ID)
	})
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Zoë O'Brien-Núñez": "zoe obrien nunez",
		"ÅGREN":             "agren",
		"Straße":            "strasse",
		"Łukasz Đorđe":      "lukasz dorde",
		"Ærø  \t Þór":       "aero thor",
		"İstanbul ısı":      "istanbul isi",
		"Нина":              "нина",
		"ﬁona":              "fiona",
		"":                  "",
	} {
		assert.Equal(t, want, patient.Fold(in), in)
	}
}

// Folding twice is folding once, and a search key fits its column whatever the names.
func TestFoldProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		given, family := rapid.StringN(0, 100, 100).Draw(t, "given"), rapid.StringN(0, 100, 100).Draw(t, "family")
		folded := patient.Fold(given)
		assert.Equal(t, folded, patient.Fold(folded))
		key := patient.SearchKey(given, family, "P000001")
		assert.LessOrEqual(t, len(key), 300)
		assert.True(t, utf8.ValidString(key))
		assert.True(t, strings.HasSuffix(key, " p000001"))
	})
	assert.LessOrEqual(t, len(patient.SearchKey(strings.Repeat("ﷺ", 33), strings.Repeat("ﷺ", 33), "P000001")), 300)
}

func TestNormalizePhone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0412 345 678": "+61412345678", "(07) 3000-1234": "+61730001234", "+64 21 123 4567": "+64211234567", "0011 64 21 123 4567": "+64211234567",
		"": "", "abc": "", "12": "", "0412 345 67": "", "+1": "", strings.Repeat("1", 41): "",
	} {
		got, err := patient.NormalizePhone(in)
		assert.Equal(t, want, got, in)
		assert.Equal(t, want == "", err != nil, in)
	}
}

func TestNormalizeEmail(t *testing.T) {
	t.Parallel()
	for in, isGood := range map[string]bool{
		"a@b.example": true, " A.b+c@sub.b-c.example ": true, "o'neil@b.example": true,
		"": false, "a": false, "a@b": false, "@b.example": false, "a@@b.example": false, "a b@c.example": false, "a..b@c.example": false,
		"a@-b.example": false, "a@b.example\n": true, "a\n@b.example": false, "\u212a@b.example": false, "<a@b.example>": false, // a Kelvin sign, whose small letter is k
		strings.Repeat("a", 65) + "@b.example":                                 false,
		"a@" + strings.Repeat(strings.Repeat("b", 60)+".", 5) + "example":      false,
		strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + ".c.example": true,
	} {
		_, err := patient.NormalizeEmail(in)
		assert.Equal(t, isGood, err == nil, in)
	}
}
