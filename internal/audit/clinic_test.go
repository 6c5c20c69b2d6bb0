package audit

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/question"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// clinic is a database with one row of everything that others hang on.
type clinic struct {
	db           *store.DB
	admin        *ent.User
	patient      *ent.Patient
	practitioner *ent.Practitioner
	slot         *ent.Slot
	appointment  *ent.Appointment
	order        *ent.Order
}

func newClinic(t *testing.T, db *store.DB) *clinic {
	t.Helper()
	c := &clinic{db: db, admin: testkit.User(t, db, access.Admin), patient: testkit.Patient(t, db), practitioner: testkit.Practitioner(t, db)}
	c.slot = testkit.Slot(t, db, c.practitioner, db.Now().Add(24*time.Hour))
	c.appointment = testkit.Appointment(t, db, c.slot, c.patient)
	c.order = testkit.Order(t, db, c.appointment)
	return c
}

type step func(ctx context.Context, c *clinic) (row any, err error)

// change is one write and what its event has to say.
type change struct {
	action auditevent.Action
	do     step
	fields []string // in which the rows differ; of a creation a few of them
	of     bool     // the patient's
}

// later is a time to come.
var later = testkit.Start.Add(72 * time.Hour)

// writer remembers the row that the creation before has made.
type writer struct{ last any }

func (w *writer) create(of bool, do step, fields ...string) change {
	return change{auditevent.ActionCREATE, func(ctx context.Context, c *clinic) (row any, err error) {
		w.last, err = do(ctx, c)
		return w.last, err
	}, fields, of}
}

func update(of bool, do step, fields ...string) change {
	return change{auditevent.ActionUPDATE, do, fields, of}
}

func remove(of bool, do step) change { return change{auditevent.ActionDELETE, do, nil, of} }

// writes has, for every entity that is audited, its writes in order.
func writes() map[string][]change {
	w, all := &writer{}, map[string][]change{}
	for _, part := range []map[string][]change{w.ofPeople(), w.ofPractitioners(), w.ofVisits(), w.ofMoney(), w.ofChat(), w.ofHospital(), w.ofWallets()} {
		maps.Copy(all, part)
	}
	return all
}

func (w *writer) ofPeople() map[string][]change {
	return map[string][]change{
		ent.TypeUser: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.User.Create().SetEmail("a@b.test").SetEmailKey("a@b.test").SetPasswordHash("hash").SetGivenName("A").SetFamilyName("B").
					SetRoles([]string{"NURSE"}).Save(ctx)
			}, "email", "password_hash", "roles"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.User.UpdateOneID(w.last.(*ent.User).ID).SetRoles([]string{"NURSE", "ADMIN"}).Save(ctx)
			}, "roles"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.User.UpdateOneID(w.last.(*ent.User).ID).AppendRoles([]string{"BILLER"}).Save(ctx)
			}, "roles"),
		},
		ent.TypeSession: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Session.Create().SetUserID(c.admin.ID).SetLastActivityAt(c.db.Now()).SetExpiresAt(later).SetEndsAt(later).
					SetIP("203.0.113.7").SetUserAgent("x").Save(ctx)
			}, "user_id", "ip"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Session.UpdateOneID(w.last.(*ent.Session).ID).SetEndedAt(c.db.Now()).SetEndReason("REVOKED").Save(ctx)
			}, "ended_at", "end_reason"),
		},
		ent.TypeSecondFactor: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.SecondFactor.Create().SetUserID(c.admin.ID).SetSealed("s").SetKeyID("k").Save(ctx)
			}, "sealed", "key_id"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.SecondFactor.UpdateOneID(w.last.(*ent.SecondFactor).ID).SetLastCounter(7).Save(ctx)
			}, "last_counter"),
			remove(false, func(ctx context.Context, c *clinic) (any, error) {
				return w.last, c.db.Client.SecondFactor.DeleteOneID(w.last.(*ent.SecondFactor).ID).Exec(ctx)
			}),
		},
		ent.TypeRecoveryCode: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.RecoveryCode.Create().SetUserID(c.admin.ID).SetCodeHash("h").Save(ctx)
			}, "code_hash"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.RecoveryCode.UpdateOneID(w.last.(*ent.RecoveryCode).ID).SetUsedAt(c.db.Now()).Save(ctx)
			}, "used_at"),
			remove(false, func(ctx context.Context, c *clinic) (any, error) {
				return w.last, c.db.Client.RecoveryCode.DeleteOneID(w.last.(*ent.RecoveryCode).ID).Exec(ctx)
			}),
		},
		ent.TypeLinkCode: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.LinkCode.Create().SetPatientID(c.patient.ID).SetAddress("a@b.test").SetCodeHash("h").SetExpiresAt(later).Save(ctx)
			}, "address", "code_hash"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.LinkCode.UpdateOneID(w.last.(*ent.LinkCode).ID).SetUsedAt(c.db.Now()).Save(ctx)
			}, "used_at"),
			remove(true, func(ctx context.Context, c *clinic) (any, error) {
				return w.last, c.db.Client.LinkCode.DeleteOneID(w.last.(*ent.LinkCode).ID).Exec(ctx)
			}),
		},
		ent.TypeEmailToken: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.EmailToken.Create().SetUserID(c.admin.ID).SetPurpose(emailtoken.PurposeVERIFY_EMAIL).SetTokenHash("h").SetExpiresAt(later).Save(ctx)
			}, "purpose", "token_hash"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.EmailToken.UpdateOneID(w.last.(*ent.EmailToken).ID).SetUsedAt(c.db.Now()).Save(ctx)
			}, "used_at"),
			remove(false, func(ctx context.Context, c *clinic) (any, error) {
				return w.last, c.db.Client.EmailToken.DeleteOneID(w.last.(*ent.EmailToken).ID).Exec(ctx)
			}),
		},
		ent.TypePatient: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Patient.Create().SetNumber("P1").SetGivenName("N").SetFamilyName("F").SetSearchKey("n f").SetTimeZone(testkit.Zone).
					SetBirthDate(civil.Date{Year: 1984, Month: time.May, Day: 17}).Save(ctx)
			}, "number", "birth_date", "gender"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Patient.UpdateOneID(w.last.(*ent.Patient).ID).SetPhone("+61700000000").ClearBirthDate().Save(ctx)
			}, "birth_date", "phone"),
		},
	}
}

func (w *writer) ofPractitioners() map[string][]change {
	return map[string][]change{
		ent.TypePractitioner: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Practitioner.Create().SetUserID(c.admin.ID).SetName("Dr A").SetKind("DOCTOR").SetTimeZone(testkit.Zone).Save(ctx)
			}, "name", "kind"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Practitioner.UpdateOneID(w.last.(*ent.Practitioner).ID).SetIsActive(false).Save(ctx)
			}, "is_active"),
		},
		ent.TypePractitionerCredential: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				u, err := c.db.Client.User.Create().SetEmail("d@b.test").SetEmailKey("d@b.test").SetPasswordHash("x").SetGivenName("D").SetFamilyName("B").
					SetRoles([]string{"DOCTOR"}).Save(quiet(ctx))
				if err != nil {
					return nil, err
				}
				p, err := c.db.Client.Practitioner.Create().SetUserID(u.ID).SetName("Dr D").SetKind("DOCTOR").SetTimeZone(testkit.Zone).Save(quiet(ctx))
				if err != nil {
					return nil, err
				}
				return c.db.Client.PractitionerCredential.Create().SetPractitionerID(p.ID).SetProviderNumber("988939BJ").Save(ctx)
			}, "provider_number", "has_schedule8_authority"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.PractitionerCredential.UpdateOneID(w.last.(*ent.PractitionerCredential).ID).SetHasSchedule8Authority(true).Save(ctx)
			}, "has_schedule8_authority"),
		},
		ent.TypeCareRelation: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.CareRelation.Create().SetPractitionerID(c.practitioner.ID).SetPatientID(c.patient.ID).
					SetSource(carerelation.SourceAPPOINTMENT).SetSourceID(c.appointment.ID).Save(ctx)
			}, "practitioner_id", "patient_id", "source"),
			remove(true, func(ctx context.Context, c *clinic) (any, error) {
				return w.last, c.db.Client.CareRelation.DeleteOneID(w.last.(*ent.CareRelation).ID).Exec(ctx)
			}),
		},
		ent.TypeSlot: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Slot.Create().SetPractitionerID(c.practitioner.ID).SetStartsAt(later).SetEndsAt(later.Add(30 * time.Minute)).
					SetType(slot.TypeLONG).SetDurationMinutes(30).SetTimeZone(testkit.Zone).SetLocalDate(civil.Date{Year: 2025, Month: time.January, Day: 18}).Save(ctx)
			}, "starts_at", "local_date", "duration_minutes"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Slot.UpdateOneID(w.last.(*ent.Slot).ID).SetEndsAt(later.Add(15 * time.Minute)).AddDurationMinutes(-15).Save(ctx)
			}, "ends_at", "duration_minutes"),
			remove(false, func(ctx context.Context, c *clinic) (any, error) {
				return w.last, c.db.Client.Slot.DeleteOneID(w.last.(*ent.Slot).ID).Exec(ctx)
			}),
		},
	}
}

func (w *writer) ofVisits() map[string][]change {
	return map[string][]change{
		ent.TypeAppointment: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				s, err := c.db.Client.Slot.Create().SetPractitionerID(c.practitioner.ID).SetStartsAt(later).SetEndsAt(later.Add(30 * time.Minute)).
					SetType(slot.TypeLONG).SetDurationMinutes(30).SetTimeZone(testkit.Zone).SetLocalDate(civil.Date{Year: 2025, Month: time.January, Day: 18}).Save(quiet(ctx))
				if err != nil {
					return nil, err
				}
				return c.db.Client.Appointment.Create().SetPatientID(c.patient.ID).SetPractitionerID(s.PractitionerID).SetSlotID(s.ID).
					SetStartsAt(s.StartsAt).SetEndsAt(s.EndsAt).SetStatus(appointment.StatusPENDING).SetIsInitial(true).SetPriceMinor(9500).
					SetCurrency("AUD").SetExpiresAt(later).SetBookedBy(c.admin.ID).Save(ctx)
			}, "patient_id", "price_minor", "status"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Appointment.UpdateOneID(w.last.(*ent.Appointment).ID).SetStatus(appointment.StatusBOOKED).Save(ctx)
			}, "status"),
		},
		ent.TypeAppointmentIntake: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.AppointmentIntake.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).
					SetPractitionerID(c.practitioner.ID).SetNote("A cough.").Save(ctx)
			}, "note"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.AppointmentIntake.UpdateOneID(w.last.(*ent.AppointmentIntake).ID).SetNote("No cough.").Save(ctx)
			}, "note"),
		},
		ent.TypeLeave: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Leave.Create().SetPractitionerID(c.practitioner.ID).SetStartsAt(later).SetEndsAt(later.Add(time.Hour)).
					SetReason("An operation.").SetCreatedBy(c.admin.ID).Save(ctx)
			}, "practitioner_id", "starts_at", "ends_at", "reason"),
			remove(false, func(ctx context.Context, c *clinic) (any, error) {
				return w.last, c.db.Client.Leave.DeleteOneID(w.last.(*ent.Leave).ID).Exec(ctx)
			}),
		},
		ent.TypeQuestion: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) { return askedQuestion(ctx, c) }, "prompt", "kind", "position"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Question.UpdateOneID(w.last.(*ent.Question).ID).SetIsActive(false).Save(ctx)
			}, "is_active"),
		},
		ent.TypeQuestionAnswer: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				q, err := askedQuestion(quiet(ctx), c)
				if err != nil {
					return nil, err
				}
				return c.db.Client.QuestionAnswer.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).
					SetQuestionID(q.ID).SetPrompt(q.Prompt).SetText("Yes, a little.").SetChoices([]string{}).Save(ctx)
			}, "question_id", "prompt", "text"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.QuestionAnswer.UpdateOneID(w.last.(*ent.QuestionAnswer).ID).SetText("No.").Save(ctx)
			}, "text"),
		},
		ent.TypeAppointmentStatusChange: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.AppointmentStatusChange.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).
					SetPractitionerID(c.practitioner.ID).SetToStatus("BOOKED").SetCause("test").SetReason("It hurts.").Save(ctx)
			}, "to_status", "cause", "reason"),
		},
		ent.TypeNotification: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Notification.Create().SetUserID(c.admin.ID).SetKind("K").SetSubjectID(c.order.ID).SetOccurrence("").SetTitle("T").SetText("X").Save(ctx)
			}, "user_id", "kind", "text"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Notification.UpdateOneID(w.last.(*ent.Notification).ID).SetReadAt(c.db.Now()).Save(ctx)
			}, "read_at"),
		},
	}
}

func (w *writer) ofMoney() map[string][]change {
	return map[string][]change{
		ent.TypeOrder: {
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Order.UpdateOneID(c.order.ID).SetStatus(order.StatusREFUNDED).AddRefundedMinor(500).Save(ctx)
			}, "status", "refunded_minor"),
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Order.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).SetAmountMinor(1).SetCurrency("AUD").
					SetStatus(order.StatusPENDING).SetProvider("sandbox").SetExpiresAt(later).Save(ctx)
			}, "amount_minor", "provider"),
		},
		ent.TypePaymentEvent: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.PaymentEvent.Create().SetProvider("sandbox").SetEventID("e1").SetType("paid").SetOrderID(c.order.ID).SetOutcome("PAID").Save(ctx)
			}, "event_id", "order_id"),
		},
		ent.TypeRefund: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Refund.Create().SetOrderID(c.order.ID).SetPatientID(c.patient.ID).SetAmountMinor(500).SetCurrency("AUD").
					SetStatus(refund.StatusPROCESSING).SetReason("cancelled").Save(ctx)
			}, "amount_minor", "reason"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Refund.UpdateOneID(w.last.(*ent.Refund).ID).SetStatus(refund.StatusSUCCEEDED).AddAttempts(1).Save(ctx)
			}, "status", "attempts"),
		},
	}
}

func askedQuestion(ctx context.Context, c *clinic) (*ent.Question, error) {
	return c.db.Client.Question.Create().SetPrompt("Do you smoke?").SetKind(question.KindTEXT).SetChoices([]string{}).SetPosition(1).Save(ctx)
}

// quiet marks writes that a step needs beforehand and whose events are not looked at.
func quiet(ctx context.Context) context.Context { return Cause(ctx, "quiet") }
