package matrix_test

import (
	"slices"
	"time"

	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/testkit"
)

// values are columns of a row.
type values map[string]any

// row is one record of the world, and who may do what with it. It is the oracle: written from the specification, without a rule in it.
type row struct {
	entity, name string
	refs         string            // foreign keys: column=name of the other row
	values       values            // columns that differ from the entity's usual ones
	read         string            // viewers who may read it
	change       map[string]string // viewers who may change its columns, by kind of column; see columnKinds
	remove       string            // viewers who may delete it
}

// by is the change of a row whose columns are all of one kind.
func by(list string) map[string]string { return map[string]string{"": list} }

// Instants of the world; it is testkit.Start.
const day = 24 * time.Hour

func at(d time.Duration) time.Time { return testkit.Start.Add(d) }

// during are the columns of something that takes half an hour.
func during(start time.Time, more values) values {
	v := values{"starts_at": start, "ends_at": start.Add(30 * time.Minute)}
	for column, value := range more {
		v[column] = value
	}
	return v
}

func own(name, others string) map[string]string {
	return map[string]string{"password": name + " " + others, "account": others}
}

var rows = slices.Concat(clinicRows, hospitalRows)

var clinicRows = []row{
	{entity: "User", name: "alice", read: "alice " + admins, change: own("alice", admins)},
	{entity: "User", name: "bob", read: "bob " + admins, change: own("bob", admins)},
	{entity: "User", name: "pete", read: "pete " + admins, change: own("pete", admins)},
	{entity: "User", name: "dora", read: "dora " + admins, change: own("dora", admins)},
	{entity: "User", name: "drew", read: "drew " + admins, change: own("drew", admins)},
	{entity: "User", name: "dirk", read: "dirk " + admins, change: own("dirk", admins)},
	{entity: "User", name: "cleo", read: "cleo " + admins, change: own("cleo", admins)},
	{entity: "User", name: "sue", read: "sue " + admins, change: own("sue", admins)},
	{entity: "User", name: "nell", read: "nell " + admins, change: own("nell", admins)},
	{entity: "User", name: "sid", read: "sid " + admins, change: own("sid", admins)},
	{entity: "User", name: "bea", read: "bea " + admins, change: own("bea", admins)},
	{entity: "User", name: "bess", read: "bess " + admins, change: own("bess", admins)},
	{entity: "User", name: "phil", read: "phil " + admins, change: own("phil", admins)},
	{entity: "User", name: "ada", read: admins, change: own("", admins)},
	{entity: "User", name: "dana", read: admins, change: own("", admins)},
	{entity: "User", name: "norm", read: admins, change: own("", admins)},
	{entity: "User", name: "ivan", read: admins, change: own("", admins), // has left
		values: values{"roles": []string{"DOCTOR"}, "is_active": false, "deactivated_at": at(-30 * day)}},

	{entity: "Patient", name: "alice", refs: "user_id=alice", read: "alice " + staff,
		change: map[string]string{"contact": "alice " + desk, "record": desk}},
	{entity: "Patient", name: "bob", refs: "user_id=bob", read: "bob " + staff,
		change: map[string]string{"contact": "bob " + desk, "record": desk}},
	{entity: "Patient", name: "carol", read: staff, // entered by staff, without an account
		change: map[string]string{"contact": desk, "record": desk}},

	{entity: "Practitioner", name: "dora", refs: "user_id=dora", read: directory, change: map[string]string{"profile": "dora " + admins, "post": admins}},
	{entity: "Practitioner", name: "drew", refs: "user_id=drew", read: directory, change: map[string]string{"profile": "drew " + admins, "post": admins}},
	{entity: "Practitioner", name: "cleo", refs: "user_id=cleo", read: directory, change: map[string]string{"profile": "cleo " + admins, "post": admins},
		values: values{"kind": practitioner.KindCLINICIAN}},
	{entity: "Practitioner", name: "sue", refs: "user_id=sue", read: directory, change: map[string]string{"profile": "sue " + admins, "post": admins},
		values: values{"kind": practitioner.KindCLINICIAN}},
	{entity: "Practitioner", name: "dana", refs: "user_id=dana", read: directory, change: map[string]string{"profile": admins, "post": admins}},
	{entity: "Practitioner", name: "ivan", refs: "user_id=ivan", read: directory, change: map[string]string{"profile": admins, "post": admins},
		values: values{"is_active": false}},

	{entity: "PractitionerCredential", name: "dora", refs: "practitioner_id=dora", read: "dora " + admins,
		change: map[string]string{"number": "dora " + admins, "authority": admins}},
	{entity: "PractitionerCredential", name: "drew", refs: "practitioner_id=drew", read: "drew " + admins,
		change: map[string]string{"number": "drew " + admins, "authority": admins}},
	{entity: "PractitionerCredential", name: "cleo", refs: "practitioner_id=cleo", read: "cleo " + admins,
		change: map[string]string{"number": "cleo " + admins, "authority": admins}},
	{entity: "PractitionerCredential", name: "dana", refs: "practitioner_id=dana", read: admins,
		change: map[string]string{"number": admins, "authority": admins}},

	// Patients see the slots to come, and past ones only of visits of their own, dead ones included.
	{entity: "Slot", name: "dora.past", refs: "practitioner_id=dora", values: during(at(-7*day), nil),
		read: "alice " + staff, change: by("dora " + planners), remove: "dora " + planners},
	{entity: "Slot", name: "dora.spent", refs: "practitioner_id=dora", values: during(at(-6*day), nil),
		read: staff, change: by("dora " + planners), remove: "dora " + planners},
	{entity: "Slot", name: "dora.next", refs: "practitioner_id=dora", values: during(at(1*day), nil),
		read: directory, change: by("dora " + planners), remove: "dora " + planners},
	{entity: "Slot", name: "dora.free", refs: "practitioner_id=dora", values: during(at(2*day), nil),
		read: directory, change: by("dora " + planners), remove: "dora " + planners},
	{entity: "Slot", name: "drew.past", refs: "practitioner_id=drew", values: during(at(-5*day), nil),
		read: "bob " + staff, change: by("drew " + planners), remove: "drew " + planners},
	{entity: "Slot", name: "drew.next", refs: "practitioner_id=drew", values: during(at(3*day), nil),
		read: directory, change: by("drew " + planners), remove: "drew " + planners},
	{entity: "Slot", name: "drew.lapsed", refs: "practitioner_id=drew", values: during(at(4*day), nil),
		read: directory, change: by("drew " + planners), remove: "drew " + planners},
	{entity: "Slot", name: "cleo.past", refs: "practitioner_id=cleo", values: during(at(-4*day), nil),
		read: "alice " + staff, change: by("cleo " + planners), remove: "cleo " + planners},
	{entity: "Slot", name: "cleo.free", refs: "practitioner_id=cleo", values: during(at(5*day), nil),
		read: directory, change: by("cleo " + planners), remove: "cleo " + planners},
	{entity: "Slot", name: "sue.past", refs: "practitioner_id=sue", values: during(at(-3*day), nil),
		read: "bob " + staff, change: by("sue " + planners), remove: "sue " + planners},
	{entity: "Slot", name: "ivan.past", refs: "practitioner_id=ivan", values: during(at(-60*day), nil),
		read: "bob " + staff, change: by(planners), remove: planners},
	{entity: "Slot", name: "dana.next", refs: "practitioner_id=dana", values: during(at(6*day), nil),
		read: directory, change: by(planners), remove: planners},

	// What the practitioner has blocked staff see, what is removed nobody but the patients whose visit it was.
	{entity: "Slot", name: "drew.blocked", refs: "practitioner_id=drew", values: during(at(8*day), values{"status": slot.StatusBLOCKED}),
		read: staff, change: by("drew " + planners), remove: "drew " + planners},
	{entity: "Slot", name: "drew.removed", refs: "practitioner_id=drew", values: during(at(9*day), values{"status": slot.StatusREMOVED}),
		read: "alice", change: by(nobody)},

	// The reason of a leave is for whose it is and for who plans visits.
	{entity: "Leave", name: "dora", refs: "practitioner_id=dora created_by=dora", read: "dora " + planners, remove: "dora " + planners},
	{entity: "Leave", name: "drew", refs: "practitioner_id=drew created_by=sid", read: "drew " + planners, remove: "drew " + planners},

	{entity: "Appointment", name: "alice.done", refs: "patient_id=alice practitioner_id=dora slot_id=dora.past booked_by=alice",
		values: during(at(-7*day), values{"status": appointment.StatusCOMPLETED}),
		read:   "alice dora " + planners, change: map[string]string{"status": "alice dora " + planners, "plan": nobody}},
	{entity: "Appointment", name: "alice.next", refs: "patient_id=alice practitioner_id=dora slot_id=dora.next booked_by=alice",
		values: during(at(1*day), values{"status": appointment.StatusBOOKED}),
		read:   "alice dora " + planners, change: map[string]string{"status": "alice dora " + planners, "plan": nobody}},
	{entity: "Appointment", name: "alice.lapsed", refs: "patient_id=alice practitioner_id=cleo slot_id=cleo.past booked_by=alice",
		values: during(at(-4*day), values{"status": appointment.StatusPAYMENT_EXPIRED}),
		read:   "alice cleo " + planners, change: map[string]string{"status": "alice cleo " + planners, "plan": nobody}},
	{entity: "Appointment", name: "bob.done", refs: "patient_id=bob practitioner_id=drew slot_id=drew.past booked_by=bob",
		values: during(at(-5*day), values{"status": appointment.StatusCOMPLETED}),
		read:   "bob drew " + planners, change: map[string]string{"status": "bob drew " + planners, "plan": nobody}},
	{entity: "Appointment", name: "bob.pending", refs: "patient_id=bob practitioner_id=drew slot_id=drew.next booked_by=bob",
		values: during(at(3*day), values{"status": appointment.StatusPENDING}),
		read:   "bob drew " + planners, change: map[string]string{"status": "bob drew " + planners, "plan": nobody}},
	{entity: "Appointment", name: "bob.lapsed", refs: "patient_id=bob practitioner_id=drew slot_id=drew.lapsed booked_by=bob",
		values: during(at(4*day), values{"status": appointment.StatusPAYMENT_EXPIRED}),
		read:   "bob drew " + planners, change: map[string]string{"status": "bob drew " + planners, "plan": nobody}},
	{entity: "Appointment", name: "bob.called", refs: "patient_id=bob practitioner_id=sue slot_id=sue.past booked_by=sid",
		values: during(at(-3*day), values{"status": appointment.StatusCANCELLED_BY_ADMIN}),
		read:   "bob sue " + planners, change: map[string]string{"status": "bob sue " + planners, "plan": nobody}},
	{entity: "Appointment", name: "bob.missed", refs: "patient_id=bob practitioner_id=ivan slot_id=ivan.past booked_by=bob",
		values: during(at(-60*day), values{"status": appointment.StatusNO_SHOW}),
		read:   "bob " + planners, change: map[string]string{"status": "bob " + planners, "plan": nobody}},
	{entity: "Appointment", name: "carol.next", refs: "patient_id=carol practitioner_id=dana slot_id=dana.next booked_by=sid",
		values: during(at(6*day), values{"status": appointment.StatusBOOKED}),
		read:   planners, change: map[string]string{"status": planners, "plan": nobody}},

	{entity: "Appointment", name: "alice.dropped", refs: "patient_id=alice practitioner_id=drew slot_id=drew.removed booked_by=alice",
		values: during(at(9*day), values{"status": appointment.StatusCANCELLED_BY_PATIENT}),
		read:   "alice drew " + planners, change: map[string]string{"status": "alice drew " + planners, "plan": nobody}},
	{entity: "Appointment", name: "alice.moved", refs: "patient_id=alice practitioner_id=dora slot_id=dora.free booked_by=alice rescheduled_from_id=alice.lapsed",
		values: during(at(2*day), values{"status": appointment.StatusCANCELLED_BY_PATIENT}),
		read:   "alice dora " + planners, change: map[string]string{"status": "alice dora " + planners, "plan": nobody}},
	// Deleted ones are nobody's, but in the list of those.
	{entity: "Appointment", name: "alice.deleted", refs: "patient_id=alice practitioner_id=dora slot_id=dora.free booked_by=alice deleted_by=alice",
		values: during(at(2*day), values{"status": appointment.StatusCANCELLED_BY_PATIENT, "deleted_at": at(-day)}),
		read:   nobody, change: map[string]string{"status": nobody, "plan": nobody}},

	// Clinical: for the patient and the practitioner of the visit, not for administrators.
	{entity: "Question", name: "smoking", read: everyone, change: by(admins)},
	{entity: "Question", name: "old", values: values{"is_active": false}, read: everyone, change: by(admins)},
	{entity: "QuestionAnswer", name: "alice.next", refs: "appointment_id=alice.next patient_id=alice practitioner_id=dora question_id=smoking",
		read: "alice dora", change: by("alice")},
	{entity: "QuestionAnswer", name: "bob.pending", refs: "appointment_id=bob.pending patient_id=bob practitioner_id=drew question_id=smoking",
		read: "bob drew", change: by("bob")},
	{entity: "QuestionAnswer", name: "carol.next", refs: "appointment_id=carol.next patient_id=carol practitioner_id=dana question_id=old",
		read: "dana", change: by(nobody)},
	{entity: "AppointmentIntake", name: "alice.done", refs: "appointment_id=alice.done patient_id=alice practitioner_id=dora",
		read: "alice dora", change: by("alice dora")},
	{entity: "AppointmentIntake", name: "alice.next", refs: "appointment_id=alice.next patient_id=alice practitioner_id=dora",
		read: "alice dora", change: by("alice dora")},
	{entity: "AppointmentIntake", name: "bob.pending", refs: "appointment_id=bob.pending patient_id=bob practitioner_id=drew",
		read: "bob drew", change: by("bob drew")},
	{entity: "AppointmentIntake", name: "carol.next", refs: "appointment_id=carol.next patient_id=carol practitioner_id=dana",
		read: "dana", change: by("dana")},

	{entity: "AppointmentStatusChange", name: "alice.asked", refs: "appointment_id=alice.next patient_id=alice practitioner_id=dora changed_by=alice",
		values: values{"to_status": "PENDING", "cause": "bookAppointment"}, read: "alice dora " + planners},
	{entity: "AppointmentStatusChange", name: "alice.paid", refs: "appointment_id=alice.next patient_id=alice practitioner_id=dora",
		values: values{"from_status": "PENDING", "to_status": "BOOKED"}, read: "alice dora " + planners},
	{entity: "AppointmentStatusChange", name: "bob.asked", refs: "appointment_id=bob.pending patient_id=bob practitioner_id=drew changed_by=bob",
		values: values{"to_status": "PENDING", "cause": "bookAppointment"}, read: "bob drew " + planners},
	{entity: "AppointmentStatusChange", name: "carol.asked", refs: "appointment_id=carol.next patient_id=carol practitioner_id=dana changed_by=sid",
		values: values{"to_status": "PENDING", "cause": "bookAppointment"}, read: planners},

	{entity: "Order", name: "alice.done", refs: "appointment_id=alice.done patient_id=alice",
		values: values{"status": order.StatusREFUNDED, "refunded_minor": int64(8000), "paid_at": at(-8 * day)}, read: "alice " + cashiers, change: by(nobody)},
	{entity: "Order", name: "alice.next", refs: "appointment_id=alice.next patient_id=alice",
		values: values{"status": order.StatusPAID, "provider_ref": "checkout-1", "paid_at": at(-1 * day), "method": order.MethodONLINE}, read: "alice " + cashiers, change: by(nobody)},
	{entity: "Order", name: "bob.pending", refs: "appointment_id=bob.pending patient_id=bob",
		values: values{"provider_ref": "checkout-2"}, read: "bob sid " + cashiers, change: by(nobody)}, // the desk may take the money
	{entity: "Order", name: "bob.lapsed", refs: "appointment_id=bob.lapsed patient_id=bob",
		values: values{"status": order.StatusEXPIRED}, read: "bob sid " + cashiers, change: by(nobody)},
	{entity: "Order", name: "carol.next", refs: "appointment_id=carol.next patient_id=carol", // paid at the desk
		values: values{"status": order.StatusPAID, "method": order.MethodCASH, "paid_at": at(-1 * day)}, read: "sid " + cashiers, change: by(nobody)},

	{entity: "Refund", name: "alice", refs: "order_id=alice.done patient_id=alice", values: values{"status": refund.StatusSUCCEEDED}, read: "alice " + cashiers, change: by(nobody)},
	{entity: "Refund", name: "bob", refs: "order_id=bob.lapsed patient_id=bob", read: "bob " + cashiers, change: by(nobody)},
	{entity: "Refund", name: "carol", refs: "order_id=carol.next patient_id=carol", read: cashiers, change: by(nobody)},

	// A room is for its patient and its practitioner; administrators know that it stands, and read nothing of it.
	{entity: "ChatRoom", name: "alice.done", refs: "appointment_id=alice.done patient_id=alice practitioner_id=dora",
		values: values{"status": chatroom.StatusINACTIVE}, read: "alice dora " + admins, change: by(nobody)},
	{entity: "ChatRoom", name: "alice.next", refs: "appointment_id=alice.next patient_id=alice practitioner_id=dora", read: "alice dora " + admins, change: by(nobody)},
	{entity: "ChatRoom", name: "bob.done", refs: "appointment_id=bob.done patient_id=bob practitioner_id=drew", read: "bob drew " + admins, change: by(nobody)},
	{entity: "ChatRoom", name: "bob.missed", refs: "appointment_id=bob.missed patient_id=bob practitioner_id=ivan", read: "bob " + admins, change: by(nobody)},
	{entity: "ChatRoom", name: "carol.next", refs: "appointment_id=carol.next patient_id=carol practitioner_id=dana", read: admins, change: by(nobody)},

	{entity: "ChatRoom", name: "bob.gone", refs: "appointment_id=bob.called patient_id=bob practitioner_id=sue",
		values: values{"deleted_at": at(-day)}, read: nobody, change: by(nobody)}, // taken away

	{entity: "ChatMessage", name: "alice.1", refs: "room_id=alice.next patient_id=alice practitioner_id=dora sender_id=alice",
		values: values{"position": int64(1)}, read: "alice dora ada"},
	{entity: "ChatMessage", name: "alice.2", refs: "room_id=alice.next patient_id=alice practitioner_id=dora sender_id=dora",
		values: values{"position": int64(2), "sender_role": chatmessage.SenderRolePRACTITIONER}, read: "alice dora ada"},
	{entity: "ChatMessage", name: "bob.1", refs: "room_id=bob.done patient_id=bob practitioner_id=drew sender_id=bob",
		values: values{"position": int64(1)}, read: "bob drew"},
	{entity: "ChatMessage", name: "bob.2", refs: "room_id=bob.missed patient_id=bob practitioner_id=ivan sender_id=bob",
		values: values{"position": int64(1)}, read: "bob"},
	{entity: "ChatMessage", name: "carol.1", refs: "room_id=carol.next patient_id=carol practitioner_id=dana sender_id=dana",
		values: values{"position": int64(1), "sender_role": chatmessage.SenderRolePRACTITIONER}, read: "dana"},

	{entity: "ChatMessage", name: "bob.3", refs: "room_id=bob.gone patient_id=bob practitioner_id=sue sender_id=bob", values: values{"position": int64(1)}, read: nobody},

	{entity: "ChatRead", name: "alice", refs: "room_id=alice.next patient_id=alice practitioner_id=dora user_id=alice", read: "alice dora ada"},
	{entity: "ChatRead", name: "drew", refs: "room_id=bob.done patient_id=bob practitioner_id=drew user_id=drew", read: "bob drew"},
	{entity: "ChatRead", name: "dana", refs: "room_id=carol.next patient_id=carol practitioner_id=dana user_id=dana", read: "dana"},

	// What became of a message is for the administrator to whom the room is open; the others are shown the latest text.
	{entity: "ChatMessageVersion", name: "alice.1b", refs: "message_id=alice.1 room_id=alice.next patient_id=alice practitioner_id=dora", read: "ada"},
	{entity: "ChatMessageVersion", name: "bob.1b", refs: "message_id=bob.1 room_id=bob.done patient_id=bob practitioner_id=drew", read: nobody},

	{entity: "ChatUpload", name: "alice", refs: "room_id=alice.next patient_id=alice practitioner_id=dora user_id=alice", read: nobody, change: by(nobody)},
	{entity: "ChatUpload", name: "bob", refs: "room_id=bob.done patient_id=bob practitioner_id=drew user_id=drew", read: nobody, change: by(nobody)},

	{entity: "ChatAttachment", name: "alice", refs: "message_id=alice.1 upload_id=alice room_id=alice.next patient_id=alice practitioner_id=dora", read: "alice dora ada"},
	{entity: "ChatAttachment", name: "bob", refs: "message_id=bob.1 upload_id=bob room_id=bob.done patient_id=bob practitioner_id=drew", read: "bob drew"},

	// ada has opened a room; what dana had opened is over. Participants and administrators see who has, and why.
	{entity: "RecordOpening", name: "ada", refs: "room_id=alice.next patient_id=alice practitioner_id=dora user_id=ada", read: "alice dora " + admins},
	{entity: "RecordOpening", name: "dana", refs: "room_id=bob.done patient_id=bob practitioner_id=drew user_id=dana",
		values: values{"expires_at": at(0)}, read: "bob drew " + admins},

	{entity: "JobRun", name: "cleanup", read: admins, change: by(nobody)},
	{entity: "JobRun", name: "charges", values: values{"job": "daily-admission-charges"}, read: cashiers, change: by(nobody)}, // who starts it follows it
	{entity: "JobRun", name: "expire", values: values{"job": "expire-pending-appointments", "state": jobrun.StateFAILED}, read: admins, change: by(nobody)},

	{entity: "Session", name: "alice", refs: "user_id=alice", read: "alice " + admins, change: map[string]string{"end": "alice " + admins, "life": nobody}},
	{entity: "Session", name: "alice.old", refs: "user_id=alice", values: values{"ended_at": at(-day)},
		read: "alice " + admins, change: map[string]string{"end": "alice " + admins, "life": nobody}},
	{entity: "Session", name: "bob", refs: "user_id=bob", read: "bob " + admins, change: map[string]string{"end": "bob " + admins, "life": nobody}},
	{entity: "Session", name: "dora", refs: "user_id=dora", read: "dora " + admins, change: map[string]string{"end": "dora " + admins, "life": nobody}},
	{entity: "Session", name: "phil", refs: "user_id=phil", read: "phil " + admins, change: map[string]string{"end": "phil " + admins, "life": nobody}},
	{entity: "Session", name: "ada", refs: "user_id=ada", read: admins, change: map[string]string{"end": admins, "life": nobody}},
	{entity: "Session", name: "ivan", refs: "user_id=ivan", read: admins, change: map[string]string{"end": admins, "life": nobody}},

	{entity: "Notification", name: "alice", refs: "user_id=alice", read: "alice", change: map[string]string{"read": "alice", "moot": nobody}},
	{entity: "Notification", name: "alice.moot", refs: "user_id=alice", values: values{"withdrawn_at": at(-time.Hour)},
		read: nobody, change: map[string]string{"read": nobody, "moot": nobody}},
	{entity: "Notification", name: "bob", refs: "user_id=bob", read: "bob", change: map[string]string{"read": "bob", "moot": nobody}},
	{entity: "Notification", name: "dora", refs: "user_id=dora", read: "dora", change: map[string]string{"read": "dora", "moot": nobody}},
	{entity: "Notification", name: "phil", refs: "user_id=phil", read: "phil", change: map[string]string{"read": "phil", "moot": nobody}},
	{entity: "Notification", name: "ada", refs: "user_id=ada", read: "ada", change: map[string]string{"read": "ada", "moot": nobody}},
	{entity: "Notification", name: "dana.moot", refs: "user_id=dana", values: values{"withdrawn_at": at(-time.Hour)},
		read: nobody, change: map[string]string{"read": nobody, "moot": nobody}},

	// Bookkeeping: for no user at all.
	{entity: "CareRelation", name: "dora.alice", refs: "practitioner_id=dora patient_id=alice", read: nobody},
	{entity: "CareRelation", name: "drew.bob", refs: "practitioner_id=drew patient_id=bob", read: nobody},
	{entity: "LoginAttempt", name: "alice", refs: "user_id=alice session_id=alice", read: nobody, change: by(nobody)},
	{entity: "LoginAttempt", name: "ada", refs: "user_id=ada", read: nobody, change: by(nobody)},
	{entity: "EmailToken", name: "alice", refs: "user_id=alice", read: nobody, change: by(nobody)},
	{entity: "EmailToken", name: "ada", refs: "user_id=ada", read: nobody, change: by(nobody)},
	{entity: "SecondFactor", name: "bob", refs: "user_id=bob", read: nobody, change: by(nobody)},
	{entity: "SecondFactor", name: "ada", refs: "user_id=ada", read: nobody, change: by(nobody)},
	{entity: "RecoveryCode", name: "bob", refs: "user_id=bob", read: nobody, change: by(nobody)},
	{entity: "RecoveryCode", name: "ada", refs: "user_id=ada", read: nobody, change: by(nobody)},
	{entity: "LinkCode", name: "carol", refs: "patient_id=carol", read: nobody, change: by(nobody)},
	{entity: "LinkCode", name: "alice", refs: "patient_id=alice", read: nobody, change: by(nobody)},
	{entity: "RateEvent", name: "one", read: nobody},
	{entity: "RateEvent", name: "two", read: nobody},
	{entity: "PaymentEvent", name: "alice", refs: "order_id=alice.next", read: nobody},
	{entity: "PaymentEvent", name: "bob", refs: "order_id=bob.lapsed", read: nobody},
	{entity: "SandboxCheckout", name: "alice", refs: "order_id=alice.next", read: nobody, change: by(nobody)},
	{entity: "SandboxCheckout", name: "bob", refs: "order_id=bob.lapsed", read: nobody, change: by(nobody)},
	{entity: "IdempotencyKey", name: "alice", values: values{"scope": "alice bookAppointment"}, read: nobody, change: by(nobody)},
	{entity: "IdempotencyKey", name: "ada", values: values{"scope": "ada createUser"}, read: nobody, change: by(nobody)},
	{entity: "AuditEvent", name: "alice", refs: "actor_id=alice session_id=alice patient_id=alice", read: nobody},
	{entity: "AuditEvent", name: "ada", refs: "actor_id=ada session_id=ada", read: nobody},
	{entity: "Delivery", name: "alice", refs: "user_id=alice", read: nobody, change: by(nobody)},
	{entity: "Delivery", name: "ada", refs: "user_id=ada", read: nobody, change: by(nobody)},
	{entity: "Counter", name: "invoice", read: nobody, change: by(nobody)},
	{entity: "Counter", name: "statement", read: nobody, change: by(nobody)},
	{entity: "Stream", name: "one", read: nobody, change: by(nobody)},
	{entity: "Stream", name: "two", read: nobody, change: by(nobody)},
	{entity: "StreamEntry", name: "alice", refs: "patient_id=alice", read: nobody},
	{entity: "StreamEntry", name: "bob", refs: "patient_id=bob", read: nobody},
}
