package patient

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plain spells letters that Unicode does not take apart the way people type them who do not have the key.
var plain = map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ı': "i"}

// Fold returns a text as searches compare it: small letters without accents, words parted by one blank. An apostrophe joins, any other sign
// parts: "Zoë O'Brien-Núñez" folds to "zoe obrien nunez".
func Fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		r = unicode.ToLower(r)
		switch spelled, ok := plain[r]; {
		case ok:
			b.WriteString(spelled)
		case unicode.IsMark(r), isApostrophe(r): // left out
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func isApostrophe(r rune) bool { return strings.ContainsRune("'`´‘’ʹʻʼ", r) }

// SearchKey is what a search looks in: folded names and number.
func SearchKey(givenName, familyName, number string) string {
	return cut(foldedName(givenName, familyName), maxSearchKey-len(number)-1) + " " + Fold(number)
}

func foldedName(givenName, familyName string) string { return Fold(givenName + " " + familyName) }

const maxSearchKey = 300

// cut shortens a text to so many bytes, between two letters.
func cut(s string, most int) string {
	for len(s) > most {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
