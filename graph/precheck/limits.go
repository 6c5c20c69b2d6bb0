package precheck

import "cmp"

// Limits is what one document, and one operation of it, may ask for. A member that is zero takes its default.
type Limits struct {
	Tokens     int // lexical tokens, comments included
	Depth      int // nested fields
	Aliases    int // aliased fields of one operation, each spread of a fragment counted
	RootFields int // root fields of one operation, each spread of a fragment counted
	Fragments  int // fragment definitions
	Cost       int64
	// DefaultPage is the page size of a connection without first and last; MaxPage the largest.
	DefaultPage, MaxPage int

	Bytes         int // length of the text
	Operations    int // operations in one document
	Variables     int // variables of one operation
	Selections    int // selections of one operation, each spread of a fragment counted
	Introspection int // nested fields from __schema and __type down
	ValueDepth    int // nested list and object literals
	Visits        int // nodes that validation walks: those of every definition, again from each that reaches it
	Merges        int // comparisons of fields that share a response name
	Mistakes      int // misspelt names and unfit literals that validation walks; a long name counts more
}

// Default returns the limits of the documentation.
func Default() Limits {
	return Limits{
		Tokens: 5_000, Depth: 12, Aliases: 30, RootFields: 20, Fragments: 50, Cost: 20_000,
		DefaultPage: 20, MaxPage: 100,
		Bytes: 128 << 10, Operations: 20, Variables: 100, Selections: 2_000, Introspection: 20,
		ValueDepth: 10, Visits: 20_000, Merges: 20_000, Mistakes: 50,
	}
}

// filled returns l with defaults in the place of zeros.
func (l Limits) filled() Limits {
	d := Default()
	return Limits{
		Tokens:        cmp.Or(l.Tokens, d.Tokens),
		Depth:         cmp.Or(l.Depth, d.Depth),
		Aliases:       cmp.Or(l.Aliases, d.Aliases),
		RootFields:    cmp.Or(l.RootFields, d.RootFields),
		Fragments:     cmp.Or(l.Fragments, d.Fragments),
		Cost:          cmp.Or(l.Cost, d.Cost),
		DefaultPage:   cmp.Or(l.DefaultPage, d.DefaultPage),
		MaxPage:       cmp.Or(l.MaxPage, d.MaxPage),
		Bytes:         cmp.Or(l.Bytes, d.Bytes),
		Operations:    cmp.Or(l.Operations, d.Operations),
		Variables:     cmp.Or(l.Variables, d.Variables),
		Selections:    cmp.Or(l.Selections, d.Selections),
		Introspection: cmp.Or(l.Introspection, d.Introspection),
		ValueDepth:    cmp.Or(l.ValueDepth, d.ValueDepth),
		Visits:        cmp.Or(l.Visits, d.Visits),
		Merges:        cmp.Or(l.Merges, d.Merges),
		Mistakes:      cmp.Or(l.Mistakes, d.Mistakes),
	}
}
