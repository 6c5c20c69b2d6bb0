package matrix_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
)

// listing is a root field that lists rows.
type listing struct {
	entity string
	// except are rows that the list leaves out whoever asks.
	except string
	// own is set for lists of the viewer's own rows: the column that names the user.
	own string
	// extras are arguments of its own that filter, with values to try; $alice and the like stand for ids of users, $north and $south for wards.
	extras []string
}

// listings has every root field that lists rows. One that is missing fails the test.
var listings = map[string]listing{
	"users":         {entity: "User"},
	"sessions":      {entity: "Session", extras: []string{"state: ACTIVE", "state: EXPIRED", "state: SUSPICIOUS", "userId: $alice", "userId: $ada"}},
	"mySessions":    {entity: "Session", own: "user_id"},
	"notifications": {entity: "Notification", own: "user_id"},
	"practitioners": {entity: "Practitioner", except: "ivan"}, // who has left is not in the directory
	"patients":      {entity: "Patient", extras: []string{`search: "given"`, `search: "P17"`, `search: "family18"`}},
	"slots":         {entity: "Slot", except: "drew.removed", extras: []string{"isFree: true", "isFree: false"}}, // which is in no calendar any more
	"appointments":  {entity: "Appointment"},
	"leaves":        {entity: "Leave", extras: []string{"practitionerId: $dora", "practitionerId: $alice"}},
	"orders":        {entity: "Order"},
	"chatRooms":     {entity: "ChatRoom"},
	"wards":         {entity: "Ward", extras: []string{"isActive: true", "isActive: false"}},
	"admissions":    {entity: "Admission", extras: []string{"wardId: $north", "wardId: $south", "wardId: $alice"}},
	"jobRuns":       {entity: "JobRun", extras: []string{`job: "session-cleanup"`, `job: "daily-admission-charges"`, `job: "none"`, "state: RAN", "state: FAILED"}},
}

// observer sees every row of the lists that are not of the viewer's own rows: her answers say what a filter, an order or a cursor means, and the
// tables say which of these rows another viewer gets.
const observer = "ada"

// tryRootLists goes through every list from every side.
func (a *api) tryRootLists() {
	for _, f := range schema().Query.Fields {
		entity, isList := strings.CutSuffix(f.Type.Name(), "Connection")
		if !isList || !isNode(entity) && entity == "ChatEvent" { // events are not rows: see tryStreams
			continue
		}
		if f.Name == "deletedAppointments" { // rows that nobody reads anywhere else: see tryDeleted
			a.tryDeleted()
			continue
		}
		l, known := listings[f.Name]
		if !known || l.entity != entity {
			a.t.Errorf("the root field %s lists %s, and no table knows it", f.Name, entity)
			continue
		}
		a.checkArguments(f, l)
		a.tryRootList(f, l)
	}
}

// checkArguments finds arguments that no table knows.
func (a *api) checkArguments(f *ast.FieldDefinition, l listing) {
	for _, arg := range f.Arguments {
		isTried := slices.ContainsFunc(l.extras, func(e string) bool { return strings.HasPrefix(e, arg.Name+":") })
		if !isTried && !slices.Contains([]string{"after", "first", "before", "last", "orderBy", "where"}, arg.Name) {
			a.t.Errorf("no table knows the argument %s of %s", arg.Name, f.Name)
		}
	}
}

// listed returns the rows of the list that the viewer may read.
func (a *api) listed(l listing, viewer string) []uuid.UUID {
	list := a.seen(a.of(l.entity), viewer)
	return slices.DeleteFunc(list, func(id uuid.UUID) bool {
		return l.except != "" && a.names[id] == l.entity+" "+l.except || l.own != "" && a.refs[id][l.own] != a.ids["User "+viewer]
	})
}

// probe is one call of a list: the rows of the answer of the observer, as far as the viewer may read them, are the viewer's answer.
type probe struct{ way, arguments string }

const page100 = "totalCount edges { cursor node { id } }"

func (a *api) tryRootList(f *ast.FieldDefinition, l listing) {
	probes := append(a.orders(f), a.filters(f, l)...)
	call := func(p probe) string { return f.Name + "(first: 100" + p.arguments + ") { " + page100 + " }" }
	var calls []string
	for _, p := range probes {
		calls = append(calls, call(p))
	}
	told := a.ask(observer, calls)
	for _, viewer := range strings.Fields(operations[f.Name].may) {
		if a.over() {
			return
		}
		want := a.listed(l, viewer)
		got, total := idsOf(a.ask(viewer, []string{call(probe{})})[0])
		a.same(wayList, viewer, l.entity, f.Name, want, got, nil, false)
		a.counted(viewer, l.entity, f.Name, len(want), total)
		if l.own != "" {
			a.tryOwnPages(viewer, f.Name, l, got)
			continue
		}
		for i, answer := range a.ask(viewer, calls) {
			every, _ := idsOf(told[i])
			got, total := idsOf(answer)
			a.same(probes[i].way, viewer, l.entity, f.Name+probes[i].arguments, a.seen(every, viewer), got, nil, probes[i].way == wayOrder)
			a.counted(viewer, l.entity, f.Name+probes[i].arguments, len(a.seen(every, viewer)), total)
		}
		a.tryCursors(viewer, f.Name, l, told[0], want)
	}
}

// orders sorts by everything that the list can be sorted by. The first probe is the usual order.
func (a *api) orders(f *ast.FieldDefinition) []probe {
	list := []probe{{wayOrder, ""}}
	arg := f.Arguments.ForName("orderBy")
	for _, v := range schema().Types[arg.Type.Name()+"Field"].EnumValues {
		for _, direction := range []string{"ASC", "DESC"} {
			list = append(list, probe{wayOrder, fmt.Sprintf(", orderBy: [{direction: %s, field: %s}]", direction, v.Name)})
		}
	}
	return list
}

// filters uses every field of the where input with values that rows have, and a few nested ones.
func (a *api) filters(f *ast.FieldDefinition, l listing) (list []probe) {
	for _, extra := range l.extras {
		for _, p := range people {
			extra = strings.ReplaceAll(extra, "$"+p.name, strconv.Quote(a.ids["User "+p.name].String()))
		}
		for _, ward := range []string{"north", "south"} {
			extra = strings.ReplaceAll(extra, "$"+ward, strconv.Quote(a.ids["Ward "+ward].String()))
		}
		list = append(list, probe{wayFilter, ", " + extra})
	}
	arg := f.Arguments.ForName("where")
	if arg == nil {
		return list
	}
	for _, field := range schema().Types[arg.Type.Name()].Fields {
		if field.Type.Name() == arg.Type.Name() {
			continue
		}
		for _, value := range a.samples(l.entity, field) {
			list = append(list, probe{wayFilter, fmt.Sprintf(", where: {%s: %s}", field.Name, value)})
		}
	}
	first, second := a.of(l.entity)[0], a.of(l.entity)[1]
	return append(list,
		probe{wayFilter, fmt.Sprintf(`, where: {or: [{id: "%s"}, {or: [{id: "%s"}, {idNEQ: "%s"}]}]}`, first, second, nothing)},
		probe{wayFilter, fmt.Sprintf(`, where: {or: [{or: [{idNEQ: "%s"}, {id: "%s"}]}]}`, nothing, first)},
		probe{wayFilter, fmt.Sprintf(`, where: {not: {and: [{id: "%s"}, {idNEQ: "%s"}]}}`, first, second)},
		probe{wayFilter, fmt.Sprintf(`, where: {not: {not: {or: [{id: "%s"}, {id: "%s"}]}}}`, first, second)})
}

// samples writes values of the field as the rows have them: each for an exact match (on PostgreSQL one, for time), one for other operators.
func (a *api) samples(entity string, field *ast.FieldDefinition) (texts []string) {
	if strings.HasSuffix(field.Name, "IsNil") || strings.HasSuffix(field.Name, "NotNil") {
		return []string{"true"}
	}
	name := withoutOperator(field.Name)
	column := columnOf(name)
	for _, id := range a.of(entity) {
		value := a.present[id][column]
		if column == "id" {
			value = id
		}
		if value == nil {
			continue
		}
		text := literal(value, field.Type.Name())
		if field.Type.Elem != nil {
			text = "[" + text + "]"
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if (name != field.Name || a.db.Dialect() == dialect.Postgres) && len(texts) > 1 {
		return texts[len(texts)/2:][:1]
	}
	return texts
}

// literal writes a value as GraphQL does.
func literal(value any, typeName string) string {
	text := fmt.Sprint(value)
	if t, ok := value.(time.Time); ok {
		text = t.UTC().Format(time.RFC3339Nano)
	}
	if typeName == "Boolean" || typeName == "Int" || schema().Types[typeName].Kind == ast.Enum {
		return text
	}
	return strconv.Quote(text)
}

// tryCursors continues from the cursor of every row, hidden ones too, in both directions.
func (a *api) tryCursors(viewer, root string, l listing, told any, listed []uuid.UUID) {
	every, _ := idsOf(told)
	cursors := cursorsOf(told)
	var calls []string
	for _, cursor := range cursors {
		calls = append(calls, fmt.Sprintf("%s(first: 2, after: %q) { pageInfo { hasNextPage } %s }", root, cursor, page100),
			fmt.Sprintf("%s(last: 2, before: %q) { pageInfo { hasPreviousPage } %s }", root, cursor, page100))
	}
	for i, answer := range a.ask(viewer, calls) {
		place, rest, flag := i/2, []uuid.UUID(nil), "hasNextPage"
		if i%2 == 0 {
			rest = a.seen(every[place+1:], viewer)
		} else {
			rest, flag = a.seen(every[:place], viewer), "hasPreviousPage"
			slices.Reverse(rest)
		}
		want := slices.Clone(rest[:min(2, len(rest))])
		if i%2 == 1 {
			slices.Reverse(want)
		}
		got, total := idsOf(answer)
		a.same(wayCursor, viewer, l.entity, fmt.Sprintf("%s from %s", root, a.names[every[place]]), want, got, nil, true)
		a.counted(viewer, l.entity, root+" on a page", len(listed), total)
		fields, _ := answer.(map[string]any)
		info, _ := fields["pageInfo"].(map[string]any)
		if more := len(rest) > 2; info[flag] != more {
			a.violated(wayCursor, viewer, "%s from %s: %v, want %t", root, a.names[every[place]], info, more)
		}
	}
}

// tryOwnPages walks through a list of the viewer's own rows one by one.
func (a *api) tryOwnPages(viewer, root string, l listing, list []uuid.UUID) {
	cursor, walked := "", []uuid.UUID(nil)
	for range list {
		answer := a.ask(viewer, []string{root + "(first: 1" + cursor + ") { " + page100 + " }"})[0]
		got, total := idsOf(answer)
		a.counted(viewer, l.entity, root+" on a page", len(list), total)
		walked = append(walked, got...)
		if cursors := cursorsOf(answer); len(cursors) > 0 {
			cursor = fmt.Sprintf(", after: %q", cursors[len(cursors)-1])
		}
	}
	a.same(wayCursor, viewer, l.entity, root+" page by page", list, walked, nil, true)
}

func cursorsOf(connection any) (list []string) {
	fields, _ := connection.(map[string]any)
	edges, _ := fields["edges"].([]any)
	for _, e := range edges {
		edge, _ := e.(map[string]any)
		list = append(list, fmt.Sprint(edge["cursor"]))
	}
	return list
}

// tryDeleted lists what was deleted as everybody: administrators get the deleted rows and no others.
func (a *api) tryDeleted() {
	for _, viewer := range viewerNames {
		r := a.clients[viewer].Do(a.t, `{ deletedAppointments(first: 100) { edges { node { id } } totalCount } }`, nil)
		if !viewers(admins)[viewer] {
			continue // the door is shut
		}
		a.tried(wayList, "Appointment")
		if r.Len("deletedAppointments.edges") != 1 || r.Int("deletedAppointments.totalCount") != 1 ||
			r.Text("deletedAppointments.edges.0.node.id") != a.ids["Appointment alice.deleted"].String() {
			a.violated(wayList, viewer, "deletedAppointments answers %s", r.Body)
		}
	}
}
