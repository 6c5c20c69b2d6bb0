package matrix_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/testkit"
)

// schema is the API as its sources state it.
var schema = sync.OnceValue(func() *ast.Schema {
	files, err := filepath.Glob("../../../graph/schema/*.graphql*")
	if err != nil || len(files) == 0 {
		panic("no schema files")
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	return gqlparser.MustLoadSchema(sources...)
})

// types lists the types of the API, without those of GraphQL itself.
func types() []*ast.Definition {
	var list []*ast.Definition
	for _, def := range schema().Types {
		if !def.BuiltIn && !strings.HasPrefix(def.Name, "__") {
			list = append(list, def)
		}
	}
	slices.SortFunc(list, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func isNode(name string) bool {
	def := schema().Types[name]
	return def != nil && def.Kind == ast.Object && slices.Contains(def.Interfaces, "Node")
}

func roots() ast.FieldList {
	var list ast.FieldList
	for _, def := range []*ast.Definition{schema().Query, schema().Mutation, schema().Subscription} {
		if def != nil {
			list = append(list, slices.DeleteFunc(slices.Clone(def.Fields), func(f *ast.FieldDefinition) bool { return strings.HasPrefix(f.Name, "__") })...)
		}
	}
	return list
}

func TestSchema_EveryRootFieldHasAuth(t *testing.T) {
	t.Parallel()
	for _, f := range roots() {
		if f.Directives.ForName("auth") == nil {
			t.Errorf("%s has no @auth", f.Name)
		}
	}
}

var snake = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// columnOf is the column behind an API field, by its name.
func columnOf(field string) string {
	return strings.ToLower(snake.ReplaceAllString(field, "${1}_${2}"))
}

// No filter and no order may look at rows at the other end of an edge: they would tell of rows that the viewer cannot see.
func TestSchema_FiltersAndOrdersKnowNoEdges(t *testing.T) {
	t.Parallel()
	db := testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start))
	columns := map[string][]string{}
	for _, e := range entities(db.Client) {
		columns[e.name] = append(e.columns(), "id")
	}
	for _, def := range types() {
		if entity, ok := strings.CutSuffix(def.Name, "WhereInput"); ok {
			for _, f := range def.Fields {
				column := columnOf(withoutOperator(f.Name))
				if isNested := f.Name == "not" || f.Name == "and" || f.Name == "or"; isNested && f.Type.Name() != def.Name || !isNested && !slices.Contains(columns[entity], column) {
					t.Errorf("%s.%s is not a filter on a column of its own", def.Name, f.Name)
				}
			}
		}
		if entity, ok := strings.CutSuffix(def.Name, "OrderField"); ok {
			for _, v := range def.EnumValues {
				if !slices.Contains(columns[entity], strings.ToLower(v.Name)) {
					t.Errorf("%s.%s is not an order by a column of its own", def.Name, v.Name)
				}
			}
		}
	}
}

// operators are the suffixes of filters; longer ones first.
var operators = []string{"ContainsFold", "EqualFold", "HasPrefix", "HasSuffix", "Contains", "NotNil", "IsNil", "NotIn", "NEQ", "GTE", "LTE", "GT", "LT", "In"}

func withoutOperator(field string) string {
	for _, op := range operators {
		if name, ok := strings.CutSuffix(field, op); ok && name != "" {
			return name
		}
	}
	return field
}

// certain are the fields that hold records for sure; what they hold was read as the viewer before the outcome was made of it.
var certain = []string{
	"SlotTaken.alternatives", "OrderExists.order", "CreateSlotsPayload.created", "CreatePatientPayload.probableDuplicates",
	"SlotsChanged.slots", // as the conventions write them
	"RegisterNhiaPayload.reversed", "DeactivateNhiaPayload.posted", "WalletStatement.entries",
}

// A hidden row reads as null, so nothing that leads to a row may be non-null, or one denial would blank the page.
func TestSchema_WhatLeadsToARowIsNullable(t *testing.T) {
	t.Parallel()
	for _, def := range types() {
		for _, f := range def.Fields {
			if def.Kind != ast.Object || !isNode(f.Type.Name()) && f.Type.Name() != "Node" || slices.Contains(certain, def.Name+"."+f.Name) {
				continue
			}
			element := f.Type
			for element.Elem != nil {
				element = element.Elem
			}
			if element.NonNull {
				t.Errorf("%s.%s: %s must be nullable", def.Name, f.Name, f.Type)
			}
		}
	}
}

// Secrets, and the entities that only the system touches, do not show in the API.
func TestSchema_HoldsNoSecret(t *testing.T) {
	t.Parallel()
	for _, def := range types() {
		entity := strings.TrimSuffix(strings.TrimSuffix(def.Name, "WhereInput"), "OrderField")
		if _, isEntity := ent.Tables[def.Name]; isEntity && !isReadable(def.Name) {
			t.Errorf("%s shows in the API, but no user may read any of its rows", def.Name)
		}
		var names []string
		for _, f := range def.Fields {
			names = append(names, columnOf(withoutOperator(f.Name)))
		}
		for _, v := range def.EnumValues {
			names = append(names, strings.ToLower(v.Name))
		}
		for _, name := range names {
			if slices.Contains(ent.SensitiveFields[entity], name) || name == "password_hash" || name == "token_hash" {
				t.Errorf("%s.%s is a secret", def.Name, name)
			}
		}
	}
}

// isReadable tells whether the table gives somebody a row of the entity.
func isReadable(entity string) bool {
	return slices.ContainsFunc(rows, func(r row) bool { return r.entity == entity && len(viewers(r.read)) > 0 })
}

func TestSchema_EverythingIsDescribed(t *testing.T) {
	t.Parallel()
	check := func(what, description string) {
		t.Helper()
		if strings.TrimSpace(description) == "" {
			t.Errorf("%s has no description", what)
		}
	}
	for _, def := range types() {
		if def != schema().Query && def != schema().Mutation && def != schema().Subscription {
			check(def.Name, def.Description)
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			check(def.Name+"."+f.Name, f.Description)
			for _, arg := range f.Arguments {
				check(def.Name+"."+f.Name+"("+arg.Name+":)", arg.Description)
			}
		}
		for _, v := range def.EnumValues {
			check(def.Name+"."+v.Name, v.Description)
		}
	}
	for _, d := range schema().Directives {
		if d.Position == nil || d.Position.Src.BuiltIn || strings.HasPrefix(d.Name, "go") {
			continue
		}
		check("@"+d.Name, d.Description)
		for _, arg := range d.Arguments {
			check("@"+d.Name+"("+arg.Name+":)", arg.Description)
		}
	}
}
