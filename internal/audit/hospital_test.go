package audit

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	entward "github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/civil"
)

var today = civil.DateOf(later, time.UTC)

func (w *writer) ofHospital() map[string][]change {
	return map[string][]change{
		ent.TypeWard: {
			w.create(false, addedWard, "name", "type"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Ward.UpdateOneID(w.last.(*ent.Ward).ID).SetIsActive(false).Save(ctx)
			}, "is_active"),
		},
		ent.TypeWardRate: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				in, err := c.ward(ctx)
				if err != nil {
					return nil, err
				}
				return c.db.Client.WardRate.Create().SetWardID(in).SetFromDate(today).SetRateMinor(420_00).SetCurrency("AUD").Save(ctx)
			}, "ward_id", "from_date", "rate_minor"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.WardRate.UpdateOneID(w.last.(*ent.WardRate).ID).SetRateMinor(445_00).Save(ctx)
			}, "rate_minor"),
		},
		ent.TypeBed: {
			w.create(false, func(ctx context.Context, c *clinic) (any, error) {
				in, err := c.ward(ctx)
				if err != nil {
					return nil, err
				}
				return c.db.Client.Bed.Create().SetWardID(in).SetNumber("1").Save(ctx)
			}, "ward_id", "number"),
			update(false, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Bed.UpdateOneID(w.last.(*ent.Bed).ID).SetNumber("2").Save(ctx)
			}, "number"),
		},
		ent.TypeAdmission: {
			w.create(true, addedAdmission, "admitted_at"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Admission.UpdateOneID(w.last.(*ent.Admission).ID).SetStatus(admission.StatusDISCHARGED).SetDischargedAt(later).Save(ctx)
			}, "status", "discharged_at"),
		},
		ent.TypeAdmissionRecord: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				of, err := c.admission(ctx)
				if err != nil {
					return nil, err
				}
				return c.db.Client.AdmissionRecord.Create().SetAdmissionID(of).SetPatientID(c.patient.ID).SetReason("A fall.").SetDiagnosis("A fracture.").Save(ctx)
			}, "reason", "diagnosis"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.AdmissionRecord.UpdateOneID(w.last.(*ent.AdmissionRecord).ID).SetDischargeNotes("Healed.").Save(ctx)
			}, "discharge_notes"),
		},
		ent.TypeStay: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				of, err := c.admission(ctx)
				if err != nil {
					return nil, err
				}
				in, err := c.ward(ctx)
				if err != nil {
					return nil, err
				}
				bed, err := c.db.Client.Bed.Create().SetWardID(in).SetNumber("3").Save(quiet(ctx))
				if err != nil {
					return nil, err
				}
				return c.db.Client.Stay.Create().SetAdmissionID(of).SetPatientID(c.patient.ID).SetBedID(bed.ID).SetWardID(in).SetFromAt(later).Save(ctx)
			}, "bed_id", "ward_id", "from_at"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Stay.UpdateOneID(w.last.(*ent.Stay).ID).SetToAt(later.Add(time.Hour)).Save(ctx)
			}, "to_at"),
		},
		ent.TypeNhiaMembership: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.NhiaMembership.Create().SetPatientID(c.patient.ID).SetRegistrationNumber("N-1").SetRegisteredOn(today).Save(ctx)
			}, "registration_number", "registered_on"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.NhiaMembership.UpdateOneID(w.last.(*ent.NhiaMembership).ID).SetEndedOn(today.AddDays(1)).Save(ctx)
			}, "ended_on"),
		},
		ent.TypePatientHealth: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.PatientHealth.Create().SetPatientID(c.patient.ID).SetAllergies("Penicillin").Save(ctx)
			}, "allergies"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.PatientHealth.UpdateOneID(w.last.(*ent.PatientHealth).ID).SetAllergies("Latex").Save(ctx)
			}, "allergies"),
		},
		ent.TypeChargeFailure: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				of, err := c.admission(ctx)
				if err != nil {
					return nil, err
				}
				return c.db.Client.ChargeFailure.Create().SetAdmissionID(of).SetPatientID(c.patient.ID).SetChargeDate(today).SetAttempts(3).SetError("X").
					SetLastTriedAt(later).Save(ctx)
			}, "charge_date", "attempts"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.ChargeFailure.UpdateOneID(w.last.(*ent.ChargeFailure).ID).SetResolvedAt(later).Save(ctx)
			}, "resolved_at"),
		},
	}
}

func (w *writer) ofWallets() map[string][]change {
	return map[string][]change{
		ent.TypeWallet: {
			w.create(true, addedWallet, "currency"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.Wallet.UpdateOneID(w.last.(*ent.Wallet).ID).SetAlertLevel("LOW").SetLowToldAt(later).Save(ctx)
			}, "alert_level", "low_told_at"),
		},
		ent.TypeWalletTransaction: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				of, err := addedWallet(quiet(ctx), c)
				if err != nil {
					return nil, err
				}
				return c.db.Client.WalletTransaction.Create().SetWalletID(of.(*ent.Wallet).ID).SetPatientID(c.patient.ID).SetPosition(1).SetAmountMinor(500).
					SetBalanceAfterMinor(500).SetCurrency("AUD").SetKind(wallettransaction.KindTOP_UP).SetCounterAccount(wallettransaction.CounterAccountCASH).
					SetReference("R-1").SetDescription("Top-up").SetActor("user").SetHash("0").Save(ctx)
			}, "amount_minor", "kind", "description"),
		},
	}
}

func addedWallet(ctx context.Context, c *clinic) (any, error) {
	return c.db.Client.Wallet.Create().SetPatientID(c.patient.ID).SetCurrency("AUD").Save(ctx)
}

func addedWard(ctx context.Context, c *clinic) (any, error) {
	return c.db.Client.Ward.Create().SetName("General").SetNameKey("general").SetType(entward.TypeGENERAL).Save(ctx)
}

func addedAdmission(ctx context.Context, c *clinic) (any, error) {
	return c.db.Client.Admission.Create().SetPatientID(c.patient.ID).SetAdmittedAt(c.db.Now()).Save(ctx)
}

// ward makes a ward that nobody looks at.
func (c *clinic) ward(ctx context.Context) (uuid.UUID, error) {
	made, err := addedWard(quiet(ctx), c)
	return recordOf(made), err
}

// admission makes an admission that nobody looks at.
func (c *clinic) admission(ctx context.Context) (uuid.UUID, error) {
	made, err := addedAdmission(quiet(ctx), c)
	return recordOf(made), err
}

func recordOf(row any) uuid.UUID { return row.(interface{ RecordID() uuid.UUID }).RecordID() }
