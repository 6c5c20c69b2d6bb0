//go:build tools

// Package main pins the generators that go generate runs, so that everybody generates with the same versions.
package main

import (
	_ "entgo.io/contrib/entgql"
	_ "entgo.io/ent/cmd/ent"
	_ "github.com/99designs/gqlgen"
)
