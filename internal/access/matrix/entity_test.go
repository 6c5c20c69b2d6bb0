package matrix_test

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/intercept"
	"github.com/caregraph/caregraph/ent/migrate"
)

// entity is a handle on one entity of the ent client. It goes by the methods that ent generates, so that a new entity takes part by itself.
type entity struct {
	name   string
	client reflect.Value
}

// entities finds every entity of the client.
func entities(client *ent.Client) []entity {
	var list []entity
	v := reflect.ValueOf(client).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || !v.Field(i).MethodByName("Query").IsValid() {
			continue
		}
		list = append(list, entity{field.Name, v.Field(i)})
	}
	slices.SortFunc(list, func(a, b entity) int { return strings.Compare(a.name, b.name) })
	return list
}

func entityOf(client *ent.Client, name string) entity {
	return entity{name, reflect.ValueOf(client).Elem().FieldByName(name)}
}

// columns lists the columns of the entity's table, without the id.
func (e entity) columns() []string {
	var names []string
	for _, t := range migrate.Tables {
		if t.Name != ent.Tables[e.name] {
			continue
		}
		for _, c := range t.Columns {
			if c.Name != "id" {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// query is a query of any entity.
type query struct {
	intercept.Query
	value reflect.Value
}

func asQuery(v reflect.Value) query {
	q, err := intercept.NewQuery(v.Interface())
	if err != nil {
		panic(err)
	}
	return query{q, v}
}

func (e entity) query() query { return asQuery(e.client.MethodByName("Query").Call(nil)[0]) }

// edge starts a query of the rows at the other end of the edge.
func (q query) edge(name string) query {
	return asQuery(q.value.MethodByName("Query" + name).Call(nil)[0])
}

// with loads the edge along; grow may load more from there.
func (q query) with(name string, grow func(query)) {
	method := q.value.MethodByName("With" + name)
	option := method.Type().In(0).Elem()
	fn := reflect.MakeFunc(option, func(args []reflect.Value) []reflect.Value {
		grow(asQuery(args[0]))
		return nil
	})
	method.Call([]reflect.Value{fn})
}

// edgesOf lists the edges of an entity as ent generates them.
func edgesOf(q query) []string {
	var names []string
	for i := range q.value.NumMethod() {
		name, ok := strings.CutPrefix(q.value.Type().Method(i).Name, "Query")
		if ok && q.value.MethodByName("With"+name).IsValid() {
			names = append(names, name)
		}
	}
	return names
}

// call calls a method that takes ctx and more, and returns a value and an error.
func call(on reflect.Value, method string, ctx context.Context, args ...any) (reflect.Value, error) {
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for _, a := range args {
		in = append(in, reflect.ValueOf(a))
	}
	return unpack(on.MethodByName(method).Call(in))
}

// unpack takes the error off the results of a call.
func unpack(out []reflect.Value) (reflect.Value, error) {
	last := out[len(out)-1]
	err, _ := last.Interface().(error)
	if len(out) == 1 {
		return reflect.Value{}, err
	}
	return out[0], err
}

// record is a row of any entity.
type record interface{ RecordID() uuid.UUID }

// all runs the query and returns the ids in its order.
func (q query) all(ctx context.Context) ([]uuid.UUID, error) {
	list, err := q.records(ctx)
	found := make([]uuid.UUID, len(list))
	for i, r := range list {
		found[i] = r.RecordID()
	}
	return found, err
}

func (q query) records(ctx context.Context) ([]record, error) {
	out, err := call(q.value, "All", ctx)
	if err != nil {
		return nil, err
	}
	list := make([]record, out.Len())
	for i := range list {
		list[i] = out.Index(i).Interface().(record)
	}
	return list, nil
}

func (q query) ids(ctx context.Context) ([]uuid.UUID, error) {
	out, err := call(q.value, "IDs", ctx)
	if err != nil {
		return nil, err
	}
	found, _ := out.Interface().([]uuid.UUID)
	return found, nil
}

// loaded returns what stands in a loaded edge of a row.
func loaded(r record, edge string) []record {
	v := reflect.ValueOf(r).Elem().FieldByName("Edges").FieldByName(edge)
	switch {
	case v.Kind() == reflect.Slice:
		list := make([]record, v.Len())
		for i := range list {
			list[i] = v.Index(i).Interface().(record)
		}
		return list
	case v.IsNil():
		return nil
	default:
		return []record{v.Interface().(record)}
	}
}

// write is a builder of any entity: create, update or delete.
type write struct{ reflect.Value }

func (e entity) create() write { return write{e.client.MethodByName("Create").Call(nil)[0]} }

func (e entity) updateOne(id uuid.UUID) write {
	return write{e.client.MethodByName("UpdateOneID").Call([]reflect.Value{reflect.ValueOf(id)})[0]}
}

func (e entity) deleteOne(id uuid.UUID) write {
	return write{e.client.MethodByName("DeleteOneID").Call([]reflect.Value{reflect.ValueOf(id)})[0]}
}

func (e entity) updateAll() write { return write{e.client.MethodByName("Update").Call(nil)[0]} }
func (e entity) deleteAll() write { return write{e.client.MethodByName("Delete").Call(nil)[0]} }

func (w write) mutation() ent.Mutation {
	return w.MethodByName("Mutation").Call(nil)[0].Interface().(ent.Mutation)
}

func (w write) exec(ctx context.Context) error {
	_, err := unpack(w.MethodByName("Exec").Call([]reflect.Value{reflect.ValueOf(ctx)}))
	return err
}

// onEdge calls a method of the mutation that takes ids, as AddOrderIDs; false when there is none of that name.
func (w write) onEdge(method string, list ...uuid.UUID) bool {
	m := w.MethodByName(method)
	if !m.IsValid() {
		m = w.MethodByName("Mutation").Call(nil)[0].MethodByName(method)
	}
	if !m.IsValid() {
		return false
	}
	in := make([]reflect.Value, len(list))
	for i, id := range list {
		in[i] = reflect.ValueOf(id)
	}
	m.Call(in)
	return true
}
