// Package canon is the one canonical encoding of everything that Caregraph hashes or signs: audit chains, signed
// notes, prescriptions, idempotency inputs, event payloads. Two different lists of fields never have the same bytes,
// and the same list always has the same bytes, on every engine and in every release.
//
// # Layout
//
// All numbers are 8 bytes, big-endian; signed ones in two's complement. A text below is its number of bytes followed by
// the bytes themselves; names and strings are UTF-8 and are neither normalised nor escaped.
//
//	document = magic domain version count field*
//	magic    = the 17 bytes "caregraph/canon/1"
//	domain   = text: what is encoded, such as "session_note"
//	version  = signed number: the version of that domain's list of fields
//	count    = number of fields
//	field    = name type value
//	name     = text
//	type     = 1 byte: 'n', 's', 'b', 'i', 'f', 't' or 'u'
//	value    = by type:
//	           'n'  null: nothing
//	           's'  string: text
//	           'b'  bytes: text
//	           'i'  integer: signed number
//	           'f'  false: nothing
//	           't'  true: nothing
//	           'u'  time: signed number, the whole microseconds since 1970-01-01T00:00:00Z, rounded down
//
// Nothing follows the last field. Fields keep the order in which they are given, which belongs to the version of the
// domain: whoever adds, drops, renames or reorders a field raises the version. A nested list is a field of bytes that
// holds a document of its own.
package canon

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

const magic = "caregraph/canon/1"

// Field is one named and typed value of a document. The zero Field is not valid; use the functions below.
type Field struct {
	name  string
	kind  byte
	value []byte // as it is encoded
}

// Null is a field without a value, which differs from an empty string and from a missing field.
func Null(name string) Field { return Field{name: name, kind: 'n'} }

// String is a field of text.
func String(name, v string) Field {
	return Field{name: name, kind: 's', value: appendText(nil, v)}
}

// Bytes is a field of raw bytes; nil and empty are the same.
func Bytes(name string, v []byte) Field {
	return Field{name: name, kind: 'b', value: appendText(nil, v)}
}

// Int is a field of a whole number: a count, minor units of money, an enum's number.
func Int(name string, v int64) Field {
	return Field{name: name, kind: 'i', value: appendNumber(nil, v)}
}

// Bool is a field of a truth value.
func Bool(name string, v bool) Field {
	if v {
		return Field{name: name, kind: 't'}
	}
	return Field{name: name, kind: 'f'}
}

// Time is a field of an instant, rounded down to the microsecond that the store keeps; its zone does not matter.
func Time(name string, v time.Time) Field {
	return Field{name: name, kind: 'u', value: appendNumber(nil, v.UnixMicro())}
}

// Encode returns the document of these fields in the layout of the package's description. The domain keeps documents
// of different sorts apart, even with the same fields.
func Encode(domain string, version int, fields ...Field) []byte {
	b := appendText([]byte(magic), domain)
	b = appendNumber(b, int64(version))
	b = appendNumber(b, int64(len(fields)))
	for _, f := range fields {
		b = appendText(b, f.name)
		b = append(b, f.kind)
		b = append(b, f.value...)
	}
	return b
}

// Hash returns the SHA-256 of the document in 64 lower-case hexadecimal digits.
func Hash(domain string, version int, fields ...Field) string {
	sum := sha256.Sum256(Encode(domain, version, fields...))
	return hex.EncodeToString(sum[:])
}

func appendNumber(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) }

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(appendNumber(b, int64(len(text))), text...)
}
