package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
)

// Rows of all entities are read and compared by reflection, so that an entity is audited from the moment it exists.

// unaudited are the columns that an event tells by itself.
var unaudited = []string{"id", "created_at", "updated_at", "version"}

// load reads one row of the entity.
func load(ctx context.Context, client *ent.Client, entity string, id uuid.UUID) (any, error) {
	in := []reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(id)}
	out := reflect.ValueOf(client).Elem().FieldByName(entity).MethodByName("Get").Call(in)
	err, _ := out[1].Interface().(error)
	return out[0].Interface(), err
}

// column is a field of a row's struct that is a column of its table.
type column struct {
	name  string
	index int
}

var columnsByType sync.Map // of reflect.Type to []column

// columnsOf finds the columns by the names that ent gives them in JSON. It hides sensitive ones there: these are found by their letters.
func columnsOf(entity string, row reflect.Type) []column {
	if found, ok := columnsByType.Load(row); ok {
		return found.([]column)
	}
	var list []column
	for i := range row.NumField() {
		f := row.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			name = sensitiveName(entity, f.Name)
		}
		if f.IsExported() && name != "" && name != "edges" && !slices.Contains(unaudited, name) {
			list = append(list, column{name, i})
		}
	}
	columnsByType.Store(row, list)
	return list
}

func sensitiveName(entity, field string) string {
	for _, name := range ent.SensitiveFields[entity] {
		if strings.EqualFold(strings.ReplaceAll(name, "_", ""), field) {
			return name
		}
	}
	return ""
}

// diff returns the columns in which the rows differ; a nil row has nothing in any.
func diff(entity string, before, after any) []Change {
	old, now := rowOf(before), rowOf(after)
	some := now
	if !some.IsValid() {
		some = old
	}
	if !some.IsValid() {
		return nil
	}
	var changes []Change
	for _, c := range columnsOf(entity, some.Type()) {
		change := Change{Field: c.name}
		if old.IsValid() {
			change.Old = text(old.Field(c.index))
		}
		if now.IsValid() {
			change.New = text(now.Field(c.index))
		}
		if change.Old != change.New {
			changes = append(changes, change)
		}
	}
	return changes
}

func rowOf(row any) reflect.Value {
	if v := reflect.ValueOf(row); v.Kind() == reflect.Pointer && !v.IsNil() {
		return v.Elem()
	}
	return reflect.Value{}
}

// text returns a column's value as it is shown: "" for null and for nothing.
func text(v reflect.Value) string {
	for v.Kind() == reflect.Pointer {
		v = v.Elem() // of nil: the zero Value
	}
	if !v.IsValid() {
		return ""
	}
	switch value := v.Interface().(type) {
	case time.Time:
		if value.IsZero() {
			return ""
		}
		return value.UTC().Format(time.RFC3339Nano)
	case uuid.UUID:
		if value == uuid.Nil {
			return ""
		}
		return value.String()
	case fmt.Stringer:
		return value.String()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct:
		if v.Kind() != reflect.Struct && v.Len() == 0 {
			return ""
		}
		encoded, err := json.Marshal(v.Interface())
		if err != nil {
			return fmt.Sprint(v.Interface())
		}
		return string(encoded)
	default:
		return fmt.Sprint(v.Interface())
	}
}
