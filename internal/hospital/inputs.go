package hospital

import (
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/civil"
)

// CreateWardInput is the input of createWard.
type CreateWardInput struct {
	// Name, unique whatever the case; 1 to 100 characters.
	Name string
	// What the ward is for.
	Type ward.Type
	// What a day costs from today on; for BILLER and ADMIN. Without one nothing is charged.
	DailyRate *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// UpdateWardInput is the input of updateWard: what is left out or null stays.
type UpdateWardInput struct {
	// The ward.
	ID uuid.UUID
	// Name.
	Name *string
	// What the ward is for.
	Type *ward.Type
	// False closes the ward for new patients.
	IsActive *bool
	// Version the changes were made from; another one is a CONFLICT.
	ExpectedVersion *int
}

// SetWardRateInput is the input of setWardRate.
type SetWardRateInput struct {
	// The ward.
	WardID uuid.UUID
	// What a day costs; not below zero.
	Rate string
	// The first date that is charged at this rate, in the practice's zone; tomorrow when left out.
	From *civil.Date
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// AddBedInput is the input of addBed.
type AddBedInput struct {
	// The ward.
	WardID uuid.UUID
	// Number, unique in the ward; 1 to 20 characters.
	Number string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// UpdateBedInput is the input of updateBed: what is left out or null stays.
type UpdateBedInput struct {
	// The bed.
	ID uuid.UUID
	// Number.
	Number *string
	// False takes a free bed out of use.
	IsActive *bool
	// Version the changes were made from; another one is a CONFLICT.
	ExpectedVersion *int
}

// AdmitPatientInput is the input of admitPatient.
type AdmitPatientInput struct {
	// The patient.
	PatientID uuid.UUID
	// A bed that is in use and free.
	BedID uuid.UUID
	// Why the patient is admitted; at most 8,000 characters.
	Reason string
	// Diagnosis; at most 8,000 characters.
	Diagnosis *string
	// The practitioner who attends the patient.
	AttendingID *uuid.UUID
	// When the patient came, for late paperwork; now when left out. Not in the future.
	AdmittedAt *time.Time
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// TransferPatientInput is the input of transferPatient.
type TransferPatientInput struct {
	// The admission.
	AdmissionID uuid.UUID
	// A bed that is in use and free.
	BedID uuid.UUID
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// DischargePatientInput is the input of dischargePatient.
type DischargePatientInput struct {
	// The admission.
	AdmissionID uuid.UUID
	// Notes on the discharge; at most 8,000 characters.
	Notes *string
	// When the patient left, for late paperwork; now when left out. Not in the future, after the admission and the last transfer.
	DischargedAt *time.Time
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// RecordDeathInput is the input of recordDeath.
type RecordDeathInput struct {
	// The admission.
	AdmissionID uuid.UUID
	// Notes; at most 8,000 characters.
	Notes *string
	// When the patient died; now when left out. Not in the future, after the admission and the last transfer.
	DiedAt *time.Time
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// AddAdmissionChargeInput is the input of addAdmissionCharge.
type AddAdmissionChargeInput struct {
	// The admission.
	AdmissionID uuid.UUID
	// What it is for; 1 to 500 characters.
	Description string
	// What it costs; above zero.
	Amount string
	// Makes a repeated call return the first result instead of moving money twice; kept for 24 hours.
	IdempotencyKey *string
}

// RegisterNhiaInput is the input of registerNhia.
type RegisterNhiaInput struct {
	// The patient.
	PatientID uuid.UUID
	// Number of the registration: 3 to 30 letters, digits and hyphens.
	RegistrationNumber string
	// The first date on which it counts; today when left out. Not in the future.
	RegisteredOn *civil.Date
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// DeactivateNhiaInput is the input of deactivateNhia.
type DeactivateNhiaInput struct {
	// The patient.
	PatientID uuid.UUID
	// The last date on which the membership counts; today when left out. Not in the future.
	EndedOn *civil.Date
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// ChargeAdmissionsInput is the input of chargeAdmissions.
type ChargeAdmissionsInput struct {
	// The date to charge, in the practice's zone; today when left out.
	Date *civil.Date
	// One admission alone; all when left out.
	AdmissionID *uuid.UUID
	// True says what would be posted, and writes nothing.
	DryRun *bool
}
