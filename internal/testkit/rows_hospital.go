package testkit

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/store"
)

// Ward makes a ward without a rate; see WardRate.
func Ward(tb testing.TB, db *store.DB, opts ...func(*ent.WardCreate)) *ent.Ward {
	tb.Helper()
	c := db.Client.Ward.Create().SetName(fmt.Sprintf("Ward %d", next())).SetType(ward.TypeGENERAL)
	apply(c, opts)
	if name, ok := c.Mutation().Name(); ok {
		c.SetNameKey(strings.ToLower(name))
	}
	return save(tb, db, c)
}

// WardRate makes what a day in the ward costs from a date on.
func WardRate(tb testing.TB, db *store.DB, w *ent.Ward, from civil.Date, minor int64) *ent.WardRate {
	tb.Helper()
	return save(tb, db, db.Client.WardRate.Create().SetWardID(w.ID).SetFromDate(from).SetRateMinor(minor).SetCurrency("AUD"))
}

// Bed makes a bed in use.
func Bed(tb testing.TB, db *store.DB, w *ent.Ward, opts ...func(*ent.BedCreate)) *ent.Bed {
	tb.Helper()
	c := db.Client.Bed.Create().SetWardID(w.ID).SetNumber(fmt.Sprint(next()))
	apply(c, opts)
	return save(tb, db, c)
}

// Admission admits the patient to the bed at an instant, with a record of the illness; nothing is charged.
func Admission(tb testing.TB, db *store.DB, b *ent.Bed, p *ent.Patient, at time.Time, opts ...func(*ent.AdmissionCreate)) (a *ent.Admission) {
	tb.Helper()
	Write(tb, db, func(ctx context.Context) (err error) {
		c := db.Client.Admission.Create().SetPatientID(p.ID).SetAdmittedAt(at)
		apply(c, opts)
		if a, err = c.Save(ctx); err != nil {
			return err
		}
		if err := db.Client.AdmissionRecord.Create().SetAdmissionID(a.ID).SetPatientID(p.ID).SetReason("Pneumonia.").Exec(ctx); err != nil {
			return err
		}
		return lie(ctx, db, a, b, at)
	})
	return a
}

// Transfer moves an admitted patient to the bed at an instant.
func Transfer(tb testing.TB, db *store.DB, a *ent.Admission, b *ent.Bed, at time.Time) {
	tb.Helper()
	Write(tb, db, func(ctx context.Context) error {
		if err := getUp(ctx, db, a, at); err != nil {
			return err
		}
		return lie(ctx, db, a, b, at)
	})
}

// Discharge ends an admission at an instant.
func Discharge(tb testing.TB, db *store.DB, a *ent.Admission, at time.Time) (ended *ent.Admission) {
	tb.Helper()
	Write(tb, db, func(ctx context.Context) (err error) {
		if err := getUp(ctx, db, a, at); err != nil {
			return err
		}
		ended, err = db.Client.Admission.UpdateOneID(a.ID).SetStatus(admission.StatusDISCHARGED).SetDischargedAt(at).Save(ctx)
		return err
	})
	return ended
}

// Membership makes the patient a member of the national scheme from a date on.
func Membership(tb testing.TB, db *store.DB, p *ent.Patient, from civil.Date, opts ...func(*ent.NhiaMembershipCreate)) *ent.NhiaMembership {
	tb.Helper()
	c := db.Client.NhiaMembership.Create().SetPatientID(p.ID).SetRegistrationNumber(fmt.Sprintf("NHIA-%06d", next())).SetRegisteredOn(from)
	apply(c, opts)
	return save(tb, db, c)
}

func lie(ctx context.Context, db *store.DB, a *ent.Admission, b *ent.Bed, at time.Time) error {
	return db.Client.Stay.Create().SetAdmissionID(a.ID).SetPatientID(a.PatientID).SetBedID(b.ID).SetWardID(b.WardID).SetFromAt(at).Exec(ctx)
}

func getUp(ctx context.Context, db *store.DB, a *ent.Admission, at time.Time) error {
	present, err := db.Client.Stay.Query().Where(stay.AdmissionID(a.ID), stay.ToAtIsNil()).Only(ctx)
	if err != nil {
		return err
	}
	return db.Client.Stay.UpdateOne(present).SetToAt(at).Exec(ctx)
}
