package matrix_test

import (
	"fmt"
	"time"

	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/civil"
)

// hospitalRows are the inpatient side: alice lies in the north ward and has been there before, bob was in the south ward, where carol lies now.
var hospitalRows = []row{
	// What everybody who treats the patient has to know: nurses, administrators, and doctors of the patient.
	{entity: "PatientHealth", name: "alice", refs: "patient_id=alice", read: "alice dora " + wardens, change: by("dora " + wardens)},
	{entity: "PatientHealth", name: "bob", refs: "patient_id=bob", read: "bob drew " + wardens, change: by("drew " + wardens)},

	// Patients see the wards and beds in which they lay.
	{entity: "Ward", name: "north", read: "alice " + house, change: by(wardens)},
	{entity: "Ward", name: "south", read: "bob " + house, change: by(wardens)},
	{entity: "Ward", name: "closed", values: values{"is_active": false}, read: house, change: by(wardens)},
	{entity: "WardRate", name: "north", refs: "ward_id=north set_by=bea", read: tellers, change: by(nobody)},
	{entity: "WardRate", name: "south", refs: "ward_id=south", read: tellers, change: by(nobody)},
	{entity: "Bed", name: "north.1", refs: "ward_id=north", read: "alice " + house, change: by(wardens)},
	{entity: "Bed", name: "north.2", refs: "ward_id=north", read: "alice " + house, change: by(wardens)},
	{entity: "Bed", name: "south.1", refs: "ward_id=south", read: "bob " + house, change: by(wardens)},
	{entity: "Bed", name: "closed.1", refs: "ward_id=closed", read: house, change: by(wardens)},

	{entity: "Admission", name: "alice.past", refs: "patient_id=alice attending_id=dora admitted_by=nell discharged_by=dora",
		values: values{"admitted_at": at(-20 * day), "status": admission.StatusDISCHARGED, "discharged_at": at(-18 * day)},
		read:   "alice " + house, change: by(nobody)},
	{entity: "Admission", name: "alice.now", refs: "patient_id=alice admitted_by=nell", values: values{"admitted_at": at(-2 * day)},
		read: "alice " + house, change: by(nobody)},
	{entity: "Admission", name: "bob", refs: "patient_id=bob attending_id=drew",
		values: values{"admitted_at": at(-10 * day), "status": admission.StatusDISCHARGED, "discharged_at": at(-9 * day)}, read: "bob " + house, change: by(nobody)},
	{entity: "Admission", name: "carol", refs: "patient_id=carol", values: values{"admitted_at": at(-1 * day)}, read: house, change: by(nobody)},
	{entity: "Admission", name: "carol.empty", refs: "patient_id=carol", // with nothing around it
		values: values{"admitted_at": at(-30 * day), "status": admission.StatusDISCHARGED, "discharged_at": at(-30 * day)}, read: house, change: by(nobody)},

	// Clinical: not for who bills or administers, nor for doctors of others.
	{entity: "AdmissionRecord", name: "alice.past", refs: "admission_id=alice.past patient_id=alice", read: "alice dora " + nurses, change: by(nobody)},
	{entity: "AdmissionRecord", name: "bob", refs: "admission_id=bob patient_id=bob", read: "bob drew " + nurses, change: by(nobody)},
	{entity: "AdmissionRecord", name: "carol", refs: "admission_id=carol patient_id=carol", read: nurses, change: by(nobody)},

	{entity: "Stay", name: "alice.past", refs: "admission_id=alice.past patient_id=alice bed_id=north.1 ward_id=north",
		values: values{"from_at": at(-20 * day), "to_at": at(-18 * day)}, read: "alice " + house, change: by(nobody)},
	{entity: "Stay", name: "alice.before", refs: "admission_id=alice.now patient_id=alice bed_id=north.1 ward_id=north",
		values: values{"from_at": at(-2 * day), "to_at": at(-1 * day)}, read: "alice " + house, change: by(nobody)},
	{entity: "Stay", name: "alice.now", refs: "admission_id=alice.now patient_id=alice bed_id=north.2 ward_id=north",
		values: values{"from_at": at(-1 * day)}, read: "alice " + house, change: by(nobody)},
	{entity: "Stay", name: "bob", refs: "admission_id=bob patient_id=bob bed_id=south.1 ward_id=south",
		values: values{"from_at": at(-10 * day), "to_at": at(-9 * day)}, read: "bob " + house, change: by(nobody)},
	{entity: "Stay", name: "carol", refs: "admission_id=carol patient_id=carol bed_id=south.1 ward_id=south",
		values: values{"from_at": at(-1 * day)}, read: house, change: by(nobody)},

	{entity: "NhiaMembership", name: "alice", refs: "patient_id=alice registered_by=nell", read: "alice " + house, change: by(nobody)},
	{entity: "NhiaMembership", name: "bob", refs: "patient_id=bob registered_by=nell ended_by=ada",
		values: values{"ended_on": civil.Date{Year: 2024, Month: time.December, Day: 31}}, read: "bob " + house, change: by(nobody)},
	{entity: "ChargeFailure", name: "alice", refs: "admission_id=alice.now patient_id=alice", read: cashiers, change: by(nobody)},
	{entity: "ChargeFailure", name: "bob", refs: "admission_id=bob patient_id=bob", values: values{"resolved_at": at(-8 * day)}, read: cashiers, change: by(nobody)},

	// The ledger is for the patient and for who deals with money; doctors see none of it.
	{entity: "Wallet", name: "alice", refs: "patient_id=alice", read: "alice " + tellers, change: by(nobody)},
	{entity: "Wallet", name: "bob", refs: "patient_id=bob", read: "bob " + tellers, change: by(nobody)},
	{entity: "WalletTransaction", name: "alice.1", refs: "wallet_id=alice patient_id=alice admission_id=alice.now actor_id=bea",
		values: values{"position": int64(1)}, read: "alice " + tellers},
	{entity: "WalletTransaction", name: "alice.2", refs: "wallet_id=alice patient_id=alice reverses_id=alice.1 actor_id=bea",
		values: values{"position": int64(2), "kind": wallettransaction.KindREVERSAL}, read: "alice " + tellers},
	{entity: "WalletTransaction", name: "bob.1", refs: "wallet_id=bob patient_id=bob", values: values{"position": int64(1)}, read: "bob " + tellers},
}

// usualInHospital is usual for the inpatient side; nil for other entities.
func usualInHospital(entity string, n int) values {
	serial, date := fmt.Sprint(n), civil.Date{Year: 2024, Month: time.January, Day: 1}.AddDays(n)
	switch entity {
	case "PatientHealth":
		return values{"allergies": "Allergies " + serial}
	case "Ward":
		return values{"name": "Ward " + serial, "name_key": "ward " + serial, "type": ward.TypeGENERAL}
	case "WardRate":
		return values{"from_date": date, "rate_minor": int64(15000 + n), "currency": "AUD"}
	case "Bed":
		return values{"number": serial}
	case "Admission":
		return values{"status": admission.StatusADMITTED, "admitted_at": at(-time.Duration(n) * time.Hour)}
	case "AdmissionRecord":
		return values{"reason": "Reason " + serial, "diagnosis": "Diagnosis " + serial, "discharge_notes": "Notes " + serial}
	case "Stay":
		return values{"from_at": at(-time.Duration(n) * time.Hour)}
	case "NhiaMembership":
		return values{"registration_number": "NHIA-" + serial, "registered_on": date}
	case "ChargeFailure":
		return values{"charge_date": date, "attempts": 3, "error": "Error " + serial, "last_tried_at": at(0)}
	case "Wallet":
		return values{"currency": "AUD", "balance_minor": int64(n), "position": int64(1), "hash": serial}
	case "WalletTransaction":
		return values{"position": int64(n), "kind": wallettransaction.KindTOP_UP, "amount_minor": int64(n), "balance_after_minor": int64(n), "currency": "AUD",
			"counter_account": wallettransaction.CounterAccountCASH, "reference": "TX-" + serial, "description": "Description " + serial, "actor": "user", "hash": serial}
	default:
		return nil
	}
}
