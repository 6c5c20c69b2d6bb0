package demo

import (
	"strings"
	"time"

	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
)

// Password signs in every account of the demo.
const Password = "try-caregraph"

// person is somebody invented. The key of a person is the given name in small letters, without accents.
type person struct {
	role          access.Role
	given, family string
	phone         string

	practice *practice // of who treats patients
	record   *record   // of patients
}

// practice is what a practitioner says of the own work.
type practice struct {
	specialty, qualification, zone     string
	ahpra, prescriber, provider, hpiI  string
	hasSchedule8, offersShort, hasLong bool
	extended                           int // minutes of the afternoon's sessions; 0 = none
}

// record is what the desk enters about a patient.
type record struct {
	isWithoutAccount              bool
	hasNoMail                     bool
	birth                         civil.Date
	gender                        patient.Gender
	kind                          patient.Type
	address, suburb, state        string
	postcode, zone, medicare, ihi string
}

const (
	brisbane = "Australia/Brisbane"
	sydney   = "Australia/Sydney"
	adelaide = "Australia/Adelaide"
	perth    = "Australia/Perth"
	lordHowe = "Australia/Lord_Howe"
	hobart   = "Australia/Hobart"
	mailAt   = "@demo.caregraph.test"
)

// Who acts for the practice.
const (
	adminKey   = "ada"
	plannerKey = "mina"
	billerKey  = "bela"
	nurseKey   = "noah"
)

var staff = []person{
	{role: access.Admin, given: "Ada", family: "Okafor"},
	{role: access.Doctor, given: "Dora", family: "Lindqvist", practice: &practice{
		specialty: "General practice", qualification: "MBBS, FRACGP", zone: brisbane, hasSchedule8: true, offersShort: true, hasLong: true,
		ahpra: "MED0009900101", prescriber: "1001114", provider: "290111BT", hpiI: "8003619000000171",
	}},
	{role: access.Doctor, given: "Hugo", family: "Marchetti", practice: &practice{
		specialty: "Dermatology", qualification: "MBBS, FACD", zone: sydney, hasLong: true,
		ahpra: "MED0009900202", prescriber: "1002227", provider: "290222BA", hpiI: "8003619000000346",
	}},
	{role: access.Doctor, given: "Priya", family: "Raman", practice: &practice{
		specialty: "Cardiology", qualification: "MD, FRACP", zone: perth, hasLong: true,
		ahpra: "MED0009900303", prescriber: "1003330", provider: "290333BJ", hpiI: "8003619000000510",
	}},
	{role: access.Doctor, given: "Ines", family: "Halloran", practice: &practice{
		specialty: "General practice", qualification: "MBBS, FACRRM", zone: lordHowe, hasLong: true,
		ahpra: "MED0009900404", prescriber: "1004443", provider: "290444BW", hpiI: "8003619000000684",
	}},
	{role: access.Clinician, given: "Cleo", family: "Brandt", practice: &practice{
		specialty: "Psychology", qualification: "MPsych (Clin)", zone: adelaide, extended: 60,
		ahpra: "PSY0009900505", provider: "290555BB", hpiI: "8003619000000858",
	}},
	{role: access.Supervisor, given: "Sana", family: "Whitford", practice: &practice{
		specialty: "Psychology", qualification: "PhD, MPsych", zone: hobart, extended: 45,
		ahpra: "PSY0009900606", provider: "290666BK", hpiI: "8003619000001021",
	}},
	{role: access.Nurse, given: "Noah", family: "Tennant"},
	{role: access.Scheduler, given: "Mina", family: "Castellano"},
	{role: access.Biller, given: "Bela", family: "Fenwick"},
	{role: access.Pharmacist, given: "Faye", family: "Novak"},
}

func born(year int, month time.Month, day int) civil.Date {
	return civil.Date{Year: year, Month: month, Day: day}
}

var patients = []person{
	{role: access.Patient, given: "Alice", family: "Nguyen", phone: "0491 570 006", record: &record{
		birth: born(1988, time.March, 14), gender: patient.GenderFEMALE, kind: patient.TypeREGULAR, address: "12 Jacaranda Lane", suburb: "Brisbane", state: "QLD",
		postcode: "4000", zone: brisbane, medicare: "29500007711", ihi: "8003608000000133",
	}},
	{role: access.Patient, given: "Bruno", family: "Keller", phone: "0491 570 156", record: &record{
		birth: born(1971, time.November, 2), gender: patient.GenderMALE, kind: patient.TypePRIVATE, address: "3/40 Harbour Row", suburb: "Sydney", state: "NSW",
		postcode: "2000", zone: sydney, medicare: "29500014711", ihi: "8003608000000265",
	}},
	{role: access.Patient, given: "Chiara", family: "Walsh", phone: "0491 570 157", record: &record{
		birth: born(1995, time.June, 27), gender: patient.GenderFEMALE, kind: patient.TypeREGULAR, address: "7 Lorikeet Street", suburb: "Perth", state: "WA",
		postcode: "6000", zone: perth, medicare: "29500021712", ihi: "8003608000000398",
	}},
	{role: access.Patient, given: "Tomás", family: "Ferreira", phone: "0491 570 158", record: &record{
		birth: born(1963, time.January, 9), gender: patient.GenderMALE, kind: patient.TypeINSURANCE, address: "88 Wattle Parade", suburb: "Adelaide", state: "SA",
		postcode: "5000", zone: adelaide, medicare: "29500028011", ihi: "8003608000000521",
	}},
	{role: access.Patient, given: "Dilys", family: "Okonjo", phone: "0491 570 159", record: &record{
		birth: born(1979, time.August, 30), gender: patient.GenderFEMALE, kind: patient.TypeNHIA, address: "5 Mill Court", suburb: "Toowoomba", state: "QLD",
		postcode: "4350", zone: brisbane, medicare: "29500035011",
	}},
	{role: access.Patient, given: "Emre", family: "Halvorsen", phone: "0491 570 110", record: &record{
		birth: born(2001, time.May, 5), gender: patient.GenderOTHER, kind: patient.TypeREGULAR, suburb: "Hobart", state: "TAS", postcode: "7000", zone: hobart,
	}},
	{role: access.Patient, given: "Freya", family: "Tamblyn", phone: "0491 570 313", record: &record{
		birth: born(1956, time.October, 19), gender: patient.GenderFEMALE, kind: patient.TypeREGULAR, address: "Lagoon Road", suburb: "Lord Howe Island", state: "NSW",
		postcode: "2898", zone: lordHowe, medicare: "29500042011", ihi: "8003608000000786",
	}},
	{role: access.Patient, given: "Gus", family: "Adeyemi", phone: "0491 570 737", record: &record{
		birth: born(1984, time.December, 24), gender: patient.GenderMALE, kind: patient.TypePRIVATE, suburb: "Sydney", state: "NSW", postcode: "2010", zone: sydney,
	}},
	{role: access.Patient, given: "Henrik", family: "Soames", phone: "0491 571 266", record: &record{
		isWithoutAccount: true, birth: born(1947, time.February, 11), gender: patient.GenderMALE, kind: patient.TypeINSURANCE, suburb: "Fremantle", state: "WA",
		postcode: "6160", zone: perth, medicare: "29500063311",
	}},
	{role: access.Patient, given: "Imogen", family: "Duarte", phone: "0491 571 491", record: &record{
		isWithoutAccount: true, birth: born(2014, time.July, 21), gender: patient.GenderFEMALE, kind: patient.TypeREGULAR, suburb: "Brisbane", state: "QLD",
		postcode: "4101", zone: brisbane, medicare: "29500063312",
	}},
	{role: access.Patient, given: "Jarrah", family: "Whitlock", phone: "0491 571 804", record: &record{
		isWithoutAccount: true, hasNoMail: true, gender: patient.GenderUNKNOWN, kind: patient.TypeREGULAR, zone: brisbane,
	}},
}

// lying are the patients of the wards.
var lying = []person{
	{role: access.Patient, given: "Leila", family: "Haddad", phone: "0491 570 006", record: &record{
		birth: born(1959, time.April, 3), gender: patient.GenderFEMALE, kind: patient.TypeREGULAR, suburb: "Brisbane", state: "QLD", postcode: "4006", zone: brisbane,
	}},
	{role: access.Patient, given: "Marek", family: "Sedlak", phone: "0491 570 156", record: &record{
		birth: born(1966, time.September, 28), gender: patient.GenderMALE, kind: patient.TypePRIVATE, suburb: "Ipswich", state: "QLD", postcode: "4305", zone: brisbane,
	}},
	inWard("Nadia", "Yilmaz", born(1993, time.January, 30), patient.GenderFEMALE, patient.TypeNHIA),
	inWard("Oskar", "Bergstrom", born(1951, time.June, 6), patient.GenderMALE, patient.TypeNHIA),
	inWard("Rosa", "Delacroix", born(1944, time.December, 12), patient.GenderFEMALE, patient.TypeINSURANCE),
	inWard("Samir", "Chaudhry", born(1990, time.October, 8), patient.GenderMALE, patient.TypeREGULAR),
	inWard("Kasimir", "Novotny", born(2003, time.March, 25), patient.GenderMALE, patient.TypeREGULAR),
	inWard("Petra", "Vandermeer", born(1991, time.July, 17), patient.GenderFEMALE, patient.TypePRIVATE),
	inWard("Quentin", "Ashgrove", born(1938, time.May, 2), patient.GenderMALE, patient.TypeREGULAR),
}

// inWard is somebody whom the desk has entered at the admission.
func inWard(given, family string, birth civil.Date, gender patient.Gender, kind patient.Type) person {
	return person{role: access.Patient, given: given, family: family, phone: "0491 570 157", record: &record{
		isWithoutAccount: true, hasNoMail: true, birth: birth, gender: gender, kind: kind, zone: brisbane,
	}}
}

// everyPatient are those of the practice and of the wards.
func everyPatient() []person { return append(append([]person{}, patients...), lying...) }

// Account is a sign-in of the demo.
type Account struct {
	Role  access.Role
	Email string
	Name  string
}

// Accounts lists the sign-ins, one per person, patients first.
func Accounts() []Account {
	var list []Account
	for _, p := range append(everyPatient(), staff...) {
		if p.record == nil || !p.record.isWithoutAccount {
			list = append(list, Account{Role: p.role, Email: p.email(), Name: p.given + " " + p.family})
		}
	}
	return list
}

func (p person) key() string { return strings.ToLower(strings.ReplaceAll(p.given, "á", "a")) }

func (p person) email() string { return p.key() + mailAt }
