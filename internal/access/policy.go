package access

import (
	"time"

	"entgo.io/ent/dialect/sql"
)

// Action is what is done with a row.
type Action string

// The actions.
const (
	Read   Action = "READ"
	Create Action = "CREATE"
	Update Action = "UPDATE"
	Delete Action = "DELETE"
)

// byRole gives the rule of each role; a role without one is denied.
type byRole map[Role]Rule

// Entity is the policy of one entity: the rules of each action, and the fields that a role may change where that is not all.
type Entity struct {
	Read, Create, Update, Delete byRole
	Fields                       map[Role][]string
}

func (e Entity) rules(a Action) byRole {
	switch a {
	case Read:
		return e.Read
	case Create:
		return e.Create
	case Update:
		return e.Update
	default:
		return e.Delete
	}
}

// each gives several roles the same rule.
func each(rule Rule, roles ...Role) byRole {
	m := byRole{}
	for _, r := range roles {
		m[r] = rule
	}
	return m
}

func join(parts ...byRole) byRole {
	m := byRole{}
	for _, part := range parts {
		for role, rule := range part {
			m[role] = rule
		}
	}
	return m
}

var (
	practitioners = []Role{Doctor, Clinician, Supervisor}

	ownUser         = column("user_id", userID)
	ownPatient      = column("patient_id", patientID)
	ownPractitioner = column("practitioner_id", practitionerID)

	// ofOwnVisit is for rows that hang on an appointment: it must be the viewer's own and not deleted, whatever the row says of itself.
	ofOwnVisit = both(ownPatient, in("appointment_id", "appointments", "id", func(v *Viewer) *sql.Predicate {
		return sql.And(sql.EQ("patient_id", v.PatientID), sql.IsNull("deleted_at"))
	}))
	// ofThatPatient ties a row's patient to the visit it hangs on.
	ofThatPatient = pairIn("appointment_id", "patient_id", "appointments", "id", "patient_id", func(*Viewer, time.Time) *sql.Predicate {
		return sql.NotNull("patient_id")
	})
	ofVisitToMe = both(ownPractitioner, ofThatPatient, in("appointment_id", "appointments", "id", func(v *Viewer) *sql.Predicate {
		return sql.And(sql.EQ("practitioner_id", v.PractitionerID), sql.IsNull("deleted_at"))
	}))
	// ofSlotToCome is for bookings: the slot must lie ahead and be the practitioner's.
	ofSlotToCome = pairIn("slot_id", "practitioner_id", "slots", "id", "practitioner_id", func(_ *Viewer, now time.Time) *sql.Predicate {
		return sql.GT("starts_at", now)
	})
	// inNobodysName is for history: its author is the writer, or not a user.
	inNobodysName = either(column("changed_by", userID), isNull("changed_by"))
	// atTheDesk are the orders that the front desk deals with: those that are not paid, and those that were paid there.
	atTheDesk  = either(isNull("paid_at"), oneOf("method", "CASH", "TERMINAL"))
	slotOfMine = in("id", "appointments", "slot_id", func(v *Viewer) *sql.Predicate {
		return sql.EQ("patient_id", v.PatientID)
	})

	// parties see what hangs on a visit: its patient, its practitioner, and who plans visits; administrators also of one that was deleted, with which they list it.
	parties = join(each(both(ownPatient, unlessVisitDeleted), Patient), each(both(ownPractitioner, unlessVisitDeleted), practitioners...),
		each(unlessVisitDeleted, Scheduler), each(All, Admin))

	// inCalendar slots stand in a calendar, whether or not they can be booked.
	inCalendar = isNot("status", "REMOVED")
	// calendars are changed by their practitioner and by who plans visits.
	calendars = join(each(ownPractitioner, practitioners...), each(All, Scheduler, Admin))
	// isNewVisit is for bookings: none is born deleted, and moves are the system's.
	isNewVisit = both(isNull("rescheduled_from_id"), isNull("deleted_at"), isNull("deleted_by"))
	// unlessDeleted hides visits that were deleted.
	unlessDeleted = isNull("deleted_at")

	// ofStandingRoom leaves out what belongs to rooms that were taken away.
	ofStandingRoom = notIn("room_id", "chat_rooms", "id", func(*Viewer) *sql.Predicate { return sql.NotNull("deleted_at") })
	// openedToMe matches what belongs to rooms that the viewer has opened, for a stated reason and for a while.
	openedToMe = inNow("room_id", "record_openings", "room_id", func(v *Viewer, now time.Time) *sql.Predicate {
		return sql.And(sql.EQ("user_id", v.UserID), sql.GT("expires_at", now))
	})
	// openers are administrators to whom a conversation is open.
	openers = each(both(openedToMe, ofStandingRoom), Admin)
	// readers read a chat: its patient and its practitioner, and administrators to whom it is open; nobody else.
	readers = join(each(both(ownPatient, ofStandingRoom), Patient), each(both(ownPractitioner, ofStandingRoom), practitioners...), openers)

	// hospital are those who work with beds and patients in them, or bill them.
	hospital = []Role{Admin, Nurse, Doctor, Biller}
	// cashiers are those who see wallets of others.
	cashiers = []Role{Admin, Nurse, Biller}
	// patientOfMine ties a row's patient to the practitioner who cares for him or her.
	patientOfMine = in("patient_id", "care_relations", "patient_id", func(v *Viewer) *sql.Predicate {
		return sql.EQ("practitioner_id", v.PractitionerID)
	})
	// lainIn matches wards and beds in which the viewer lay.
	lainIn = func(column string) Rule {
		return in("id", "stays", column, func(v *Viewer) *sql.Predicate { return sql.EQ("patient_id", v.PatientID) })
	}
	// treating are those who treat the patient, and the patient.
	treating = join(each(ownPatient, Patient), each(patientOfMine, Doctor), each(All, Nurse))

	// systemOnly entities are never touched by a user.
	systemOnly = Entity{}
)

// contact are the fields of a patient record that the patient may change.
var contact = []string{"email", "phone", "address_line", "suburb", "state", "postcode", "emergency_name", "emergency_relationship", "emergency_phone", "time_zone"}

// record are the fields of a patient record that staff may change: not the account behind it.
var record = append([]string{
	"given_name", "family_name", "search_key", "birth_date", "gender", "medicare_number", "medicare_irn", "medicare_expiry", "ihi", "type",
}, contact...)

// Policy is the one table of who may do what with which rows.
var Policy = map[string]Entity{
	"User": {
		Read:   join(each(column("id", userID), Roles...), each(All, Admin)),
		Create: each(All, Admin),
		Update: join(each(column("id", userID), Roles...), each(All, Admin)),
		Fields: allFor(Admin, []string{"password_hash"}),
	},
	"Session": {
		Read:   join(each(ownUser, Roles...), each(All, Admin)),
		Update: join(each(ownUser, Roles...), each(All, Admin)),
		Fields: sameFor([]string{"ended_at", "end_reason"}),
	},
	"Patient": {
		Read: join(each(All, Admin, Scheduler, Nurse, Doctor, Clinician, Supervisor, Biller),
			each(column("id", patientID), Patient)),
		Create: join(each(isNull("user_id"), Scheduler, Nurse, Doctor), each(All, Admin)), // whose account it is, is not for the desk to say
		Update: join(each(All, Admin, Scheduler, Nurse, Doctor), each(column("id", patientID), Patient)),
		Fields: map[Role][]string{Patient: contact, Admin: record, Scheduler: record, Nurse: record, Doctor: record},
	},
	"Practitioner": {
		Read:   each(All, Admin, Doctor, Nurse, Clinician, Supervisor, Scheduler, Biller, Patient),
		Create: each(All, Admin),
		Update: join(each(column("id", practitionerID), practitioners...), each(All, Admin)),
		Fields: only(practitioners, "name", "specialty", "qualification", "time_zone"),
	},
	"PractitionerCredential": {
		Read:   join(each(ownPractitioner, practitioners...), each(All, Admin)),
		Create: each(All, Admin),
		Update: join(each(ownPractitioner, practitioners...), each(All, Admin)),
		Fields: only(practitioners, "ahpra_number", "ahpra_expires_on", "prescriber_number", "provider_number", "hpi_i"),
	},
	"Slot": {
		Read: join(each(inCalendar, Admin, Doctor, Nurse, Clinician, Supervisor, Scheduler, Biller),
			each(either(both(toCome("starts_at"), oneOf("status", "OPEN")), slotOfMine), Patient)),
		Create: join(each(ownPractitioner, practitioners...), each(All, Scheduler, Admin)),
		Update: join(each(both(ownPractitioner, inCalendar), practitioners...), each(inCalendar, Scheduler, Admin)),
		Delete: join(each(both(ownPractitioner, inCalendar), practitioners...), each(inCalendar, Scheduler, Admin)),
	},
	// The reason of a leave may be private: those who plan see it, and whose leave it is.
	"Leave": {
		Read:   calendars,
		Create: join(each(both(ownPractitioner, column("created_by", userID)), practitioners...), each(column("created_by", userID), Scheduler), each(All, Admin)),
		Delete: calendars,
	},
	"Appointment": {
		Read: join(each(both(ownPatient, unlessDeleted), Patient), each(both(ownPractitioner, unlessDeleted), practitioners...), each(unlessDeleted, Scheduler),
			each(unlessDeletedOrAsked, Admin)),
		Create: join(each(both(ownPatient, column("booked_by", userID), ofSlotToCome, isNewVisit), Patient),
			each(both(column("booked_by", userID), isNewVisit), Scheduler), each(isNewVisit, Admin)),
		Update: join(each(both(ownPatient, unlessDeleted), Patient), each(both(ownPractitioner, unlessDeleted), practitioners...),
			each(unlessDeleted, Scheduler, Admin)),
		Fields: sameFor([]string{"status"}),
	},
	"AppointmentIntake": {
		Read:   join(each(ofOwnVisit, Patient), each(ofVisitToMe, practitioners...)),
		Create: join(each(ofOwnVisit, Patient), each(All, Scheduler, Admin)),
		Update: join(each(ofOwnVisit, Patient), each(ofVisitToMe, practitioners...)),
	},
	"Question": {Read: each(All, Roles...), Create: each(All, Admin), Update: each(All, Admin)},
	"QuestionAnswer": {
		Read:   join(each(ofOwnVisit, Patient), each(ofVisitToMe, practitioners...)),
		Create: each(ofOwnVisit, Patient),
		Update: each(ofOwnVisit, Patient),
	},
	"AppointmentStatusChange": {
		Read: parties,
		Create: join(each(both(ofOwnVisit, inNobodysName), Patient), each(both(ofVisitToMe, inNobodysName), practitioners...),
			each(inNobodysName, Scheduler), each(All, Admin)),
	},
	"Order": {
		Read:   join(each(ownPatient, Patient), each(atTheDesk, Scheduler), each(All, Biller, Admin)),
		Create: each(ofOwnVisit, Patient),
	},
	"Refund": {Read: join(each(ownPatient, Patient), each(All, Biller, Admin))},
	"Notification": {
		Read:   each(both(ownUser, isNull("withdrawn_at")), Roles...),
		Update: each(both(ownUser, isNull("withdrawn_at")), Roles...),
		Fields: sameFor([]string{"read_at"}),
	},

	"ChatRoom": {Read: join(each(both(ownPatient, isNull("deleted_at")), Patient), each(both(ownPractitioner, isNull("deleted_at")), practitioners...),
		each(isNull("deleted_at"), Admin))},
	"ChatMessage":        {Read: readers},
	"ChatMessageVersion": {Read: openers}, // the others see the latest text, which the domain reads for them
	"ChatRead":           {Read: readers},
	"ChatAttachment":     {Read: readers},
	"RecordOpening":      {Read: join(each(ownPatient, Patient), each(ownPractitioner, practitioners...), each(All, Admin))},
	"JobRun":             {Read: join(each(All, Admin), each(oneOf("job", "daily-admission-charges"), Biller))}, // which billers start too

	"PatientHealth": {
		Read:   join(treating, each(All, Admin)),
		Create: each(All, Nurse, Doctor, Admin),
		Update: join(each(patientOfMine, Doctor), each(All, Nurse, Admin)),
		Fields: only([]Role{Nurse, Doctor, Admin}, "allergies"),
	},
	"Ward": {
		Read:   join(each(All, hospital...), each(lainIn("ward_id"), Patient)),
		Create: each(All, Nurse, Admin),
		Update: each(All, Nurse, Admin),
	},
	"WardRate": {Read: each(All, cashiers...), Create: each(column("set_by", userID), Biller, Admin)}, // nobody sets one in another's name
	"Bed": {
		Read:   join(each(All, hospital...), each(lainIn("bed_id"), Patient)),
		Create: each(All, Nurse, Admin),
		Update: each(All, Nurse, Admin),
		Fields: only([]Role{Nurse, Admin}, "number", "is_active"),
	},
	"Admission":         {Read: join(each(ownPatient, Patient), each(All, hospital...))},
	"AdmissionRecord":   {Read: treating}, // clinical notes: not for administrators
	"Stay":              {Read: join(each(ownPatient, Patient), each(All, hospital...))},
	"NhiaMembership":    {Read: join(each(ownPatient, Patient), each(All, hospital...))},
	"ChargeFailure":     {Read: each(All, Biller, Admin)},
	"Wallet":            {Read: join(each(ownPatient, Patient), each(All, cashiers...))},
	"WalletTransaction": {Read: join(each(ownPatient, Patient), each(All, cashiers...))},

	"LoginAttempt":    systemOnly,
	"EmailToken":      systemOnly,
	"SecondFactor":    systemOnly,
	"RecoveryCode":    systemOnly,
	"LinkCode":        systemOnly,
	"RateEvent":       systemOnly,
	"CareRelation":    systemOnly,
	"PaymentEvent":    systemOnly,
	"SandboxCheckout": systemOnly,
	"IdempotencyKey":  systemOnly,
	"AuditEvent":      systemOnly,
	"Delivery":        systemOnly,
	"ChatUpload":      systemOnly,
	"Counter":         systemOnly,
	"Stream":          systemOnly,
	"StreamEntry":     systemOnly,
}

// sameFor limits every role to the fields.
func sameFor(fields []string) map[Role][]string { return only(Roles, fields...) }

// allFor limits every role but one to the fields.
func allFor(free Role, fields []string) map[Role][]string {
	m := only(Roles, fields...)
	delete(m, free)
	return m
}

// only limits some roles to the fields.
func only(roles []Role, fields ...string) map[Role][]string {
	m := map[Role][]string{}
	for _, r := range roles {
		m[r] = fields
	}
	return m
}
