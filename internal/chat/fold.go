package chat

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// fold is a text as searches compare it: every character by itself in its folded form, which may have another length ("ß" is "ss", "İ" is "i" and a
// dot). Accents count.
func fold(s string) string {
	folded, _ := foldMapped(s, false)
	return folded
}

// foldMapped also returns, for every byte of the folded text, the number of the character of s that it comes from.
func foldMapped(s string, isMapped bool) (folded string, origin []int) {
	var b strings.Builder
	caser := cases.Fold()
	n := 0
	for _, r := range s {
		before := b.Len()
		switch {
		case 'A' <= r && r <= 'Z':
			b.WriteByte(byte(r) + 'a' - 'A')
		case r < utf8.RuneSelf:
			b.WriteByte(byte(r))
		default:
			b.WriteString(caser.String(string(r)))
		}
		for range b.Len() - before {
			if isMapped {
				origin = append(origin, n)
			}
		}
		n++
	}
	return b.String(), origin
}

// TextRange is a part of a text, in characters.
type TextRange struct{ Start, Length int }

// Highlights returns where the text holds what was searched for, without overlaps. A character of which only a part of the folded form matches is
// in as a whole.
func Highlights(text, search string) []TextRange {
	ranges := []TextRange{}
	wanted := fold(strings.TrimSpace(search))
	if wanted == "" {
		return ranges
	}
	folded, origin := foldMapped(text, true)
	for at := 0; ; {
		i := strings.Index(folded[at:], wanted)
		if i < 0 {
			return ranges
		}
		first, last := origin[at+i], origin[at+i+len(wanted)-1]
		at += i + len(wanted)
		if n := len(ranges); n > 0 && ranges[n-1].Start+ranges[n-1].Length > first { // they share a character
			ranges[n-1].Length = last - ranges[n-1].Start + 1
			continue
		}
		ranges = append(ranges, TextRange{Start: first, Length: last - first + 1})
	}
}
