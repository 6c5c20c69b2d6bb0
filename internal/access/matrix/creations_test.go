package matrix_test

import (
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
)

// creation is a new row under given parents, and who may make it. "a|b" in a reference stands for one row each.
type creation struct {
	entity, refs string
	values       values
	may          string
}

// dead is the status of a visit that holds no slot, so that only the policy can refuse it.
var dead = values{"status": appointment.StatusCANCELLED_BY_ADMIN}

// expired is the status of an order beside which another may stand.
var expired = values{"status": order.StatusEXPIRED}

// creations is the oracle of new rows. A row may be made only under parents that its maker may read, and bookkeeping by no user.
var creations = []creation{
	{"User", "", nil, admins},
	{"Session", "user_id=" + users, nil, nobody},
	{"Notification", "user_id=" + users, nil, nobody},

	// The front desk enters people without an account. Whose account a record belongs to is not for the desk to say.
	{"Patient", "", nil, desk},
	{"Patient", "user_id=pete|dora|norm|ada|ivan|phil", nil, admins},

	{"Practitioner", "user_id=dirk|norm|nell|phil|pete", nil, admins},
	{"PractitionerCredential", "practitioner_id=sue|ivan", nil, admins},

	{"Slot", "practitioner_id=dora", nil, "dora " + planners},
	{"Slot", "practitioner_id=drew", nil, "drew " + planners},
	{"Slot", "practitioner_id=cleo", nil, "cleo " + planners},
	{"Slot", "practitioner_id=sue", nil, "sue " + planners},
	{"Slot", "practitioner_id=dana|ivan", nil, planners},

	{"Leave", "practitioner_id=dora created_by=dora", nil, "dora " + admins},
	{"Leave", "practitioner_id=dora created_by=drew|ada|alice|ivan", nil, admins},
	{"Leave", "practitioner_id=drew created_by=drew", nil, "drew " + admins},
	{"Leave", "practitioner_id=dora|drew|dana created_by=sid", nil, "sid " + admins},
	{"Question", "", nil, admins},

	// A patient books for himself, in a slot to come; planners for anybody. Nobody books in another's name but who sees that account.
	{"Appointment", "patient_id=alice practitioner_id=dora slot_id=dora.free booked_by=alice", nil, "alice " + admins},
	{"Appointment", "patient_id=bob practitioner_id=dora slot_id=dora.free booked_by=bob", nil, "bob " + admins},
	{"Appointment", "patient_id=alice|bob|carol practitioner_id=dora slot_id=dora.free booked_by=sid", nil, planners},
	{"Appointment", "patient_id=carol practitioner_id=dora slot_id=dora.free booked_by=alice|bob|pete|dora|nell|phil|ada|dana|ivan", nil, admins},
	{"Appointment", "patient_id=alice practitioner_id=dora slot_id=dora.free booked_by=bob|pete|dora|nell|phil|ada|dana|ivan", nil, admins},
	{"Appointment", "patient_id=bob practitioner_id=dora slot_id=dora.free booked_by=alice", nil, admins},
	{"Appointment", "patient_id=alice practitioner_id=cleo slot_id=cleo.free booked_by=alice", nil, "alice " + admins},
	{"Appointment", "patient_id=bob practitioner_id=dana slot_id=dana.next booked_by=bob", dead, "bob " + admins},
	{"Appointment", "patient_id=bob practitioner_id=drew slot_id=drew.lapsed booked_by=bob", nil, "bob " + admins},
	{"Appointment", "patient_id=alice practitioner_id=drew slot_id=drew.next booked_by=alice", dead, "alice " + admins},
	{"Appointment", "patient_id=alice practitioner_id=dora slot_id=dora.spent booked_by=alice", dead, admins},
	{"Appointment", "patient_id=alice practitioner_id=drew slot_id=drew.past booked_by=alice", dead, admins},
	{"Appointment", "patient_id=alice practitioner_id=sue slot_id=sue.past booked_by=alice", dead, admins},
	{"Appointment", "patient_id=alice practitioner_id=ivan slot_id=ivan.past booked_by=alice", dead, admins},
	{"Appointment", "patient_id=bob practitioner_id=dora slot_id=dora.past|dora.spent booked_by=bob", dead, admins},
	{"Appointment", "patient_id=bob practitioner_id=cleo slot_id=cleo.past booked_by=bob", dead, admins},
	{"Appointment", "patient_id=carol practitioner_id=dora slot_id=dora.spent booked_by=sid", dead, planners},
	{"Appointment", "patient_id=alice practitioner_id=drew|sue|dana slot_id=dora.free booked_by=alice", dead, admins}, // not his slot

	{"Appointment", "patient_id=alice practitioner_id=dora slot_id=dora.free booked_by=alice deleted_by=alice|bob|ada", dead, nobody},
	{"Appointment", "patient_id=alice practitioner_id=dora slot_id=dora.free booked_by=alice rescheduled_from_id=alice.done|bob.lapsed|alice.deleted", dead, nobody},
	{"Appointment", "patient_id=bob practitioner_id=dora slot_id=dora.free booked_by=sid rescheduled_from_id=bob.called", dead, nobody},

	// The note comes with the booking.
	{"AppointmentIntake", "appointment_id=alice.lapsed patient_id=alice practitioner_id=cleo", nil, "alice " + planners},
	{"AppointmentIntake", "appointment_id=bob.done|bob.lapsed patient_id=bob practitioner_id=drew", nil, "bob " + planners},
	{"AppointmentIntake", "appointment_id=bob.called patient_id=bob practitioner_id=sue", nil, "bob " + planners},
	{"AppointmentIntake", "appointment_id=bob.missed patient_id=bob practitioner_id=ivan", nil, "bob " + planners},
	{"AppointmentIntake", "appointment_id=bob.done|bob.lapsed|bob.called|bob.missed patient_id=alice practitioner_id=drew", nil, planners},
	{"AppointmentIntake", "appointment_id=alice.lapsed patient_id=bob practitioner_id=cleo", nil, planners},

	// Patients answer for themselves.
	{"QuestionAnswer", "appointment_id=alice.next patient_id=alice practitioner_id=dora question_id=old", nil, "alice"},
	{"QuestionAnswer", "appointment_id=bob.pending patient_id=bob practitioner_id=drew question_id=old", nil, "bob"},
	{"QuestionAnswer", "appointment_id=bob.pending patient_id=alice practitioner_id=drew|dora question_id=old", nil, nobody},
	{"QuestionAnswer", "appointment_id=carol.next patient_id=carol practitioner_id=dana question_id=smoking", nil, nobody},

	// Who changes a visit writes its history, in the own name.
	{"AppointmentStatusChange", "appointment_id=alice.done|alice.next patient_id=alice practitioner_id=dora", nil, "alice dora " + planners},
	{"AppointmentStatusChange", "appointment_id=alice.next patient_id=alice practitioner_id=dora changed_by=alice", nil, "alice " + admins},
	{"AppointmentStatusChange", "appointment_id=alice.next patient_id=alice practitioner_id=dora changed_by=dora", nil, "dora " + admins},
	{"AppointmentStatusChange", "appointment_id=alice.next patient_id=alice practitioner_id=dora changed_by=sid", nil, planners},
	{"AppointmentStatusChange", "appointment_id=alice.next patient_id=alice practitioner_id=dora changed_by=bob|drew|ada|dana|ivan|phil", nil, admins},
	{"AppointmentStatusChange", "appointment_id=alice.lapsed patient_id=alice practitioner_id=cleo changed_by=cleo", nil, "cleo " + admins},
	{"AppointmentStatusChange", "appointment_id=bob.done|bob.pending|bob.lapsed patient_id=bob practitioner_id=drew", nil, "bob drew " + planners},
	{"AppointmentStatusChange", "appointment_id=bob.called patient_id=bob practitioner_id=sue", nil, "bob sue " + planners},
	{"AppointmentStatusChange", "appointment_id=bob.missed patient_id=bob practitioner_id=ivan", nil, "bob " + planners},
	{"AppointmentStatusChange", "appointment_id=carol.next patient_id=carol practitioner_id=dana", nil, planners},
	{"AppointmentStatusChange", "appointment_id=bob.done|carol.next patient_id=alice practitioner_id=dora", nil, planners},

	// The owner of the visit pays for it.
	{"Order", "appointment_id=alice.done|alice.next|alice.lapsed patient_id=alice", expired, "alice"},
	{"Order", "appointment_id=bob.done|bob.pending|bob.lapsed|bob.called|bob.missed patient_id=bob", expired, "bob"},
	{"Order", "appointment_id=carol.next patient_id=carol", expired, nobody},
	{"Order", "appointment_id=bob.done|bob.pending|bob.lapsed|bob.called|bob.missed|carol.next patient_id=alice", expired, nobody},
	{"Order", "appointment_id=alice.done|alice.next|alice.lapsed|carol.next patient_id=bob", expired, nobody},
	{"Refund", "order_id=alice.done|alice.next patient_id=alice", nil, nobody},
	{"Refund", "order_id=bob.pending|bob.lapsed|carol.next patient_id=bob", nil, nobody},

	// The payment opens a room, and messages are numbered by the service.
	{"ChatRoom", "appointment_id=alice.lapsed patient_id=alice practitioner_id=cleo", nil, nobody},
	{"ChatRoom", "appointment_id=bob.pending|bob.lapsed patient_id=bob practitioner_id=drew", nil, nobody},
	{"ChatMessage", "room_id=alice.next patient_id=alice practitioner_id=dora sender_id=alice|dora|bob|ada", nil, nobody},
	{"ChatMessage", "room_id=carol.next patient_id=carol practitioner_id=dana sender_id=dana", nil, nobody},
	{"ChatRead", "room_id=alice.next patient_id=alice practitioner_id=dora user_id=alice|dora|bob", nil, nobody},
	{"ChatMessageVersion", "message_id=alice.1 room_id=alice.next patient_id=alice practitioner_id=dora", values{"number": 3}, nobody},
	{"ChatUpload", "room_id=alice.next patient_id=alice practitioner_id=dora user_id=alice|dora|ada", nil, nobody},
	{"ChatAttachment", "message_id=alice.2 upload_id=alice room_id=alice.next patient_id=alice practitioner_id=dora", nil, nobody},
	{"RecordOpening", "room_id=alice.next patient_id=alice practitioner_id=dora user_id=ada|dana|alice", nil, nobody},
	{"JobRun", "", nil, nobody},

	// Nurses note allergies of anybody, and so do doctors: it is for whoever treats the patient next.
	{"PatientHealth", "patient_id=carol", nil, healers},
	{"Ward", "", nil, wardens},
	{"WardRate", "ward_id=north|closed set_by=bea", nil, "bea"},
	{"WardRate", "ward_id=south set_by=ada", nil, "ada"},
	{"WardRate", "ward_id=south", nil, nobody},
	{"WardRate", "ward_id=south set_by=alice|nell", nil, nobody},
	{"Bed", "ward_id=north|south|closed", nil, wardens},
	{"Admission", "patient_id=bob attending_id=drew admitted_by=nell|ada discharged_by=nell", values{"status": admission.StatusDISCHARGED}, nobody},
	{"AdmissionRecord", "admission_id=carol.empty patient_id=carol", nil, nobody},
	{"Stay", "admission_id=carol.empty patient_id=carol bed_id=closed.1 ward_id=closed", nil, nobody},
	{"NhiaMembership", "patient_id=carol registered_by=nell|ada ended_by=ada", nil, nobody},
	{"ChargeFailure", "admission_id=carol.empty patient_id=carol", nil, nobody},
	{"Wallet", "patient_id=carol", nil, nobody},
	{"WalletTransaction", "wallet_id=alice patient_id=alice admission_id=alice.now actor_id=bea|ada", nil, nobody},
	{"WalletTransaction", "wallet_id=bob patient_id=bob reverses_id=bob.1", nil, nobody},

	{"CareRelation", "practitioner_id=dora|drew|cleo|sue|dana patient_id=alice|bob|carol", nil, nobody},
	{"LoginAttempt", "", nil, nobody},
	{"LoginAttempt", "user_id=alice|dora|ada session_id=alice", nil, nobody},
	{"EmailToken", "user_id=" + users, nil, nobody},
	{"SecondFactor", "user_id=alice|dora|norm", nil, nobody},
	{"RecoveryCode", "user_id=alice|dora|ada", nil, nobody},
	{"LinkCode", "patient_id=alice|bob|carol", nil, nobody},
	{"RateEvent", "", nil, nobody},
	{"PaymentEvent", "", nil, nobody},
	{"PaymentEvent", "order_id=alice.next|bob.pending", nil, nobody},
	{"SandboxCheckout", "order_id=alice.done|bob.pending|carol.next", nil, nobody},
	{"IdempotencyKey", "", nil, nobody},
	{"AuditEvent", "", nil, nobody},
	{"AuditEvent", "actor_id=alice|dora|ada session_id=alice patient_id=alice|bob", nil, nobody},
	{"Delivery", "", nil, nobody},
	{"Delivery", "user_id=" + users, nil, nobody},
	{"Counter", "", nil, nobody},
	{"Stream", "", nil, nobody},
	{"StreamEntry", "patient_id=alice|bob", nil, nobody},
}
