package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// JobRun accounts for one due occurrence of a job, or for several in a row that were skipped for the same reason.
type JobRun struct{ ent.Schema }

// Mixin of the JobRun.
func (JobRun) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the JobRun.
func (JobRun) Annotations() []schema.Annotation {
	return node("What became of one due occurrence of a job, or of several in a row that were skipped.")
}

// Fields of the JobRun.
func (JobRun) Fields() []ent.Field {
	return []ent.Field{
		field.String("job").Immutable().MaxLen(60).Comment("Name of the job."),
		at("occurrence", "The instant at which the run was due; of skipped ones the last.").Immutable().OrderBy("OCCURRENCE").Field(),
		at("first_occurrence", "The first instant that the row accounts for; the same as occurrence unless several were skipped.").Immutable().Field(),
		field.Int("occurrences").Immutable().Default(1).Positive().Comment("How many occurrences the row accounts for."),
		field.Enum("state").Values("RUNNING", "RAN", "CAUGHT_UP", "SKIPPED", "FAILED").Comment("What became of it.").
			Annotations(Values{
				"RUNNING": "It is running, or its runner died and it will be run again.", "RAN": "It ran when it was due.",
				"CAUGHT_UP": "It ran late, because nobody could run it when it was due.", "SKIPPED": "It was left out; the reason tells why.",
				"FAILED": "Its last try failed; the error tells why.",
			}),
		field.Enum("cause").Values("SCHEDULE", "MANUAL").Immutable().Comment("What started it.").
			Annotations(Values{"SCHEDULE": "The clock.", "MANUAL": "A person."}),
		field.Int("attempts").Default(0).NonNegative().Comment("How often it was started."),
		field.String("reason").MaxLen(200).Default("").Comment("Why it was skipped; empty when it was not."),
		field.String("error").MaxLen(500).Default("").Comment("What the last try failed of, without data of patients; empty when it did not."),
		field.JSON("counts", map[string]int{}).Optional().Comment("What it did, by name.").Annotations(entgql.Skip(entgql.SkipAll)),
		at("started_at", "When the last try began; null when there was none.").Optional().Field(),
		at("finished_at", "When the last try ended; null while it has not.").Optional().Field(),
		at("lease_until", "Until when the runner holds it.").Optional().Hidden().Field(),
		at("retry_at", "When a failed one is tried again; null when it will not be.").Optional().Field(),
		field.String("runner").MaxLen(100).Default("").Comment("Which instance runs it.").Annotations(entgql.Skip(entgql.SkipAll)),
	}
}

// Indexes of the JobRun.
func (JobRun) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("job", "occurrence").Unique(), // one runner per occurrence
		index.Fields("occurrence"),                 // the order of lists
		index.Fields("state", "retry_at"),          // what is to be tried again
	}
}
