package patient

import (
	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identifier"
)

// fields are the columns that an input gives; nil stays, "" clears.
type fields struct {
	givenName, familyName               *string
	birthDate                           *civil.Date
	gender                              *patient.Gender
	email, phone                        *string
	addressLine, suburb, state          *string
	postcode                            *string
	medicareNumber, medicareIRN, expiry *string
	ihi                                 *string
	emergencyName, emergencyKin         *string
	emergencyPhone                      *string
	kind                                *patient.Type
	timeZone                            *string
}

// rules are what a check needs to know beside the input.
type rules struct {
	mode  identifier.Mode
	today civil.Date
}

// validate reports all errors of the input's fields, or returns them normalised.
func (in CreatePatientInput) validate(r rules) (fields, error) {
	f := fields{
		givenName: &in.GivenName, familyName: &in.FamilyName, birthDate: in.BirthDate, gender: in.Gender, email: in.Email, phone: in.Phone,
		addressLine: in.AddressLine, suburb: in.Suburb, state: in.State, postcode: in.Postcode, medicareNumber: in.MedicareNumber,
		medicareIRN: in.MedicareIrn, expiry: in.MedicareExpiry, ihi: in.Ihi, kind: in.Type, timeZone: in.TimeZone,
		emergencyName: in.EmergencyName, emergencyKin: in.EmergencyRelationship, emergencyPhone: in.EmergencyPhone,
	}
	p := f.normalize(r)
	if isGiven(f.medicareIRN) && f.medicareNumber == nil {
		p.add(errIRNAlone, "medicareIrn")
	}
	return f, p.join()
}

// validate reports all errors of the input's fields, or returns them normalised.
func (in UpdatePatientInput) validate(r rules) (fields, error) {
	f := fields{
		givenName: in.GivenName, familyName: in.FamilyName, birthDate: in.BirthDate, gender: in.Gender, email: in.Email, phone: in.Phone,
		addressLine: in.AddressLine, suburb: in.Suburb, state: in.State, postcode: in.Postcode, medicareNumber: in.MedicareNumber,
		medicareIRN: in.MedicareIrn, expiry: in.MedicareExpiry, ihi: in.Ihi, kind: in.Type, timeZone: in.TimeZone,
		emergencyName: in.EmergencyName, emergencyKin: in.EmergencyRelationship, emergencyPhone: in.EmergencyPhone,
	}
	p := f.normalize(r)
	return f, p.join()
}

var errBirthDate = fault.ErrInvalid.Says("The date of birth lies in the future.")

// normalize brings the fields into the form in which they are stored.
func (f *fields) normalize(r rules) (p problems) {
	p.text(&f.givenName, "givenName", NormalizeName)
	p.text(&f.familyName, "familyName", NormalizeName)
	if f.birthDate != nil && f.birthDate.After(r.today) {
		p.add(errBirthDate, "birthDate")
	}
	p.text(&f.email, "email", unlessEmpty(NormalizeEmail))
	p.text(&f.phone, "phone", unlessEmpty(NormalizePhone))
	p.text(&f.addressLine, "addressLine", line(200))
	p.text(&f.suburb, "suburb", line(100))
	p.text(&f.state, "state", line(50))
	p.text(&f.postcode, "postcode", line(10))
	p.medicare(f, r.mode)
	p.text(&f.ihi, "ihi", unlessEmpty(checked(identifier.IHI, r.mode)))
	p.text(&f.emergencyName, "emergencyName", line(200))
	p.text(&f.emergencyKin, "emergencyRelationship", line(100))
	p.text(&f.emergencyPhone, "emergencyPhone", unlessEmpty(NormalizePhone))
	p.text(&f.timeZone, "timeZone", func(name string) (string, error) {
		_, err := civil.LoadZone(name)
		return name, err
	})
	return p
}

// text replaces a given value by its normalised form; the input keeps its own.
func (p *problems) text(value **string, field string, normalize func(string) (string, error)) {
	if *value == nil {
		return
	}
	normalized, err := normalize(**value)
	p.add(err, field)
	*value = &normalized
}

func line(most int) func(string) (string, error) {
	return func(s string) (string, error) { return NormalizeText(s, most) }
}

// unlessEmpty lets an empty text, which clears the field, pass.
func unlessEmpty(normalize func(string) (string, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		return normalize(s)
	}
}

// checked is the normalisation of an identifier.
func checked(kind identifier.Kind, mode identifier.Mode) func(string) (string, error) {
	return func(s string) (string, error) {
		verdict := identifier.Validate(kind, s, mode)
		if !verdict.IsValid {
			return "", ErrInvalidIdentifier.Says(verdict.Reason)
		}
		return verdict.Normalized, nil
	}
}

func isGiven(s *string) bool { return s != nil && *s != "" }

// apply writes the fields into a mutation.
func (f *fields) apply(m *ent.PatientMutation) {
	put(f.givenName, m.SetGivenName, nil)
	put(f.familyName, m.SetFamilyName, nil)
	if f.birthDate != nil {
		m.SetBirthDate(*f.birthDate)
	}
	if f.gender != nil {
		m.SetGender(*f.gender)
	}
	put(f.email, m.SetEmail, m.ClearEmail)
	put(f.phone, m.SetPhone, m.ClearPhone)
	put(f.addressLine, m.SetAddressLine, m.ClearAddressLine)
	put(f.suburb, m.SetSuburb, m.ClearSuburb)
	put(f.state, m.SetState, m.ClearState)
	put(f.postcode, m.SetPostcode, m.ClearPostcode)
	put(f.medicareNumber, m.SetMedicareNumber, m.ClearMedicareNumber)
	put(f.medicareIRN, m.SetMedicareIrn, m.ClearMedicareIrn)
	put(f.expiry, m.SetMedicareExpiry, m.ClearMedicareExpiry)
	put(f.ihi, m.SetIhi, m.ClearIhi)
	if f.kind != nil {
		m.SetType(*f.kind)
	}
	put(f.emergencyName, m.SetEmergencyName, m.ClearEmergencyName)
	put(f.emergencyKin, m.SetEmergencyRelationship, m.ClearEmergencyRelationship)
	put(f.emergencyPhone, m.SetEmergencyPhone, m.ClearEmergencyPhone)
	put(f.timeZone, m.SetTimeZone, nil)
}

// put sets a given value, or clears the field for an empty one: only null is free of the unique indexes.
func put(value *string, set func(string), clear func()) {
	switch {
	case value == nil:
	case *value == "":
		clear()
	default:
		set(*value)
	}
}
