package demo

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/hospital"
)

// wards are those that the hospital opened with.
var wards = []struct {
	name string
	kind ward.Type
	rate string // of a day; empty = none
	beds []string
}{
	{"Jacaranda", ward.TypeGENERAL, "420.00", []string{"J1", "J2", "J3", "J4", "J5", "J6"}},
	{"Banksia", ward.TypeMATERNITY, "510.00", []string{"B1", "B2", "B3"}},
	{"Wattle", ward.TypeINTENSIVE_CARE, "1450.00", []string{"W1", "W2", "W3"}},
	{"Grevillea", ward.TypeREHABILITATION, "", []string{"G1", "G2"}},
	{"East wing", ward.TypeOTHER, "380.00", []string{"E1"}},
}

// addWards makes the wards with their beds: administrators know the rates, nurses put up the beds.
func (s *Seeder) addWards(ctx context.Context) error {
	for _, w := range wards {
		in := hospital.CreateWardInput{Name: w.name, Type: w.kind}
		if w.rate != "" {
			in.DailyRate = &w.rate
		}
		made, err := s.Hospital.CreateWard(s.as(ctx, adminKey), in)
		if err != nil {
			return fmt.Errorf("ward %s: %w", w.name, err)
		}
		s.wards[w.name] = made
		for _, number := range w.beds {
			bed, err := s.Hospital.AddBed(s.as(ctx, nurseKey), hospital.AddBedInput{WardID: made.ID, Number: number})
			if err != nil {
				return fmt.Errorf("bed %s: %w", number, err)
			}
			s.beds[number] = bed.ID
		}
	}
	return nil
}

// changingWards is what became of them since.
func (s *Seeder) changingWards() {
	no := false
	s.happens(s.onDay(-40, at(16, 0)), "end of a ward", func(ctx context.Context) error {
		if _, err := s.Hospital.UpdateBed(s.as(ctx, nurseKey), hospital.UpdateBedInput{ID: s.beds["E1"], IsActive: &no}); err != nil {
			return err
		}
		_, err := s.Hospital.UpdateWard(s.as(ctx, nurseKey), hospital.UpdateWardInput{ID: s.wards["East wing"].ID, IsActive: &no})
		return err
	})
	s.happens(s.onDay(-25, at(9, 10)), "new rate", func(ctx context.Context) error { return s.setRate(ctx, "Jacaranda", -19, "445.00") })
	s.happens(s.onDay(-2, at(9, 20)), "rate to come", func(ctx context.Context) error { return s.setRate(ctx, "Banksia", 14, "540.00") })
	s.happens(s.onDay(-3, at(8, 0)), "a bed to be mended", func(ctx context.Context) error {
		_, err := s.Hospital.UpdateBed(s.as(ctx, nurseKey), hospital.UpdateBedInput{ID: s.beds["J6"], IsActive: &no})
		return err
	})
}

func (s *Seeder) setRate(ctx context.Context, name string, day int, rate string) error {
	from := civil.DateOf(s.now, s.Zone).AddDays(day)
	_, _, err := s.Hospital.SetWardRate(s.as(ctx, billerKey), hospital.SetWardRateInput{WardID: s.wards[name].ID, Rate: rate, From: &from})
	return err
}

// midnights lets the scheduler look at each midnight, when daily charges are due, and in the mornings at low wallets.
func (s *Seeder) midnights() {
	today := civil.DateOf(s.now, s.Zone)
	for d := civil.DateOf(s.ago(past), s.Zone).AddDays(1); !d.After(today); d = d.AddDays(1) {
		s.looks(civil.StartOfDay(d, s.Zone), "daily-admission-charges")
		if due, _ := civil.Resolve(d, at(6, 0), s.Zone); !due.After(s.now) {
			s.looks(due, "wallet-low-balance")
		}
	}
	s.looks(s.now, "wallet-low-balance")
}

// inHospital are wards and beds by name.
type inHospital struct {
	wards map[string]*ent.Ward
	beds  map[string]uuid.UUID
}
