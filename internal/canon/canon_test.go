package canon_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/canon"
)

// Written by hand from the description of the layout. They never change: what was signed must stay verifiable.
func TestEncode_GoldenVectors(t *testing.T) {
	t.Parallel()
	const magic = "63617265 67726170 682f6361 6e6f6e2f 31" // "caregraph/canon/1"
	note := magic +
		"0000000000000004 6e6f7465" + // "note"
		"0000000000000002" + // version 2
		"0000000000000007" + // seven fields
		"0000000000000001 61 73 0000000000000003 e282ac" + // a: "€"
		"0000000000000001 62 62 0000000000000002 00ff" + // b: 00 ff
		"0000000000000001 63 69 fffffffffffffffe" + // c: -2
		"0000000000000001 64 74" + // d: true
		"0000000000000001 65 66" + // e: false
		"0000000000000001 66 75 00062bb35bd3a001" + // f: 2025-01-15 00:00:00.000001 UTC
		"0000000000000001 67 6e" // g: null
	noteFields := []canon.Field{
		canon.String("a", "€"),
		canon.Bytes("b", []byte{0x00, 0xff}),
		canon.Int("c", -2),
		canon.Bool("d", true),
		canon.Bool("e", false),
		canon.Time("f", time.Date(2025, 1, 15, 0, 0, 0, 1999, time.UTC)),
		canon.Null("g"),
	}
	for _, c := range []struct {
		name    string
		domain  string
		version int
		fields  []canon.Field
		want    string
		hash    string
	}{
		{
			"no fields", "", 1, nil,
			magic + "0000000000000000 0000000000000001 0000000000000000",
			"43f811680c6091ee0f1f6e9a869c0b082f7d6eaeb3b66374927691485107958a",
		},
		{"every type", "note", 2, noteFields, note, "c3af6ed9defdd5a3741f990e7126d0f11ef5f6848268a89d7c995270dc68bd2e"},
		{
			"before 1970 is rounded down, not towards zero", "t", 1,
			[]canon.Field{canon.Time("", time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC))},
			magic + "0000000000000001 74 0000000000000001 0000000000000001 0000000000000000 75 ffffffffffffffff",
			"b69c8d23e797916e18b5c0fac5eb796d010985a9aaa0d848d0745cc370f35006",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
			require.NoError(t, err)
			got := canon.Encode(c.domain, c.version, c.fields...)
			require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got))
			require.Equal(t, c.hash, canon.Hash(c.domain, c.version, c.fields...))
		})
	}
}

func TestEncode_LookalikesDiffer(t *testing.T) {
	t.Parallel()
	encode := func(fields ...canon.Field) []byte { return canon.Encode("d", 1, fields...) }
	for _, c := range []struct {
		name string
		a, b []byte
	}{
		{"text moved between fields",
			encode(canon.String("x", "ab"), canon.String("y", "c")),
			encode(canon.String("x", "a"), canon.String("y", "bc"))},
		{"text moved between name and value", encode(canon.String("ab", "c")), encode(canon.String("a", "bc"))},
		{"null and the empty string", encode(canon.Null("x")), encode(canon.String("x", ""))},
		{"null and a missing field", encode(canon.Null("x")), encode()},
		{"the empty string and no bytes", encode(canon.String("x", "")), encode(canon.Bytes("x", nil))},
		{"a string and its bytes", encode(canon.String("x", "a")), encode(canon.Bytes("x", []byte("a")))},
		{"a number and an instant", encode(canon.Int("x", 5)), encode(canon.Time("x", time.UnixMicro(5)))},
		{"a number and a truth value", encode(canon.Int("x", 1)), encode(canon.Bool("x", true))},
		{"false and null", encode(canon.Bool("x", false)), encode(canon.Null("x"))},
		{"the order of fields",
			encode(canon.Int("x", 1), canon.Int("y", 2)), encode(canon.Int("y", 2), canon.Int("x", 1))},
		{"a field and its nested twin",
			encode(canon.Bytes("x", encode(canon.Int("y", 1)))), encode(canon.Int("y", 1))},
		{"domains", canon.Encode("a", 1), canon.Encode("b", 1)},
		{"versions", canon.Encode("a", 1), canon.Encode("a", 2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.NotEqual(t, c.a, c.b)
		})
	}
}

func TestTime_TheZoneDoesNotMatter(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 1, 15, 9, 0, 0, 0, time.FixedZone("", 11*3600))
	require.Equal(t, canon.Encode("d", 1, canon.Time("x", at)), canon.Encode("d", 1, canon.Time("x", at.UTC())))
}

// A document can be read back to exactly the fields it was made of, and so no two lists share one document.
func TestEncode_IsInjective(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyDocument.Draw(t, "document")
		require.Empty(t, cmp.Diff(want, decode(t, want.encode())))
	})
}

// Small alphabets, so that two drawn documents are often nearly the same.
func TestEncode_DifferentDocumentsDiffer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyDocument.Draw(t, "a"), anyDocument.Draw(t, "b")
		same := cmp.Equal(a, b)
		require.Equal(t, same, bytes.Equal(a.encode(), b.encode()))
	})
}

// document is the model of what is encoded. A value is nil, string, []byte, int64, bool or time.Time.
type document struct {
	Domain  string
	Version int64
	Fields  []modelField
}

type modelField struct {
	Name  string
	Value any
}

var (
	shortText   = rapid.OneOf(rapid.StringOfN(rapid.SampledFrom([]rune("ab\x00s€")), 0, 3, -1), rapid.String())
	anyInt      = rapid.OneOf(rapid.Int64Range(-2, 2), rapid.Int64())
	anyDocument = rapid.Custom(func(t *rapid.T) document {
		return document{
			Domain:  shortText.Draw(t, "domain"),
			Version: int64(rapid.IntRange(0, 2).Draw(t, "version")),
			Fields: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) modelField {
				return modelField{Name: shortText.Draw(t, "name"), Value: anyValue.Draw(t, "value")}
			}), 0, 4).Draw(t, "fields"),
		}
	})
	anyValue = rapid.OneOf(
		rapid.Just[any](nil),
		shortText.AsAny(),
		rapid.Map(shortText, func(s string) any { return []byte(s) }),
		anyInt.AsAny(),
		rapid.Bool().AsAny(),
		rapid.Map(rapid.Int64Range(math.MinInt32, math.MaxInt32), func(n int64) any { return time.UnixMicro(n).UTC() }),
	)
)

func (d document) encode() []byte {
	fields := make([]canon.Field, 0, len(d.Fields))
	for _, f := range d.Fields {
		switch v := f.Value.(type) {
		case nil:
			fields = append(fields, canon.Null(f.Name))
		case string:
			fields = append(fields, canon.String(f.Name, v))
		case []byte:
			fields = append(fields, canon.Bytes(f.Name, v))
		case int64:
			fields = append(fields, canon.Int(f.Name, v))
		case bool:
			fields = append(fields, canon.Bool(f.Name, v))
		case time.Time:
			fields = append(fields, canon.Time(f.Name, v))
		}
	}
	return canon.Encode(d.Domain, int(d.Version), fields...)
}

// decode reads a document as a third party would who has only the description of the layout.
func decode(t require.TestingT, b []byte) (d document) {
	take := func(n int64) []byte {
		require.LessOrEqual(t, n, int64(len(b)))
		head := b[:n]
		b = b[n:]
		return head
	}
	number := func() int64 { return int64(binary.BigEndian.Uint64(take(8))) }
	text := func() []byte { return take(number()) }

	require.Equal(t, "caregraph/canon/1", string(take(17)))
	d.Domain, d.Version = string(text()), number()
	d.Fields = make([]modelField, number())
	for i := range d.Fields {
		f := modelField{Name: string(text())}
		switch kind := take(1)[0]; kind {
		case 'n':
		case 's':
			f.Value = string(text())
		case 'b':
			f.Value = text()
		case 'i':
			f.Value = number()
		case 'f':
			f.Value = false
		case 't':
			f.Value = true
		case 'u':
			f.Value = time.UnixMicro(number()).UTC()
		default:
			require.Fail(t, "unknown type", "%q", kind)
		}
		d.Fields[i] = f
	}
	require.Empty(t, b)
	return d
}
