package hospital

import (
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// The outcomes of this domain.
var (
	ErrBedTaken          = fault.New(fault.Conflict, "BED_TAKEN", "The bed has a patient in it.").At("bedId")
	ErrBedInactive       = fault.New(fault.Precondition, "BED_INACTIVE", "The bed, or its ward, takes no patients.").At("bedId")
	ErrAlreadyAdmitted   = fault.New(fault.Conflict, "ALREADY_ADMITTED", "The patient is in hospital already.").At("patientId")
	ErrNotAdmitted       = fault.New(fault.Precondition, "NOT_ADMITTED", "The patient was not in hospital at that time.").At("admissionId")
	ErrAlreadyDischarged = fault.New(fault.Precondition, "ALREADY_DISCHARGED", "The admission is over already.").At("admissionId")
	ErrDateInFuture      = fault.New(fault.Invalid, "DATE_IN_FUTURE", "A date or time still to come cannot be entered.")
	ErrRateInPast        = fault.New(fault.Precondition, "RATE_IN_PAST", "The rate would begin in the past.").At("from")
	ErrIllegalStatus     = fault.New(fault.Precondition, "ILLEGAL_STATUS", "The record's status does not allow this.")
)

var (
	errBedWasTaken = ErrBedTaken.Says("The bed had another patient in it after that time.")
	errWasAdmitted = ErrAlreadyAdmitted.Says("The patient was in hospital after that time already.").At("admittedAt")
	errWardName    = fault.ErrConflict.Says("Another ward has this name.").At("name")
	errBedNumber   = fault.ErrConflict.Says("Another bed of the ward has this number.").At("number")
	errWardInUse   = fault.ErrConflict.Says("Patients lie in the ward.").At("isActive")
	errRateIsOwed  = ErrRateInPast.Says("Patients lay in the ward at the first instant of today, which is charged at the rate of then.")
	errRateIsUsed  = ErrRateInPast.Says("The date has been charged in the ward already.")
	errIsMember    = fault.ErrConflict.Says("The patient is a member already.").At("patientId")
	errNumberTaken = fault.ErrConflict.Says("The number is another patient's.").At("registrationNumber")
	errIsNoMember  = ErrIllegalStatus.Says("The patient is no member.").At("patientId")
)

// The claims that the database decides.
var (
	wardName        = store.Constraint{Postgres: "wards_name_key_key", SQLite: "wards.name_key"}
	bedNumber       = store.Constraint{Postgres: "bed_ward_id_number", SQLite: "beds.ward_id, beds.number"}
	admissionsOpen  = store.Constraint{Postgres: "admissions_open", SQLite: "admissions.patient_id"}
	bedTaken        = store.Constraint{Postgres: "stays_bed_taken", SQLite: "stays.bed_id"}
	bedOverlap      = store.Constraint{Postgres: "stays_bed_overlap", SQLite: "stays_bed_overlap"}
	patientOverlap  = store.Constraint{Postgres: "stays_patient_overlap", SQLite: "stays_patient_overlap"}
	membershipOpen  = store.Constraint{Postgres: "nhia_memberships_active", SQLite: "nhia_memberships.patient_id"}
	membershipOwned = store.Constraint{Postgres: "nhia_memberships_number", SQLite: "nhia_memberships.registration_number"}
)

// stayRefusal says what the store has refused about a stay.
func stayRefusal(err error) error {
	switch {
	case store.Violates(err, admissionsOpen):
		return ErrAlreadyAdmitted
	case store.Violates(err, bedTaken):
		return ErrBedTaken
	case store.Violates(err, bedOverlap):
		return errBedWasTaken
	case store.Violates(err, patientOverlap):
		return errWasAdmitted
	default:
		return err
	}
}
