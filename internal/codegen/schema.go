package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"entgo.io/ent/entc/gen"
	"github.com/vektah/gqlparser/v2/ast"
)

// shapeSchema turns what entgql generates into the API's conventions: to-one edges are nullable, filters know no edges, ids are
// named ...Id, every type, field and member has a description.
func shapeSchema(g *gen.Graph, s *ast.Schema) error {
	for _, node := range g.Nodes {
		if err := describeNode(node, s); err != nil {
			return err
		}
	}
	for _, def := range s.Types {
		switch {
		case strings.HasSuffix(def.Name, "WhereInput"):
			shapeWhere(def)
		case strings.HasSuffix(def.Name, "OrderField"):
			for _, v := range def.EnumValues {
				v.Description = "By " + strings.ToLower(strings.ReplaceAll(v.Name, "_", " ")) + "."
			}
		}
		for _, f := range def.Fields {
			if s.Types[f.Type.Name()] != nil && isNode(s.Types[f.Type.Name()]) {
				f.Type.NonNull = false
			}
			for _, arg := range f.Arguments {
				if arg.Name == "orderBy" {
					arg.DefaultValue = usualOrder[def.Name+"."+f.Name]
				}
				if arg.Description == "" {
					return fmt.Errorf("%s.%s(%s:) has no description", def.Name, f.Name, arg.Name)
				}
			}
			if f.Description == "" {
				return fmt.Errorf("%s.%s has no description", def.Name, f.Name)
			}
		}
	}
	describeBuiltins(s)
	dropUnused(s)
	return nil
}

// dropUnused leaves out the connections of entities that no list of the API shows: the node itself says what refers to it.
func dropUnused(s *ast.Schema) {
	for _, node := range unlisted {
		for _, suffix := range []string{"Connection", "Edge", "Order", "OrderField"} {
			delete(s.Types, node+suffix)
		}
	}
}

var unlisted = []string{
	"AppointmentIntake", "PractitionerCredential", "Question", "QuestionAnswer", "Refund",
	"AdmissionRecord", "PatientHealth", "Wallet",
}

// sameForAll lists the fields of entities that events of streams show and whose values do not depend on who looks.
var sameForAll = map[string][]string{
	"ChatMessage": {"id", "createdAt", "roomId", "senderId", "senderRole", "position", "clientMessageId"},
}

// usualOrder lists the connections of entities with an order of their own, for who asks for none: without, they go by their ids, and so by the clocks of
// the instances.
var usualOrder = map[string]*ast.Value{
	"Wallet.transactions": ascending("POSITION"),
}

func ascending(field string) *ast.Value {
	order := &ast.Value{Kind: ast.ObjectValue, Children: ast.ChildValueList{
		{Name: "field", Value: &ast.Value{Kind: ast.EnumValue, Raw: field}},
		{Name: "direction", Value: &ast.Value{Kind: ast.EnumValue, Raw: "ASC"}},
	}}
	return &ast.Value{Kind: ast.ListValue, Children: ast.ChildValueList{{Value: order}}}
}

func isNode(def *ast.Definition) bool {
	for _, i := range def.Interfaces {
		if i == "Node" {
			return true
		}
	}
	return false
}

// describeNode copies the comments of the ent schema into the API.
func describeNode(node *gen.Type, s *ast.Schema) error {
	def := s.Types[node.Name]
	if def == nil {
		return nil
	}
	def.Description = comment(node)
	for _, name := range sameForAll[node.Name] {
		f := def.Fields.ForName(name)
		if f == nil {
			return fmt.Errorf("%s has no field %s to be the same for all", node.Name, name)
		}
		f.Directives = append(f.Directives, &ast.Directive{Name: "sameForAll"})
	}
	for _, e := range node.Edges {
		if f := def.Fields.ForName(camel(e.Name)); f != nil {
			f.Description = e.Comment()
		}
	}
	for _, f := range node.Fields {
		enum := s.Types[node.Name+pascal(f.Name)]
		if !f.IsEnum() || enum == nil {
			continue
		}
		enum.Description = f.Comment()
		texts, err := values(f)
		if err != nil {
			return err
		}
		for _, v := range enum.EnumValues {
			if v.Description = texts[v.Name]; v.Description == "" {
				return fmt.Errorf("%s.%s: the member %s has no description", node.Name, f.Name, v.Name)
			}
		}
	}
	return nil
}

func comment(node *gen.Type) string {
	raw, _ := json.Marshal(node.Annotations["Comment"])
	var c struct{ Text string }
	_ = json.Unmarshal(raw, &c)
	return c.Text
}

func values(f *gen.Field) (map[string]string, error) {
	raw, err := json.Marshal(f.Annotations["CaregraphValues"])
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	return texts, json.Unmarshal(raw, &texts)
}

var filterOps = []struct{ suffix, text string }{
	{"NotIn", "%s is none of these."}, {"In", "%s is one of these."}, {"NEQ", "%s is not this."},
	{"GTE", "%s is this or later in order."}, {"LTE", "%s is this or earlier in order."}, {"GT", "%s comes after this."}, {"LT", "%s comes before this."},
	{"ContainsFold", "%s contains this, whatever the case."}, {"Contains", "%s contains this."}, {"EqualFold", "%s is this, whatever the case."},
	{"HasPrefix", "%s begins with this."}, {"HasSuffix", "%s ends with this."}, {"IsNil", "%s is null."}, {"NotNil", "%s is not null."},
}

var idInName = regexp.MustCompile(`ID([A-Z]|$)`)

// shapeWhere drops filters over edges (they would tell of invisible rows) and names and describes the rest.
func shapeWhere(def *ast.Definition) {
	subject := strings.TrimSuffix(def.Name, "WhereInput")
	def.Description = "Filter of " + subject + " records; all that is given must hold."
	kept := ast.FieldList{}
	for _, f := range def.Fields {
		if strings.HasSuffix(f.Description, "edge predicates") || f.Type.Name() != def.Name && strings.HasSuffix(f.Type.Name(), "WhereInput") {
			continue
		}
		f.Name = idInName.ReplaceAllString(f.Name, "Id$1")
		switch f.Name {
		case "not":
			f.Description = "This must not hold."
		case "and":
			f.Description = "All of these must hold."
		case "or":
			f.Description = "At least one of these must hold."
		default:
			f.Description = filterText(f.Name)
		}
		kept = append(kept, f)
	}
	def.Fields = kept
}

func filterText(name string) string {
	for _, op := range filterOps {
		if field, ok := strings.CutSuffix(name, op.suffix); ok && field != "" {
			return fmt.Sprintf(op.text, "The "+field)
		}
	}
	return "The " + name + " is this."
}

// describeBuiltins rewords what the generator says of its own types.
func describeBuiltins(s *ast.Schema) {
	s.Types["Cursor"].Description = "Opaque position in a connection or stream."
	s.Types["Node"].Description = "A record that can be fetched again by its id."
	s.Types["Node"].Fields[0].Description = "Id of the record, unique among all nodes."
	s.Types["PageInfo"].Description = "Where a page stands in its connection (Relay)."
	delete(s.Types, "Query")
}

func camel(name string) string {
	p := pascal(name)
	return strings.ToLower(p[:1]) + p[1:]
}

func pascal(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
