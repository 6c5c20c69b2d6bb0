package matrix_test

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
)

// nodeTypes lists the types of the API that are rows.
func nodeTypes() []string {
	var names []string
	for _, def := range types() {
		if isNode(def.Name) {
			names = append(names, def.Name)
		}
	}
	return names
}

// tryNodeFields looks every row up by its id, bookkeeping too: with node, nodes, and the root field of its type if there is one.
func (a *api) tryNodeFields() {
	for _, viewer := range signedInNames() {
		for _, e := range entities(a.db.Client) {
			every := a.of(e.name)
			var fields []string
			for _, id := range every {
				fields = append(fields, fmt.Sprintf(`node(id: "%s") { __typename id }`, id))
			}
			fields = append(fields, fmt.Sprintf("nodes(ids: %s) { id }", quoted(every)))
			single := singles[e.name]
			for _, id := range every {
				if single != "" {
					fields = append(fields, fmt.Sprintf(`%s(id: "%s") { id }`, single, id))
				}
			}
			a.compareNodes(viewer, e.name, every, a.ask(viewer, fields))
		}
	}
}

// singles are the root fields that answer one row by its id.
var singles = map[string]string{"User": "user", "Patient": "patient", "Appointment": "appointment", "Order": "order", "ChatRoom": "chatRoom",
	"Ward": "ward", "Admission": "admission"}

func (a *api) compareNodes(viewer, entity string, every []uuid.UUID, answers []any) {
	list, _ := answers[len(every)].([]any)
	for i, id := range every {
		want := a.seen([]uuid.UUID{id}, viewer)
		if !isNode(entity) { // rows that the API never shows
			want = nil
		}
		a.same(wayNode, viewer, entity, "node("+a.names[id]+")", want, some(answers[i]), nil, true)
		if len(list) == len(every) {
			a.same(wayNodes, viewer, entity, "nodes at "+a.names[id], want, some(list[i]), nil, true)
		} else {
			a.violated(wayNodes, viewer, "%d ids gave %d places", len(every), len(list))
		}
		if rest := answers[len(every)+1:]; len(rest) > 0 {
			a.same(wayNode, viewer, entity, singles[entity]+"("+a.names[id]+")", want, some(rest[i]), nil, true)
		}
	}
}

// some is the node as a list, empty for null.
func some(node any) []uuid.UUID {
	if node == nil {
		return nil
	}
	return []uuid.UUID{idOf(node)}
}

// computed are the fields of rows that lead to a row which no key names: what they answer to whoever may read that row.
var computed = map[string]map[string]string{
	"Practitioner.nextFreeSlot":    {"Practitioner dora": "Slot dora.free", "Practitioner drew": "Slot drew.lapsed", "Practitioner cleo": "Slot cleo.free"},
	"Admission.currentStay":        {"Admission alice.now": "Stay alice.now", "Admission carol": "Stay carol"},
	"WalletTransaction.reversedBy": {"WalletTransaction alice.1": "WalletTransaction alice.2"},
	"ChatRoom.lastMessage": {"ChatRoom alice.next": "ChatMessage alice.2", "ChatRoom bob.done": "ChatMessage bob.1", "ChatRoom bob.missed": "ChatMessage bob.2",
		"ChatRoom carol.next": "ChatMessage carol.1"},
}

// unlinked are lists below rows of which ent knows no edge.
var unlinked = map[string][]link{
	"ChatRoom": {{name: "Messages", target: "ChatMessage", column: "room_id", back: true, many: true}},
}

// step is a field of a type that leads to rows.
type step struct {
	field        string
	target       string
	isConnection bool
	hasWhere     bool
	link         link // zero when computed
}

// stepsOf lists the fields of the type that lead to rows. One that no table knows fails the test.
func (a *api) stepsOf(typeName string) (steps []step) {
	for _, f := range schema().Types[typeName].Fields {
		s := step{field: f.Name, target: f.Type.Name()}
		s.target, s.isConnection = strings.CutSuffix(s.target, "Connection")
		if !isNode(s.target) {
			continue
		}
		s.hasWhere = f.Arguments.ForName("where") != nil
		known := slices.Concat(links[typeName], unlinked[typeName])
		i := slices.IndexFunc(known, func(l link) bool { return l.name == capital(f.Name) })
		if i >= 0 {
			s.link = known[i]
		} else if computed[typeName+"."+f.Name] == nil {
			a.violated(wayNested, "anybody", "%s.%s leads to rows, and no table knows it", typeName, f.Name)
			continue
		}
		steps = append(steps, s)
	}
	return steps
}

func capital(name string) string {
	r := []rune(name)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// selection asks for every tree of rows below a row of the type.
func (a *api) selection(typeName string, depth int) string {
	if depth == 0 {
		return ""
	}
	var b strings.Builder
	for _, s := range a.stepsOf(typeName) {
		b.WriteString(a.branch(s, depth))
	}
	return b.String()
}

// branch asks for every tree of rows that begins with the step.
func (a *api) branch(s step, depth int) string {
	inner := "id " + a.selection(s.target, depth-1)
	if s.isConnection {
		return fmt.Sprintf("%s(first: 10) { totalCount edges { node { %s} } } ", s.field, inner)
	}
	return fmt.Sprintf("%s { %s } ", s.field, inner)
}

// maxSelections keeps a branch below what the API takes in one operation.
const maxSelections = 1800

// deepest is the branch as deep as a nested way goes, or as the API takes it.
func (a *api) deepest(s step) (branch string, depth int) {
	for depth = maxDepth; ; depth-- {
		if branch = a.branch(s, depth); depth == 1 || len(strings.Fields(branch)) < maxSelections {
			return branch, depth
		}
	}
}

// tryTrees follows every field that leads to rows, from every row, as deep as a nested way goes; and asks lists below a row for hidden rows alone.
func (a *api) tryTrees() {
	for _, typeName := range nodeTypes() {
		for _, viewer := range signedInNames() {
			for _, s := range a.stepsOf(typeName) {
				if a.over() {
					return
				}
				branch, depth := a.deepest(s)
				for _, node := range a.below(viewer, typeName, branch) {
					a.compareStep(viewer, typeName, a.names[idOf(node)], node, s, depth)
				}
			}
			if searches := a.searches(typeName, viewer); searches != "" {
				for _, node := range a.below(viewer, typeName, searches) {
					a.compareSearches(viewer, typeName, node)
				}
			}
		}
	}
}

// below asks every row of the type for what is below it, and returns those that the viewer gets.
func (a *api) below(viewer, typeName, selection string) []any {
	query := fmt.Sprintf("nodes(ids: %s) { ... on %s { id %s } }", quoted(a.of(typeName)), typeName, selection)
	list, _ := a.ask(viewer, []string{query})[0].([]any)
	return slices.DeleteFunc(list, func(node any) bool { return node == nil })
}

func (a *api) compareTree(viewer, typeName, path string, node any, depth int) {
	if depth == 0 || a.over() {
		return
	}
	for _, s := range a.stepsOf(typeName) {
		a.compareStep(viewer, typeName, path, node, s, depth)
	}
}

func (a *api) compareStep(viewer, typeName, path string, node any, s step, depth int) {
	fields, _ := node.(map[string]any)
	want := a.seen(a.lead(typeName, idOf(node), s), viewer)
	here := path + "." + s.field
	var found []any
	if s.isConnection {
		got, total := idsOf(fields[s.field])
		a.counted(viewer, s.target, here, len(want), total)
		a.same(wayNested, viewer, s.target, here, want, got, nil, false)
		connection, _ := fields[s.field].(map[string]any)
		edges, _ := connection["edges"].([]any)
		for _, e := range edges {
			edge, _ := e.(map[string]any)
			found = append(found, edge["node"])
		}
	} else {
		a.same(wayNested, viewer, s.target, here, want, some(fields[s.field]), nil, false)
		found = append(found, fields[s.field])
	}
	for _, next := range found {
		if next != nil {
			a.compareTree(viewer, s.target, here, next, depth-1)
		}
	}
}

// lead returns the rows to which the field leads, hidden ones too.
func (a *api) lead(typeName string, from uuid.UUID, s step) []uuid.UUID {
	answers, isComputed := computed[typeName+"."+s.field]
	if !isComputed {
		return a.follow(from, s.link)
	}
	if name := answers[a.names[from]]; name != "" {
		return []uuid.UUID{a.ids[name]}
	}
	return nil
}

// searches asks the lists below a row for the rows that are hidden from the viewer.
func (a *api) searches(typeName, viewer string) string {
	var b strings.Builder
	for _, s := range a.stepsOf(typeName) {
		if s.hasWhere {
			fmt.Fprintf(&b, "hidden_%s: %s(first: 10, where: {idIn: %s}) { totalCount edges { node { id } } } ",
				s.field, s.field, quoted(append(a.hidden(a.of(s.target), viewer), uuid.MustParse(nothing))))
		}
	}
	return b.String()
}

func (a *api) compareSearches(viewer, typeName string, node any) {
	fields, _ := node.(map[string]any)
	for _, s := range a.stepsOf(typeName) {
		if s.hasWhere {
			got, total := idsOf(fields["hidden_"+s.field])
			a.same(wayFilter, viewer, s.target, "hidden rows below "+a.names[idOf(node)], nil, got, nil, false)
			a.counted(viewer, s.target, "hidden rows below "+a.names[idOf(node)], 0, total)
		}
	}
}

// sideDoors are the fields of other types that lead to rows: what of the viewer's own they answer.
var sideDoors = map[string]string{
	"Viewer.user": "User %s", "Viewer.patient": "Patient %s", "Viewer.practitioner": "Practitioner %s", "SessionStatus.session": "Session signin.%s",
}

// otherDoors are such fields that are tried elsewhere, and where.
var otherDoors = map[string]string{
	"BedPlace.bed": "the door of bed boards is for those who read every bed", "BedPlace.stay": "as BedPlace.bed",
	"WalletStatement.entries":             "read as the viewer; null for who does not see the wallet",
	"WalletTransactionPosted.transaction": "as WalletStatement.entries",
	"OrderAudit.order":                    "TestOrderAudit of package app: it is null for who may not see the order",
	"MessageAdded.message":                "tryStreams", "SlotsChanged.slots": "tryStreams", "MessageEdited.message": "as MessageAdded", "MessageDeleted.message": "as MessageAdded",
	"ChatInboxChanged.room": "read as the viewer; an inbox tells of own rooms alone", "Job.lastRun": "the door of jobs is for administrators, who read every run",
}

// trySideDoors asks for the viewer's own rows, and checks that no other type leads to rows.
func (a *api) trySideDoors() {
	for _, def := range types() {
		isKnown := isNode(def.Name) || slices.ContainsFunc([]string{"Connection", "Edge", "Payload"}, func(end string) bool { return strings.HasSuffix(def.Name, end) }) ||
			slices.Contains(def.Interfaces, "UserError") || slices.Contains([]*ast.Definition{schema().Query, schema().Mutation, schema().Subscription}, def)
		for _, f := range def.Fields {
			if _, ok := sideDoors[def.Name+"."+f.Name]; !isKnown && !ok && otherDoors[def.Name+"."+f.Name] == "" && isNode(strings.TrimSuffix(f.Type.Name(), "Connection")) {
				a.t.Errorf("%s.%s leads to rows, and no table knows it", def.Name, f.Name)
			}
		}
	}
	for _, viewer := range signedInNames() {
		answers := a.ask(viewer, []string{"viewer { user { id } patient { id } practitioner { id } }", "sessionStatus { session { id } }"})
		for door, pattern := range sideDoors {
			typeName, field, _ := strings.Cut(door, ".")
			fields, _ := answers[slices.Index([]string{"Viewer", "SessionStatus"}, typeName)].(map[string]any)
			name := fmt.Sprintf(pattern, viewer)
			var want []uuid.UUID
			if id, exists := a.ids[name]; exists {
				want = a.seen([]uuid.UUID{id}, viewer)
			}
			a.same(wayNested, viewer, strings.Fields(name)[0], door, want, some(fields[field]), nil, false)
		}
	}
}
