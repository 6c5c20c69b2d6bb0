package matrix_test

import (
	"fmt"
	"time"

	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/chatupload"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/ent/loginattempt"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/question"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/testkit"
)

// The kinds that need no list of viewers in a row.
const (
	fixed   = "fixed"   // nobody changes it once the row stands; foreign keys are tried by moving the row
	stamped = "stamped" // a hook writes it with every change; nobody's own
)

const base = "created_at"
const versioned = "version updated_at"

// columnKinds sorts the columns of every entity by who may change them. A column that is not here fails the test.
var columnKinds = map[string]map[string]string{
	"User": {fixed: base, stamped: versioned, "password": "password_hash",
		"account": "email email_key given_name family_name phone roles is_active has_totp email_verified_at deactivated_at"},
	"Patient": {fixed: base + " number user_id", stamped: versioned,
		"contact": "email phone address_line suburb state postcode time_zone emergency_name emergency_relationship emergency_phone",
		"record":  "given_name family_name search_key birth_date gender medicare_number medicare_irn medicare_expiry ihi type"},
	"Practitioner": {fixed: base + " user_id", stamped: versioned,
		"profile": "name specialty qualification time_zone", "post": "kind is_active"},
	"PractitionerCredential": {fixed: base + " practitioner_id", stamped: versioned,
		"number":    "ahpra_number ahpra_expires_on prescriber_number provider_number hpi_i",
		"authority": "has_schedule8_authority schedule8_expires_on"},
	"Slot":  {fixed: base + " practitioner_id", stamped: versioned, "": "starts_at ends_at type duration_minutes time_zone local_date status"},
	"Leave": {fixed: base + " practitioner_id starts_at ends_at reason created_by"},
	"Appointment": {fixed: base + " patient_id practitioner_id slot_id booked_by is_initial price_minor currency rescheduled_from_id deleted_by", stamped: versioned,
		"status": "status", "plan": "starts_at ends_at expires_at deleted_at"},
	"AppointmentIntake": {fixed: base + " appointment_id patient_id practitioner_id", stamped: versioned, "": "note symptoms consultation_type"},
	"Question":          {fixed: base, stamped: versioned, "": "prompt kind choices is_active position"},
	"QuestionAnswer":    {fixed: base + " appointment_id patient_id practitioner_id question_id", stamped: versioned, "": "prompt text choices"},
	"AppointmentStatusChange": {
		fixed: base + " appointment_id patient_id practitioner_id changed_by from_status to_status cause reason context"},
	"Order": {fixed: base + " appointment_id patient_id amount_minor currency provider", stamped: versioned,
		"": "status method provider_ref payment_ref checkout_url expires_at checkout_at failed_at expired_at paid_at completed_at refunded_minor fee_minor"},
	"Refund": {fixed: base + " order_id patient_id amount_minor currency reason", "": "status provider_ref attempts finished_at next_attempt_at"},
	"Session": {fixed: base + " user_id ends_at ip user_agent",
		"end": "ended_at end_reason", "life": "last_activity_at expires_at is_suspicious"},
	"Notification": {fixed: base + " user_id kind subject_id occurrence title text", "read": "read_at", "moot": "withdrawn_at"},
	"ChatRoom":     {fixed: base + " appointment_id patient_id practitioner_id", "": "status status_since deleted_at"},
	"ChatMessage": {
		fixed: base + " room_id patient_id practitioner_id sender_id sender_role position body search_key client_message_id"},
	"ChatMessageVersion": {fixed: base + " message_id room_id patient_id practitioner_id number body search_key"},
	"ChatRead":           {fixed: base + " room_id patient_id practitioner_id user_id up_to"},
	"ChatUpload": {fixed: base + " room_id patient_id practitioner_id user_id purpose file_name content_type size_bytes expires_at",
		"": "stored_at object_key"},
	"ChatAttachment": {fixed: base + " room_id patient_id practitioner_id message_id upload_id place file_name content_type size_bytes"},
	"RecordOpening":  {fixed: base + " room_id patient_id practitioner_id user_id reason expires_at"},
	"JobRun": {fixed: base + " job occurrence first_occurrence occurrences cause",
		"": "state attempts reason error counts started_at finished_at lease_until retry_at runner"},
	"PatientHealth": {fixed: base + " patient_id", stamped: versioned, "": "allergies"},
	"Ward":          {fixed: base, stamped: versioned, "": "name name_key type is_active"},
	"WardRate":      {fixed: base + " ward_id currency", "": "from_date rate_minor set_by"},
	"Bed":           {fixed: base + " ward_id", stamped: versioned, "": "number is_active"},
	"Admission":     {fixed: base + " patient_id attending_id admitted_at admitted_by", "": "status discharged_at discharged_by"},
	"AdmissionRecord": {fixed: base + " admission_id patient_id",
		"": "reason diagnosis discharge_notes"},
	"Stay":           {fixed: base + " admission_id patient_id bed_id ward_id from_at", "": "to_at"},
	"NhiaMembership": {fixed: base + " patient_id registration_number registered_by", "": "registered_on ended_on ended_by"},
	"ChargeFailure":  {fixed: base + " admission_id patient_id", "": "charge_date attempts error last_tried_at resolved_at"},
	"Wallet": {fixed: base + " patient_id currency",
		"": "balance_minor position hash alert_level low_told_at overdrawn_told_at"},
	"WalletTransaction": {fixed: base + " wallet_id patient_id position kind amount_minor balance_after_minor currency counter_account admission_id charge_date" +
		" charge_sequence reference description reverses_id actor_id actor hash"},
	"CareRelation":    {fixed: base + " practitioner_id patient_id source source_id"},
	"LoginAttempt":    {fixed: base + " user_id session_id email_hash ip user_agent outcome", "": "session_ended_at session_end_reason"},
	"SecondFactor":    {fixed: base + " user_id sealed key_id", "": "last_counter confirmed_at"},
	"RecoveryCode":    {fixed: base + " user_id code_hash", "": "used_at"},
	"LinkCode":        {fixed: base + " patient_id address code_hash expires_at", "": "used_at"},
	"EmailToken":      {fixed: base + " user_id purpose token_hash expires_at", "": "used_at"},
	"RateEvent":       {fixed: base + " key"},
	"PaymentEvent":    {fixed: base + " provider event_id type order_id outcome"},
	"SandboxCheckout": {fixed: base + " ref order_id amount_minor currency description expires_at", "": "status refunded_minor"},
	"IdempotencyKey":  {fixed: base + " scope key input_hash expires_at", "": "result_ids"},
	"AuditEvent": {
		fixed: base + " actor_id session_id patient_id roles ip user_agent request_id action entity entity_id changes cause"},
	"Delivery": {fixed: base + " user_id kind subject_id occurrence channel address subject",
		"": "body status attempts next_attempt_at leased_until sent_at answer"},
	"Counter":     {fixed: base + " name", "": "value"},
	"Stream":      {fixed: base, "": "position items"},
	"StreamEntry": {fixed: base + " stream_id position kind subject_id data patient_id"},
}

// refTargets tells to which entity a foreign key leads.
var refTargets = map[string]string{
	"user_id": "User", "booked_by": "User", "deleted_by": "User", "created_by": "User", "rescheduled_from_id": "Appointment", "question_id": "Question", "changed_by": "User", "actor_id": "User", "session_id": "Session", "patient_id": "Patient",
	"practitioner_id": "Practitioner", "slot_id": "Slot", "appointment_id": "Appointment", "order_id": "Order",
	"ward_id": "Ward", "bed_id": "Bed", "admission_id": "Admission", "attending_id": "Practitioner", "admitted_by": "User", "discharged_by": "User",
	"set_by": "User", "registered_by": "User", "ended_by": "User", "wallet_id": "Wallet", "reverses_id": "WalletTransaction",
	"room_id": "ChatRoom", "sender_id": "User", "message_id": "ChatMessage", "upload_id": "ChatUpload",
}

// usual are the values of an entity's columns where a row says nothing else; n differs from row to row.
func usual(entity string, n int) values {
	serial := fmt.Sprintf("%d", n)
	later, date := at(30*day+time.Duration(n)*time.Hour), civil.Date{Year: 2025, Month: time.March, Day: 3}
	switch entity {
	case "User":
		return values{"email": "user" + serial + "@caregraph.test", "email_key": "user" + serial + "@caregraph.test", "password_hash": passwordHash(),
			"given_name": "Given" + serial, "family_name": "Family" + serial, "phone": "+61400000000", "roles": []string{}, "email_verified_at": at(-90 * day)}
	case "Patient":
		return values{"number": "P" + serial, "given_name": "Given" + serial, "family_name": "Family" + serial, "search_key": "given" + serial,
			"birth_date": date, "phone": "+61400000001", "time_zone": testkit.Zone}
	case "Practitioner":
		return values{"name": "Dr " + serial, "kind": practitioner.KindDOCTOR, "specialty": "Field " + serial, "qualification": "MBBS", "time_zone": testkit.Zone}
	case "PractitionerCredential":
		return values{"ahpra_number": "MED000123" + serial, "prescriber_number": "2425739", "has_schedule8_authority": true, "schedule8_expires_on": date}
	case "Slot":
		return values{"starts_at": later, "ends_at": later.Add(30 * time.Minute), "type": slot.TypeLONG, "duration_minutes": 30,
			"time_zone": testkit.Zone, "local_date": date}
	case "Leave":
		return values{"starts_at": at(200*day + time.Duration(n)*time.Hour), "ends_at": at(200*day + time.Duration(n)*time.Hour + time.Minute), "reason": "Reason " + serial}
	case "Question":
		return values{"prompt": "Prompt " + serial, "kind": question.KindTEXT, "choices": []string{}, "position": n}
	case "QuestionAnswer":
		return values{"prompt": "Prompt " + serial, "text": "Text " + serial, "choices": []string{}}
	case "Appointment":
		return values{"starts_at": later, "ends_at": later.Add(30 * time.Minute), "status": appointment.StatusPENDING, "is_initial": false,
			"price_minor": int64(8000), "currency": "AUD", "expires_at": at(15 * time.Minute)}
	case "AppointmentIntake":
		return values{"note": "Note " + serial}
	case "AppointmentStatusChange":
		return values{"to_status": "BOOKED", "cause": "payment_webhook"}
	case "Order":
		return values{"amount_minor": int64(8000), "currency": "AUD", "status": order.StatusPENDING, "provider": "sandbox", "expires_at": at(15 * time.Minute)}
	case "Refund":
		return values{"amount_minor": int64(8000), "currency": "AUD", "status": refund.StatusPROCESSING, "reason": "Reason " + serial}
	case "ChatRoom":
		return values{"status": chatroom.StatusACTIVE}
	case "ChatMessage":
		return values{"sender_role": chatmessage.SenderRolePATIENT, "position": int64(100 + n), "body": "Body " + serial}
	case "ChatMessageVersion":
		return values{"number": 2, "body": "Later body " + serial}
	case "ChatUpload":
		return values{"purpose": chatupload.PurposeCHAT_ATTACHMENT, "file_name": serial + ".png", "content_type": chatupload.ContentTypePng, "size_bytes": int64(9),
			"expires_at": at(5 * time.Minute), "stored_at": at(0), "object_key": "chat/" + serial}
	case "ChatAttachment":
		return values{"place": 1, "file_name": serial + ".png", "content_type": "image/png", "size_bytes": int64(9)}
	case "RecordOpening":
		return values{"reason": "Reason " + serial, "expires_at": at(time.Hour)}
	case "ChatRead":
		return values{"up_to": int64(n)}
	case "Session":
		return values{"last_activity_at": at(0), "expires_at": at(20 * time.Minute), "ends_at": at(day), "ip": "203.0.113." + serial, "user_agent": "agent"}
	case "Notification":
		return values{"kind": "APPOINTMENT_CONFIRMED", "subject_id": ids.New("Appointment", at(0)), "occurrence": serial, "title": "Title " + serial, "text": "Text"}
	default:
		if hospital := usualInHospital(entity, n); hospital != nil {
			return hospital
		}
		return usualBookkeeping(entity, serial)
	}
}

func usualBookkeeping(entity, serial string) values {
	subject := ids.New("Appointment", at(0))
	switch entity {
	case "CareRelation":
		return values{"source": carerelation.SourceAPPOINTMENT, "source_id": subject}
	case "LoginAttempt":
		return values{"email_hash": serial, "ip": "203.0.113.9", "user_agent": "agent", "outcome": loginattempt.OutcomeSUCCESS}
	case "EmailToken":
		return values{"purpose": emailtoken.PurposeVERIFY_EMAIL, "token_hash": serial, "expires_at": at(day)}
	case "SecondFactor":
		return values{"sealed": serial, "key_id": "key"}
	case "RecoveryCode":
		return values{"code_hash": serial}
	case "LinkCode":
		return values{"address": "a@caregraph.test", "code_hash": serial, "expires_at": at(day)}
	case "RateEvent":
		return values{"key": "login " + serial}
	case "PaymentEvent":
		return values{"provider": "sandbox", "event_id": serial, "type": "checkout.session.completed", "outcome": "PAID"}
	case "SandboxCheckout":
		return values{"ref": serial, "amount_minor": int64(8000), "currency": "AUD", "description": "A visit",
			"status": sandboxcheckout.StatusOPEN, "expires_at": at(15 * time.Minute)}
	case "IdempotencyKey":
		return values{"scope": "scope", "key": serial, "input_hash": serial, "expires_at": at(day)}
	case "AuditEvent":
		return values{"action": auditevent.ActionREAD, "entity": "Patient", "cause": "patients"}
	case "Delivery":
		return values{"kind": "REMINDER", "subject_id": subject, "occurrence": serial, "channel": delivery.ChannelEMAIL, "address": "a@caregraph.test",
			"subject": "Subject", "body": "Body", "status": delivery.StatusQUEUED, "next_attempt_at": at(0)}
	case "JobRun":
		return values{"job": "session-cleanup", "occurrence": at(0), "first_occurrence": at(0), "state": jobrun.StateRAN, "cause": jobrun.CauseSCHEDULE,
			"started_at": at(0), "finished_at": at(time.Second)}
	case "Stream":
		return values{"position": int64(1)}
	case "StreamEntry":
		return values{"stream_id": ids.New("ChatRoom", at(0)), "position": int64(1), "kind": "MESSAGE", "subject_id": subject, "data": "{}"}
	case "Counter":
		return values{"name": serial, "value": int64(1)}
	default:
		return nil
	}
}
