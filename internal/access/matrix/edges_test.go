package matrix_test

import (
	"slices"

	"github.com/google/uuid"
)

// link is an edge of ent: from a row by its own key, or to the rows whose key names it.
type link struct {
	name, target string
	column       string
	back         bool // the key is in the other entity's rows
	many         bool
}

// links lists the edges of every entity. An edge that ent has and this table has not fails the test.
var links = map[string][]link{
	"Appointment": {
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "Slot", target: "Slot", column: "slot_id"},
		{name: "Booker", target: "User", column: "booked_by"},
		{name: "Deleter", target: "User", column: "deleted_by"},
		{name: "RescheduledFrom", target: "Appointment", column: "rescheduled_from_id"},
		{name: "RescheduledTo", target: "Appointment", column: "rescheduled_from_id", back: true},
		{name: "Intake", target: "AppointmentIntake", column: "appointment_id", back: true},
		{name: "Orders", target: "Order", column: "appointment_id", back: true, many: true},
		{name: "History", target: "AppointmentStatusChange", column: "appointment_id", back: true, many: true},
	},
	"AppointmentIntake": {
		{name: "Appointment", target: "Appointment", column: "appointment_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
	},
	"Leave": {
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "Creator", target: "User", column: "created_by"},
	},
	"QuestionAnswer": {
		{name: "Appointment", target: "Appointment", column: "appointment_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "Question", target: "Question", column: "question_id"},
	},
	"AppointmentStatusChange": {
		{name: "Appointment", target: "Appointment", column: "appointment_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
	},
	"CareRelation": {
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
	},
	"ChatRoom": {
		{name: "Appointment", target: "Appointment", column: "appointment_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
	},
	"ChatMessage": {
		{name: "Room", target: "ChatRoom", column: "room_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "Sender", target: "User", column: "sender_id"},
		{name: "Versions", target: "ChatMessageVersion", column: "message_id", back: true, many: true},
	},
	"ChatMessageVersion": {
		{name: "Message", target: "ChatMessage", column: "message_id"},
		{name: "Room", target: "ChatRoom", column: "room_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
	},
	"ChatUpload": {
		{name: "Room", target: "ChatRoom", column: "room_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "User", target: "User", column: "user_id"},
	},
	"ChatAttachment": {
		{name: "Room", target: "ChatRoom", column: "room_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "Message", target: "ChatMessage", column: "message_id"},
		{name: "Upload", target: "ChatUpload", column: "upload_id"},
	},
	"RecordOpening": {
		{name: "Room", target: "ChatRoom", column: "room_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "User", target: "User", column: "user_id"},
	},
	"ChatRead": {
		{name: "Room", target: "ChatRoom", column: "room_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Practitioner", target: "Practitioner", column: "practitioner_id"},
		{name: "User", target: "User", column: "user_id"},
	},
	"EmailToken":   {{name: "User", target: "User", column: "user_id"}},
	"SecondFactor": {{name: "User", target: "User", column: "user_id"}},
	"RecoveryCode": {{name: "User", target: "User", column: "user_id"}},
	"LinkCode":     {{name: "Patient", target: "Patient", column: "patient_id"}},
	"Notification": {{name: "User", target: "User", column: "user_id"}},
	"Order": {
		{name: "Appointment", target: "Appointment", column: "appointment_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
	},
	"Patient": {
		{name: "User", target: "User", column: "user_id"},
		{name: "Appointments", target: "Appointment", column: "patient_id", back: true, many: true},
		{name: "Health", target: "PatientHealth", column: "patient_id", back: true},
		{name: "Wallet", target: "Wallet", column: "patient_id", back: true},
		{name: "NhiaMemberships", target: "NhiaMembership", column: "patient_id", back: true, many: true},
		{name: "Admissions", target: "Admission", column: "patient_id", back: true, many: true},
	},
	"PatientHealth": {{name: "Patient", target: "Patient", column: "patient_id"}},
	"Ward": {
		{name: "Rates", target: "WardRate", column: "ward_id", back: true, many: true},
		{name: "Beds", target: "Bed", column: "ward_id", back: true, many: true},
	},
	"WardRate": {{name: "Ward", target: "Ward", column: "ward_id"}},
	"Bed": {
		{name: "Ward", target: "Ward", column: "ward_id"},
		{name: "Stays", target: "Stay", column: "bed_id", back: true, many: true},
	},
	"Admission": {
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Attending", target: "Practitioner", column: "attending_id"},
		{name: "Record", target: "AdmissionRecord", column: "admission_id", back: true},
		{name: "Stays", target: "Stay", column: "admission_id", back: true, many: true},
		{name: "ChargeFailures", target: "ChargeFailure", column: "admission_id", back: true, many: true},
	},
	"AdmissionRecord": {{name: "Admission", target: "Admission", column: "admission_id"}},
	"Stay": {
		{name: "Admission", target: "Admission", column: "admission_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Bed", target: "Bed", column: "bed_id"},
		{name: "Ward", target: "Ward", column: "ward_id"},
	},
	"NhiaMembership": {{name: "Patient", target: "Patient", column: "patient_id"}},
	"ChargeFailure":  {{name: "Admission", target: "Admission", column: "admission_id"}},
	"Wallet": {
		{name: "Patient", target: "Patient", column: "patient_id"},
		{name: "Transactions", target: "WalletTransaction", column: "wallet_id", back: true, many: true},
	},
	"WalletTransaction": {
		{name: "Wallet", target: "Wallet", column: "wallet_id"},
		{name: "Admission", target: "Admission", column: "admission_id"},
		{name: "Reverses", target: "WalletTransaction", column: "reverses_id"},
		{name: "Reversals", target: "WalletTransaction", column: "reverses_id", back: true, many: true},
	},
	"Practitioner": {
		{name: "User", target: "User", column: "user_id"},
		{name: "Slots", target: "Slot", column: "practitioner_id", back: true, many: true},
		{name: "Credentials", target: "PractitionerCredential", column: "practitioner_id", back: true},
	},
	"PractitionerCredential": {{name: "Practitioner", target: "Practitioner", column: "practitioner_id"}},
	"Refund": {
		{name: "Order", target: "Order", column: "order_id"},
		{name: "Patient", target: "Patient", column: "patient_id"},
	},
	"Session": {{name: "User", target: "User", column: "user_id"}},
	"Slot":    {{name: "Practitioner", target: "Practitioner", column: "practitioner_id"}},
}

// follow returns the rows at the other end of the edge, hidden ones too, in the order of the table.
func (w *world) follow(from uuid.UUID, l link) []uuid.UUID {
	if !l.back {
		if id, ok := w.refs[from][l.column]; ok {
			return []uuid.UUID{id}
		}
		return nil
	}
	return slices.DeleteFunc(w.of(l.target), func(id uuid.UUID) bool { return w.refs[id][l.column] != from })
}

// followAll returns the rows at the other end of the edge from any of the rows.
func (w *world) followAll(from []uuid.UUID, l link) []uuid.UUID {
	var reached []uuid.UUID
	for _, id := range from {
		reached = append(reached, w.follow(id, l)...)
	}
	slices.SortFunc(reached, compareIDs)
	return slices.Compact(reached)
}
