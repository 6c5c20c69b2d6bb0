package audit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	entgo "entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/intercept"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// recordTypes are the entities that belong to patients; a set of them is the bits of a word.
var recordTypes = slices.Sorted(maps.Keys(ent.PatientRecords))

type collectorKey struct{}

// collector gathers what one operation opens. Its fields are resolved by several goroutines.
type collector struct {
	mu     sync.Mutex
	limit  int
	opened map[opening]*opened
}

// opening tells one patient's record, opened by one person: an operation that signs somebody in has two.
type opening struct{ user, session, patient uuid.UUID }

type opened struct {
	viewer   *access.Viewer
	entities uint64
	handed   bool // over to the buffer
}

// Begin returns the ctx of an operation whose reads are collected until End.
func (r *Recorder) Begin(ctx context.Context) context.Context {
	return context.WithValue(ctx, collectorKey{}, &collector{limit: r.opts.MaxPatients, opened: map[opening]*opened{}})
}

// End leaves a READ event for every patient whose record the operation has opened since Begin or the last End: a subscription calls it after
// each event that it delivers, and has one per patient all the same. It waits while the buffer is full, however long the caller has; call it
// outside a transaction. With Options.Strict it returns after the write: the caller must keep the data back when it returns an error.
func (r *Recorder) End(ctx context.Context) error {
	c, ok := ctx.Value(collectorKey{}).(*collector)
	if !ok {
		return nil
	}
	var entries []entry
	for key, o := range c.take() {
		entries = append(entries, r.entry(ctx, o.viewer, Event{
			Action: auditevent.ActionREAD, Entity: ent.TypePatient, EntityID: key.patient, PatientID: key.patient, Changes: entitiesIn(o.entities),
		}))
	}
	switch {
	case len(entries) == 0:
		return nil
	case r.opts.Strict:
		return r.store(ctx, entries, false)
	default:
		return r.enqueue(ctx, entries)
	}
}

// take returns what has not been handed over yet, by patient.
func (c *collector) take() func(yield func(opening, *opened) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var keys []opening
	for key, o := range c.opened {
		if !o.handed {
			o.handed = true
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b opening) int {
		return cmp.Or(bytes.Compare(a.patient[:], b.patient[:]), bytes.Compare(a.session[:], b.session[:]))
	})
	return func(yield func(opening, *opened) bool) {
		for _, key := range keys {
			if !yield(key, c.opened[key]) {
				return
			}
		}
	}
}

func entitiesIn(set uint64) (list []Change) {
	for i, name := range recordTypes {
		if set&(1<<i) != 0 {
			list = append(list, Change{Field: name})
		}
	}
	return list
}

// intercept looks at what queries return, and locks the row that before asks for.
func (r *Recorder) intercept(next ent.Querier) ent.Querier {
	return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
		if strength, ok := ctx.Value(lockKey{}).(sql.LockStrength); ok {
			return next.Query(ctx, locked(q, strength))
		}
		c, ok := ctx.Value(collectorKey{}).(*collector)
		v := access.From(ctx)
		if !ok || v == nil || v.IsSystem() || !loadsRows(ctx) {
			return next.Query(ctx, q)
		}
		query, err := intercept.NewQuery(q)
		if err != nil {
			return nil, err
		}
		entity := query.Type()
		if !ent.PatientRecords[entity] {
			return next.Query(ctx, q)
		}
		if entity != ent.TypePatient {
			query.WhereP(selectPatient)
		}
		rows, err := next.Query(ctx, q)
		if err != nil {
			return rows, err
		}
		return rows, c.add(v, entity, rows)
	})
}

// loadsRows tells whether the query, or the one that eager-loads it, answers rows: numbers and bare columns open no record.
func loadsRows(ctx context.Context) bool {
	q := entgo.QueryFromContext(ctx)
	return q != nil && (q.Op == entgo.OpQueryAll || q.Op == entgo.OpQueryFirst || q.Op == entgo.OpQueryOnly)
}

// selectPatient adds the patient to a query that loads rows with the fields of a GraphQL selection only. Such rows always have their id, which
// tells them from the counts that are made along with them.
func selectPatient(s *sql.Selector) {
	columns, patient := s.SelectedColumns(), s.C("patient_id")
	if slices.Contains(columns, s.C("id")) && !slices.Contains(columns, patient) {
		s.AppendSelect(patient)
	}
}

func locked(q ent.Query, strength sql.LockStrength) ent.Query {
	if query, err := intercept.NewQuery(q); err == nil {
		query.WhereP(func(s *sql.Selector) {
			if s.Dialect() == dialect.Postgres { // SQLite's writer is alone
				s.For(strength)
			}
		})
	}
	return q
}

// add notes the patients of the rows. An operation that opens too many of them is refused rather than forgotten.
func (c *collector) add(v *access.Viewer, entity string, rows any) error {
	list := reflect.ValueOf(rows)
	if list.Kind() != reflect.Slice {
		return nil
	}
	bit := uint64(1) << slices.Index(recordTypes, entity)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range list.Len() {
		row, ok := list.Index(i).Interface().(record)
		if !ok {
			return nil // counts that were made along with rows
		}
		patient := row.PatientRef()
		if patient == uuid.Nil {
			return fmt.Errorf("audit: a row of %s was read without its patient", entity)
		}
		key := opening{user: v.UserID, session: v.SessionID, patient: patient}
		o, ok := c.opened[key]
		if !ok {
			if len(c.opened) >= c.limit {
				return fault.ErrTooComplex.Says(fmt.Sprintf("One operation may open the records of at most %d patients.", c.limit))
			}
			o = &opened{viewer: v}
			c.opened[key] = o
		}
		o.entities |= bit
	}
	return nil
}
