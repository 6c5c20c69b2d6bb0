// Package identifier checks the Australian numbers by which patients, practitioners, organisations and products are
// known: their form, and their check digits where the algorithm is public.
//
// A valid number is one that could have been issued; whether it was, only its registry knows.
package identifier

import (
	"strings"
	"unicode"
)

// Kind names a sort of identifier.
type Kind string

// The kinds.
const (
	Medicare   Kind = "MEDICARE"   // Medicare card: 10 digits; 11 with the individual reference number (IRN)
	IHI        Kind = "IHI"        // Individual Healthcare Identifier: 16 digits
	HPII       Kind = "HPI_I"      // Healthcare Provider Identifier, individual: 16 digits
	HPIO       Kind = "HPI_O"      // Healthcare Provider Identifier, organisation: 16 digits
	Provider   Kind = "PROVIDER"   // Medicare provider number: 6 digits, a location and a check character
	Prescriber Kind = "PRESCRIBER" // PBS prescriber number: 7 digits
	AHPRA      Kind = "AHPRA"      // registration of a practitioner: 3 letters and 10 digits
	PBS        Kind = "PBS"        // item of the Pharmaceutical Benefits Scheme: 2 to 5 digits and a letter
	ARTG       Kind = "ARTG"       // entry of the Register of Therapeutic Goods: up to 7 digits, also after "AUST R"
	APN        Kind = "APN"        // Australian Product Number: 13 digits, an EAN-13
)

// Mode tells how much of an identifier is checked.
type Mode string

// The modes, as the setting IDENTIFIER_CHECKS spells them. Any other value is as good as Strict.
const (
	Strict  Mode = "strict"  // everything
	Lenient Mode = "lenient" // length and characters only, for invented data
)

// Result is the verdict on an identifier.
type Result struct {
	IsValid    bool
	Normalized string // without separators and in upper case, as it is stored; empty unless valid
	Reason     string // a sentence for people that does not repeat the value; empty if valid
}

// longest is the number of bytes that are looked at; no identifier with separators is near it.
const longest = 64

// Validate normalises a value and checks it as an identifier of this kind. It never fails: an unknown kind is a
// Reason like any other.
func Validate(kind Kind, value string, mode Mode) Result {
	r, ok := rules[kind]
	if !ok {
		return refused("This kind of identifier is not known.")
	}
	if len(value) > longest {
		return refused("The identifier is too long.")
	}
	normalized := normalize(value)
	if !r.form.MatchString(normalized) {
		return refused(r.formReason)
	}
	if mode != Lenient && r.check != nil {
		if reason := r.check(normalized); reason != "" {
			return refused(reason)
		}
	}
	return Result{IsValid: true, Normalized: normalized}
}

func refused(reason string) Result { return Result{Reason: reason} }

// normalize removes blanks, slashes and every kind of hyphen that word processors write, and turns letters into upper
// case: those of ASCII only, because others become ASCII letters in upper case (ſ becomes S).
func normalize(value string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '/', unicode.IsSpace(r), unicode.Is(unicode.Pd, r):
			return -1
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, value)
}
