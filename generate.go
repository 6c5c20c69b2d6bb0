package main

// The order matters: ent writes the client and graph/schema/ent.graphql, then gqlgen binds the API's schema to it. Migrations are never
// generated here; see internal/store/newmigration.
//go:generate go run ./internal/codegen
//go:generate go run github.com/99designs/gqlgen generate
