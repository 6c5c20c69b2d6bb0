package identifier_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/identifier"
)

var kinds = []identifier.Kind{
	identifier.Medicare, identifier.IHI, identifier.HPII, identifier.HPIO, identifier.Provider, identifier.Prescriber,
	identifier.AHPRA, identifier.PBS, identifier.ARTG, identifier.APN,
}

func TestValidate_Accepts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name              string
		kind              identifier.Kind
		value, normalized string
	}{
		{"Medicare", "MEDICARE", "2950156481", "2950156481"},
		{"Medicare with blanks", "MEDICARE", "2950 15648 1", "2950156481"},
		{"Medicare with IRN", "MEDICARE", "2950 15648 1/2", "29501564812"},
		{"Medicare with hyphens", "MEDICARE", "2950-15648-1", "2950156481"},
		{"Medicare with a typographer's dash", "MEDICARE", "2950–15648‑1", "2950156481"},
		{"Medicare with blanks that do not break", "MEDICARE", "2950\u00a015648\u00a01", "2950156481"},
		{"IHI", "IHI", "8003608166690503", "8003608166690503"},
		{"IHI in groups", "IHI", "8003 6081 6669 0503", "8003608166690503"},
		{"HPI-I", "HPI_I", "8003611566666701", "8003611566666701"},
		{"HPI-O", "HPI_O", "8003621566684455", "8003621566684455"},
		{"provider", "PROVIDER", "988939BJ", "988939BJ"},
		{"provider in lower case", "PROVIDER", "988939 bj", "988939BJ"},
		{"prescriber with 0", "PRESCRIBER", "0848402", "0848402"},
		{"prescriber without 0", "PRESCRIBER", "2425739", "2425739"},
		{"AHPRA", "AHPRA", "MED0001234567", "MED0001234567"},
		{"AHPRA in lower case", "AHPRA", "med 0001234567", "MED0001234567"},
		{"PBS of four digits", "PBS", "1234A", "1234A"},
		{"PBS of five digits", "PBS", "12210P", "12210P"},
		{"PBS of two digits", "PBS", "12b", "12B"},
		{"ARTG", "ARTG", "123456", "123456"},
		{"ARTG of one digit", "ARTG", "1", "1"},
		{"ARTG of seven digits", "ARTG", "1234567", "1234567"},
		{"ARTG registered", "ARTG", "AUST R 123456", "AUSTR123456"},
		{"ARTG listed", "ARTG", "Aust L 123456", "AUSTL123456"},
		{"ARTG assessed listed", "ARTG", "AUST L(A) 123456", "AUSTL(A)123456"},
		{"APN", "APN", "4006381333931", "4006381333931"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := identifier.Result{IsValid: true, Normalized: c.normalized}
			require.Equal(t, want, identifier.Validate(c.kind, c.value, identifier.Strict))
			require.Equal(t, want, identifier.Validate(c.kind, c.value, identifier.Lenient))
		})
	}
}

func TestValidate_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		kind           identifier.Kind
		value, reason  string
		isLenientValid bool
	}{
		{"Medicare with a wrong check digit", "MEDICARE", "2123456711", "check digit", true},
		{"Medicare that begins with 1", "MEDICARE", "1950156471", "from 2 to 6", true},
		{"Medicare that begins with 7", "MEDICARE", "7950156431", "from 2 to 6", true},
		{"Medicare of issue 0", "MEDICARE", "2950156480", "issue number", true},
		{"Medicare of IRN 0", "MEDICARE", "29501564810", "reference number", true},
		{"Medicare of 9 digits", "MEDICARE", "295015648", "10 digits", false},
		{"Medicare of 12 digits", "MEDICARE", "295015648112", "10 digits", false},
		{"Medicare with a letter", "MEDICARE", "29501564B1", "10 digits", false},
		{"Medicare with digits of another script", "MEDICARE", "٢٩٥٠١٥٦٤٨١", "10 digits", false},
		{"no Medicare number", "MEDICARE", "", "10 digits", false},
		{"only blanks", "MEDICARE", "   ", "10 digits", false},
		{"IHI with a wrong check digit", "IHI", "8003608166690504", "check digit", true},
		{"HPI-I given as IHI", "IHI", "8003611566666701", "begins with 800360", true},
		{"IHI given as HPI-I", "HPI_I", "8003608166690503", "begins with 800361", true},
		{"HPI-I given as HPI-O", "HPI_O", "8003611566666701", "begins with 800362", true},
		{"IHI of 15 digits", "IHI", "800360816669050", "16 digits", false},
		{"provider with a wrong check character", "PROVIDER", "988939BK", "check character", true},
		{"provider of 5 digits", "PROVIDER", "98893BJ", "6 digits", false},
		{"provider with a location that is never used", "PROVIDER", "988939OJ", "6 digits", false},
		{"provider with a check character that is never used", "PROVIDER", "988939BC", "6 digits", false},
		{"prescriber with a wrong check digit", "PRESCRIBER", "2345678", "check digit", true},
		{"prescriber with 0 and a wrong check digit", "PRESCRIBER", "0848403", "check digit", true},
		{"prescriber whose remainder is 10", "PRESCRIBER", "0200000", "check digit", true},
		{"prescriber of 6 digits", "PRESCRIBER", "084840", "7 digits", false},
		{"AHPRA of 9 digits", "AHPRA", "MED000123456", "10 digits", false},
		{"AHPRA with a letter that only looks like S", "AHPRA", "PſY0001234567", "3 letters", false},
		{"PBS of one digit", "PBS", "1A", "2 to 5", false},
		{"PBS of six digits", "PBS", "123456A", "2 to 5", false},
		{"PBS with two letters", "PBS", "1234AB", "2 to 5", false},
		{"PBS without a letter", "PBS", "1234", "2 to 5", false},
		{"ARTG of eight digits", "ARTG", "12345678", "up to 7", false},
		{"ARTG of another register", "ARTG", "AUST X 123456", "up to 7", false},
		{"ARTG without a number", "ARTG", "AUST R", "up to 7", false},
		{"APN with a wrong check digit", "APN", "4006381333930", "check digit", true},
		{"APN of 12 digits", "APN", "400638133393", "13 digits", false},
		{"a kind that does not exist", "PASSPORT", "2950156481", "not known", false},
		{"a kind in lower case", "medicare", "2950156481", "not known", false},
		{"a second line", "MEDICARE", "2950156481\nx", "10 digits", false},
		{"more than 64 bytes", "MEDICARE", "2950156481" + strings.Repeat(" ", 55), "too long", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := identifier.Validate(c.kind, c.value, identifier.Strict)
			require.Contains(t, got.Reason, c.reason)
			requireVerdict(t, got)
			require.False(t, got.IsValid)
			lenient := identifier.Validate(c.kind, c.value, identifier.Lenient)
			requireVerdict(t, lenient)
			require.Equal(t, c.isLenientValid, lenient.IsValid)
			require.Equal(t, got, identifier.Validate(c.kind, c.value, "whatever"), "an unknown mode is strict")
		})
	}
}

// Weights without a common factor with their modulus make every change of one digit change the check digit.
func TestValidate_RefusesAnyOneWrongDigit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     identifier.Kind
		generate *rapid.Generator[string]
		from, to int // the positions for which the algorithm guarantees it
	}{
		{identifier.Medicare, anyMedicare, 0, 9},
		{identifier.IHI, luhnWith("800360"), 0, 16},
		{identifier.HPII, luhnWith("800361"), 0, 16},
		{identifier.HPIO, luhnWith("800362"), 0, 16},
		{identifier.Provider, anyProvider, 0, 6},
		{identifier.Prescriber, anyPrescriber, 1, 7}, // the first digit chooses the algorithm
		{identifier.APN, anyEAN13, 0, 13},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				valid := c.generate.Draw(t, "valid")
				want := identifier.Result{IsValid: true, Normalized: valid}
				require.Equal(t, want, identifier.Validate(c.kind, valid, identifier.Strict))

				wrong := []byte(valid)
				at := rapid.IntRange(c.from, c.to-1).Draw(t, "position")
				by := rapid.ByteRange(1, 9).Draw(t, "change")
				wrong[at] = '0' + (wrong[at]-'0'+by)%10
				require.False(t, identifier.Validate(c.kind, string(wrong), identifier.Strict).IsValid, string(wrong))
			})
		})
	}
}

// The generators look for the check digit in another way than the code: by the definition of the remainder, or by
// trying all ten.

var anyMedicare = rapid.Custom(func(t *rapid.T) string {
	d := rapid.StringMatching(`[2-6][0-9]{7}`).Draw(t, "number")
	n := func(i int) int { return int(d[i] - '0') }
	check := (n(0) + 3*n(1) + 7*n(2) + 9*n(3) + n(4) + 3*n(5) + 7*n(6) + 9*n(7)) % 10
	return fmt.Sprintf("%s%d%s", d, check, rapid.StringMatching(`[1-9][1-9]?`).Draw(t, "issue and IRN"))
})

func luhnWith(prefix string) *rapid.Generator[string] {
	doubled := [10]int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9} // twice the digit, with its digits added
	return rapid.Custom(func(t *rapid.T) string {
		d := prefix + rapid.StringMatching(`[0-9]{9}`).Draw(t, "number")
		for check := range 10 {
			sum := check
			for i, c := range d {
				if i%2 == 0 {
					sum += doubled[c-'0']
				} else {
					sum += int(c - '0')
				}
			}
			if sum%10 == 0 {
				return fmt.Sprint(d, check)
			}
		}
		panic("one of ten digits always fits")
	})
}

var anyProvider = rapid.Custom(func(t *rapid.T) string {
	d := rapid.StringMatching(`[0-9]{6}`).Draw(t, "number")
	n := func(i int) int { return int(d[i] - '0') }
	location := rapid.IntRange(0, 31).Draw(t, "location")
	sum := 3*n(0) + 5*n(1) + 8*n(2) + 4*n(3) + 2*n(4) + n(5) + 6*location
	return d + "0123456789ABCDEFGHJKLMNPQRTUVWXY"[location:location+1] + "YXWTLKJHFBA"[sum%11:sum%11+1]
})

var anyPrescriber = rapid.Custom(func(t *rapid.T) string {
	d := rapid.StringMatching(`[0-9]{6}`).Draw(t, "number")
	n := func(i int) int { return int(d[i] - '0') }
	if d[0] == '0' {
		return fmt.Sprint(d, (5*n(1)+8*n(2)+4*n(3)+2*n(4)+n(5))%11)
	}
	return fmt.Sprint(d, (n(0)+3*n(1)+7*n(2)+9*n(3)+n(4)+3*n(5))%10)
}).Filter(func(s string) bool { return len(s) == 7 })

var anyEAN13 = rapid.Custom(func(t *rapid.T) string {
	d := rapid.StringMatching(`[0-9]{12}`).Draw(t, "number")
	odd, even := 0, 0
	for i, c := range d {
		if i%2 == 0 {
			odd += int(c - '0')
		} else {
			even += int(c - '0')
		}
	}
	return fmt.Sprint(d, (10-(odd+3*even)%10)%10)
})

func TestValidate_TheCheckCharacterOfAProviderIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		valid := anyProvider.Draw(t, "valid")
		for _, check := range "YXWTLKJHFBA" {
			value := valid[:7] + string(check)
			require.Equal(t, value == valid, identifier.Validate(identifier.Provider, value, identifier.Strict).IsValid)
		}
	})
}

var stored = regexp.MustCompile(`^[0-9A-Z()]+$`)

// requireVerdict checks what holds for every result.
func requireVerdict(t require.TestingT, r identifier.Result) {
	if r.IsValid {
		require.Regexp(t, stored, r.Normalized)
		require.Empty(t, r.Reason)
		return
	}
	require.Empty(t, r.Normalized)
	require.Regexp(t, `^[A-Z].*\.$`, r.Reason)
}

func FuzzValidate(f *testing.F) {
	for i, value := range []string{
		"2950156481", "2950 15648 1/2", "8003608166690503", "988939BJ", "0848402", "MED0001234567", "12210P",
		"AUST L(A) 123456", "4006381333931", "", "\xff", "ſ", "٢",
	} {
		f.Add(uint8(i), value)
	}
	f.Fuzz(func(t *testing.T, kind uint8, value string) {
		k := kinds[int(kind)%len(kinds)]
		for _, mode := range []identifier.Mode{identifier.Strict, identifier.Lenient} {
			got := identifier.Validate(k, value, mode)
			requireVerdict(t, got)
			if got.IsValid {
				require.Equal(t, got, identifier.Validate(k, got.Normalized, mode), "what is stored stays valid")
				lenient := identifier.Validate(k, value, identifier.Lenient)
				require.Equal(t, got, lenient, "lenient accepts all that strict does")
			}
		}
	})
}
