package precheck

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// clinic is a schema with what makes validation expensive: an interface of many types, a wide root, a long enum, an
// input object that nests, lists and connections.
var clinic = gqlparser.MustLoadSchema(&ast.Source{Name: "clinic.graphql", Input: clinicSDL()})

func clinicSDL() string {
	var b strings.Builder
	b.WriteString(`
interface Node { id: ID! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
input Filter { name: String and: [Filter!] or: [Filter!] not: Filter kind: Kind age: Int }
type Patient implements Node {
  id: ID! name: String! birthDate: String kind: Kind tags: [String!]!
  self: Patient contacts: [Patient!]! text(a: Filter, b: [Filter!], n: Int): String
  visits(first: Int, last: Int, after: String, where: Filter): VisitConnection!
}
type Visit implements Node { id: ID! title: String! patient: Patient! visits(first: Int, last: Int): VisitConnection! }
type VisitEdge { cursor: String! node: Visit }
type VisitConnection { edges: [VisitEdge] nodes: [Visit] pageInfo: PageInfo! totalCount: Int! }
type Event { at: String! patient: Patient }
type Mutation { rename(id: ID!, name: String!): Patient }
type Subscription { events: Event }
`)
	b.WriteString("enum Kind {")
	for i := range 100 {
		fmt.Fprintf(&b, " KIND_OF_RECORD_%d", i)
	}
	b.WriteString(" }\n")
	for i := range 120 {
		fmt.Fprintf(&b, "type RecordOfSomeKind%d implements Node { id: ID! value%d: Int }\n", i, i)
	}
	b.WriteString(`type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  me: Patient
  patients: [Patient!]!
  eventLog(first: Int, after: String): [Event!]!
  visits(first: Int, last: Int, after: String, where: Filter): VisitConnection!
`)
	for i := range 120 {
		fmt.Fprintf(&b, "  recordOfSomeKind%d(limit: Int): RecordOfSomeKind%d\n", i, i)
	}
	b.WriteString("}\n")
	return b.String()
}
