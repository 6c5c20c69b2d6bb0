package patient

import (
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/civil"
)

// CreatePatientInput is the input of createPatient.
type CreatePatientInput struct {
	// Given name.
	GivenName string
	// Family name.
	FamilyName string
	// Date of birth.
	BirthDate *civil.Date
	// Administrative gender.
	Gender *patient.Gender
	// E-mail address.
	Email *string
	// Telephone number; Australian form or with country code.
	Phone *string
	// Street and house number.
	AddressLine *string
	// Suburb or town.
	Suburb *string
	// State or territory.
	State *string
	// Postcode.
	Postcode *string
	// Medicare card number, with or without the IRN as its 11th digit.
	MedicareNumber *string
	// Individual reference number on the Medicare card.
	MedicareIrn *string
	// Month of expiry of the Medicare card, YYYY-MM.
	MedicareExpiry *string
	// Individual Healthcare Identifier.
	Ihi *string
	// Whom to call in an emergency.
	EmergencyName *string
	// What he or she is to the patient.
	EmergencyRelationship *string
	// Telephone number for emergencies; Australian form or with country code.
	EmergencyPhone *string
	// Allergies and intolerances, as text; for who treats patients. At most 2,000 characters.
	Allergies *string
	// How the patient is insured; REGULAR when left out.
	Type *patient.Type
	// Zone in which the patient reads times; the practice's when left out.
	TimeZone *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// UpdatePatientInput is the input of updatePatient: what is left out or null stays; an empty string clears.
type UpdatePatientInput struct {
	// The patient.
	ID uuid.UUID
	// Given name.
	GivenName *string
	// Family name.
	FamilyName *string
	// Date of birth.
	BirthDate *civil.Date
	// Administrative gender.
	Gender *patient.Gender
	// E-mail address.
	Email *string
	// Telephone number; Australian form or with country code.
	Phone *string
	// Street and house number.
	AddressLine *string
	// Suburb or town.
	Suburb *string
	// State or territory.
	State *string
	// Postcode.
	Postcode *string
	// Medicare card number, with or without the IRN as its 11th digit.
	MedicareNumber *string
	// Individual reference number on the Medicare card.
	MedicareIrn *string
	// Month of expiry of the Medicare card, YYYY-MM.
	MedicareExpiry *string
	// Individual Healthcare Identifier.
	Ihi *string
	// Whom to call in an emergency.
	EmergencyName *string
	// What he or she is to the patient.
	EmergencyRelationship *string
	// Telephone number for emergencies; Australian form or with country code.
	EmergencyPhone *string
	// Allergies and intolerances, as text; for who treats patients. At most 2,000 characters.
	Allergies *string
	// How the patient is insured.
	Type *patient.Type
	// Zone in which the patient reads times.
	TimeZone *string
	// True mails a code to the record's address by which the patient joins the record to an account.
	SendLinkCode *bool
	// Version the changes were made from; another one is a CONFLICT.
	ExpectedVersion *int
}
