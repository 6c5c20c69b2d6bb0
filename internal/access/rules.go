package access

import (
	"time"

	"entgo.io/ent/dialect/sql"
)

// Predicate limits the rows of a statement.
type Predicate func(s *sql.Selector) *sql.Predicate

// Rule answers which rows a viewer may touch; nil = all of them.
type Rule func(v *Viewer, now time.Time) Predicate

// All lets every row pass.
func All(*Viewer, time.Time) Predicate { return nil }

// None lets no row pass.
func None(*Viewer, time.Time) Predicate {
	return func(*sql.Selector) *sql.Predicate { return sql.False() }
}

// column matches rows whose column holds an id of the viewer.
func column(name string, id func(v *Viewer) any) Rule {
	return func(v *Viewer, _ time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate { return sql.EQ(s.C(name), id(v)) }
	}
}

func userID(v *Viewer) any         { return v.UserID }
func patientID(v *Viewer) any      { return v.PatientID }
func practitionerID(v *Viewer) any { return v.PractitionerID }

// in matches rows whose column is among a column of another table's rows that match.
func in(name, table, selected string, where func(v *Viewer) *sql.Predicate) Rule {
	return func(v *Viewer, _ time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate {
			return sql.In(s.C(name), sql.Dialect(s.Dialect()).Select(selected).From(sql.Table(table)).Where(where(v)))
		}
	}
}

// notIn matches rows whose column is not among them.
func notIn(name, table, selected string, where func(v *Viewer) *sql.Predicate) Rule {
	return func(v *Viewer, _ time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate {
			return sql.NotIn(s.C(name), sql.Dialect(s.Dialect()).Select(selected).From(sql.Table(table)).Where(where(v)))
		}
	}
}

// inNow is in for rows that match at an instant.
func inNow(name, table, selected string, where func(v *Viewer, now time.Time) *sql.Predicate) Rule {
	return func(v *Viewer, now time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate {
			return sql.In(s.C(name), sql.Dialect(s.Dialect()).Select(selected).From(sql.Table(table)).Where(where(v, now)))
		}
	}
}

// pairIn matches rows whose two columns are together among two columns of another table's rows that match.
func pairIn(first, second, table, selectedFirst, selectedSecond string, where func(v *Viewer, now time.Time) *sql.Predicate) Rule {
	return func(v *Viewer, now time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate {
			rows := sql.Dialect(s.Dialect()).Select(selectedFirst, selectedSecond).From(sql.Table(table)).Where(where(v, now))
			firstColumn, secondColumn := s.C(first), s.C(second) // now: the selector's alias may change until it is written
			return sql.P(func(b *sql.Builder) {
				b.WriteByte('(').IdentComma(firstColumn, secondColumn).WriteString(") IN (").Join(rows).WriteByte(')')
			})
		}
	}
}

// both needs all rules.
func both(rules ...Rule) Rule { return combine(sql.And, rules) }

// either needs one of the rules.
func either(rules ...Rule) Rule { return combine(sql.Or, rules) }

func combine(join func(...*sql.Predicate) *sql.Predicate, rules []Rule) Rule {
	return func(v *Viewer, now time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate {
			parts := make([]*sql.Predicate, len(rules))
			for i, r := range rules {
				parts[i] = r(v, now)(s)
			}
			return wrapped(join(parts...))
		}
	}
}

// isNull matches rows whose column is null.
func isNull(name string) Rule {
	return func(*Viewer, time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate { return sql.IsNull(s.C(name)) }
	}
}

// oneOf matches rows whose column is one of the values.
func oneOf(name string, values ...any) Rule {
	return func(*Viewer, time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate { return sql.In(s.C(name), values...) }
	}
}

// toCome matches rows whose instant lies ahead.
func toCome(name string) Rule {
	return func(_ *Viewer, now time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate { return sql.GT(s.C(name), now) }
	}
}

// isNot matches rows whose column holds something else than the text.
func isNot(name, text string) Rule {
	return func(*Viewer, time.Time) Predicate {
		return func(s *sql.Selector) *sql.Predicate { return sql.NEQ(s.C(name), text) }
	}
}

// unlessVisitDeleted hides what hangs on visits that were deleted.
func unlessVisitDeleted(*Viewer, time.Time) Predicate {
	return func(s *sql.Selector) *sql.Predicate {
		visits := sql.Table("appointments").As("deleted_visits")
		return sql.NotExists(sql.Dialect(s.Dialect()).Select(visits.C("id")).From(visits).Where(sql.And(
			sql.ColumnsEQ(visits.C("id"), s.C("appointment_id")), sql.NotNull(visits.C("deleted_at")))))
	}
}

// unlessDeletedOrAsked hides visits that were deleted from all but who asks for them.
func unlessDeletedOrAsked(v *Viewer, now time.Time) Predicate {
	if v.withDeleted {
		return nil
	}
	return unlessDeleted(v, now)
}
