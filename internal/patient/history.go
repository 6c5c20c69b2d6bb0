package patient

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/patienthealth"
	"github.com/caregraph/caregraph/internal/access"
)

const (
	maxChanges   = 100
	usualChanges = 20
)

// RecordChange is a change of one field of a record.
type RecordChange struct {
	Field     string // as the API names it
	Old, New  *string
	ChangedBy *uuid.UUID // nil when the system did, or for a patient somebody else
	ChangedAt time.Time
}

// unshown are columns of a record that are not fields of the API, or follow from others.
var unshown = []string{patient.FieldSearchKey, patient.FieldUserID, patient.FieldVersion, patient.FieldUpdatedAt}

// Changes returns the newest changes of a record, newest first, at most as many as asked, 20 for nil, and 100. Staff who edit records may read them, and the patient; nobody else sees any. Of
// allergies it is told that they changed, not what was written: the audit keeps no medical text.
func (s *Service) Changes(ctx context.Context, record *ent.Patient, first *int) ([]*RecordChange, error) {
	v := access.From(ctx)
	isOwn := v.Has(access.Patient) && v.PatientID == record.ID
	if !isOwn && !v.Has(access.Admin, access.Scheduler, access.Nurse, access.Doctor) {
		return nil, nil
	}
	n := usualChanges
	if first != nil {
		n = min(max(*first, 1), maxChanges)
	}
	var list []*RecordChange
	for after := 0; len(list) < n; {
		events, err := s.changesFrom(ctx, record, after)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			isElse := isOwn && e.ActorID != nil && *e.ActorID != v.UserID
			list = append(list, changesOf(e, isElse)...)
		}
		if after += len(events); len(events) < maxChanges {
			break
		}
	}
	return list[:min(len(list), n)], nil
}

// changesFrom reads a page of the audit of a record: the newest events but for the first so many.
func (s *Service) changesFrom(ctx context.Context, record *ent.Patient, skip int) ([]*ent.AuditEvent, error) {
	return s.DB.Client.AuditEvent.Query().
		Where(auditevent.PatientID(record.ID), auditevent.Or(
			auditevent.And(auditevent.Entity(ent.TypePatient), auditevent.ActionEQ(auditevent.ActionUPDATE)),
			auditevent.And(auditevent.Entity(ent.TypePatientHealth), auditevent.ActionIn(auditevent.ActionCREATE, auditevent.ActionUPDATE)),
		)).
		Order(ent.Desc(auditevent.FieldCreatedAt, auditevent.FieldID)).Offset(skip).Limit(maxChanges).All(access.System(ctx, "history of a record"))
}

// changesOf are the changes of an event that are shown.
func changesOf(e *ent.AuditEvent, isElse bool) (list []*RecordChange) {
	for _, c := range e.Changes {
		if isShown(e.Entity, c.Field) {
			list = append(list, changeOf(e, c.Field, c.Old, c.New, isElse))
		}
	}
	return list
}

func isShown(entity, field string) bool {
	if entity == ent.TypePatientHealth {
		return field == patienthealth.FieldAllergies
	}
	return !slices.Contains(unshown, field)
}

func changeOf(e *ent.AuditEvent, field, before, after string, isElse bool) *RecordChange {
	change := &RecordChange{Field: camel(field), ChangedAt: e.CreatedAt, ChangedBy: e.ActorID}
	if isElse {
		change.ChangedBy = nil
	}
	if e.Entity == ent.TypePatient {
		change.Old, change.New = unlessNone(before), unlessNone(after)
	}
	return change
}

func unlessNone(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// camel writes a column's name as the API does.
func camel(column string) string {
	words := strings.Split(column, "_")
	for i := 1; i < len(words); i++ {
		words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
	}
	return strings.Join(words, "")
}
