package patient_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func shown(list []*patient.RecordChange) []string {
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	lines := make([]string, len(list))
	for i, c := range list {
		lines[i] = fmt.Sprintf("%s: %s > %s", c.Field, text(c.Old), text(c.New))
	}
	return lines
}

func TestChanges(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		audit.New(db, slog.New(slog.NewTextHandler(io.Discard, nil)), audit.Options{}).Install()
		s, nurse, p := service(t, db), testkit.User(t, db, access.Nurse), testkit.Patient(t, db)
		change := func(who any, in patient.UpdatePatientInput) {
			in.ID = p.ID
			clk.Advance(time.Minute)
			_, err := s.Update(testkit.As(t, who), in)
			require.NoError(t, err)
		}
		change(nurse, patient.UpdatePatientInput{MedicareNumber: ptr("29501564811"), EmergencyName: ptr("Kim Fairweather")})
		change(p, patient.UpdatePatientInput{Suburb: ptr("Cairns"), EmergencyPhone: ptr("0412 345 678")})
		change(nurse, patient.UpdatePatientInput{Suburb: ptr(""), Allergies: ptr("Penicillin")})
		last := clk.Now()

		list, err := s.Changes(testkit.As(t, nurse), p, nil)
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{
			"allergies: - > -", "suburb: Cairns > -", "emergencyPhone: - > +61412345678", "suburb: - > Cairns",
			"emergencyName: - > Kim Fairweather", "medicareIrn: - > 1", "medicareNumber: - > 2950156481",
		}, shown(list))
		for i, c := range list[1:] {
			require.False(t, c.ChangedAt.After(list[i].ChangedAt), "newest first")
		}
		assert.Equal(t, last, list[0].ChangedAt.UTC())
		assert.Equal(t, nurse.ID, *list[0].ChangedBy)
		two, err := s.Changes(testkit.As(t, nurse), p, ptr(2))
		require.NoError(t, err)
		assert.Equal(t, shown(list)[:2], shown(two))

		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Patient.UpdateOneID(p.ID).SetSearchKey("x").Exec(ctx)
		})
		one, err := s.Changes(testkit.As(t, nurse), p, ptr(1))
		require.NoError(t, err)
		assert.Equal(t, shown(list)[:1], shown(one), "a change that is not shown takes no place")

		own, err := s.Changes(testkit.As(t, p), p, nil)
		require.NoError(t, err)
		assert.Equal(t, shown(list), shown(own))
		for _, c := range own {
			isOwn := strings.HasSuffix(c.Field, "Phone") || c.New != nil && *c.New == "Cairns"
			assert.Equal(t, isOwn, c.ChangedBy != nil, "%v: a patient sees himself alone", c)
		}
		for _, role := range others {
			list, err := s.Changes(testkit.As(t, testkit.User(t, db, role)), p, nil)
			require.NoError(t, err)
			assert.Empty(t, list, role)
		}
	})
}

func TestAllergies(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s, nurse, doctor := service(t, db), testkit.User(t, db, access.Nurse), testkit.Practitioner(t, db)
		read := func(who any, p *ent.Patient) string {
			h, err := p.QueryHealth().Only(testkit.As(t, who))
			if ent.IsNotFound(err) {
				return "(hidden)"
			}
			require.NoError(t, err)
			return h.Allergies
		}
		p, _, err := s.Create(testkit.As(t, nurse), input(func(in *patient.CreatePatientInput) { in.Allergies = ptr(" Penicillin\nLatex ") }))
		require.NoError(t, err)
		p, err = db.Client.Patient.Get(testkit.System(t), p.ID) // whose edges are read by whoever asks
		require.NoError(t, err)
		assert.Equal(t, "Penicillin\nLatex", read(nurse, p))
		assert.Equal(t, "(hidden)", read(doctor, p), "a doctor who does not treat the patient")
		for _, role := range append([]access.Role{access.Scheduler}, others...) {
			assert.Equal(t, "(hidden)", read(testkit.User(t, db, role), p), role)
		}

		_, err = s.Update(testkit.As(t, doctor), patient.UpdatePatientInput{ID: p.ID, Allergies: ptr("none")})
		requireCodes(t, err, [2]string{"allergies", "FORBIDDEN"})
		for _, text := range []string{"Dust", ""} { // neither written nor an answer to whether there is a record
			for _, of := range []*ent.Patient{p, testkit.Record(t, db)} {
				_, err = s.Update(testkit.As(t, doctor), patient.UpdatePatientInput{ID: of.ID, Allergies: &text})
				requireCodes(t, err, [2]string{"allergies", "FORBIDDEN"})
			}
		}
		testkit.CaredForBy(t, db, doctor, p)
		_, err = s.Update(testkit.As(t, doctor), patient.UpdatePatientInput{ID: p.ID, Allergies: ptr("Latex")})
		require.NoError(t, err)
		assert.Equal(t, "Latex", read(doctor, p))

		_, err = s.Update(testkit.As(t, testkit.User(t, db, access.Scheduler)), patient.UpdatePatientInput{ID: p.ID, Allergies: ptr(""), Suburb: ptr("Cairns")})
		requireCodes(t, err, [2]string{"allergies", "FORBIDDEN"})
		assert.Equal(t, "Latex", read(nurse, p))
		after, err := db.Client.Patient.Get(testkit.System(t), p.ID)
		require.NoError(t, err)
		assert.Empty(t, after.Suburb, "nothing is half written")
		for _, long := range []string{strings.Repeat("é", 2001), "a\x00b"} {
			_, err = s.Update(testkit.As(t, nurse), patient.UpdatePatientInput{ID: p.ID, Allergies: &long})
			requireCodes(t, err, [2]string{"allergies", "INVALID_INPUT"})
		}
		_, err = s.Update(testkit.As(t, nurse), patient.UpdatePatientInput{ID: p.ID, Allergies: ptr(strings.Repeat("é", 2000))})
		require.NoError(t, err)
		_, err = s.Update(testkit.As(t, nurse), patient.UpdatePatientInput{ID: p.ID, Allergies: ptr("")})
		require.NoError(t, err)
		assert.Empty(t, read(nurse, p))

		own := testkit.Patient(t, db)
		_, err = s.Update(testkit.As(t, own), patient.UpdatePatientInput{ID: own.ID, Allergies: ptr("none")})
		requireCodes(t, err, [2]string{"allergies", "FORBIDDEN"})
		_, err = s.Update(testkit.As(t, nurse), patient.UpdatePatientInput{ID: own.ID, Allergies: ptr("Nuts")})
		require.NoError(t, err)
		assert.Equal(t, "Nuts", read(own, own))
	})
}

func TestEmergencyContact(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := service(t, db), testkit.Patient(t, db)
		changed, err := s.Update(testkit.As(t, p), patient.UpdatePatientInput{
			ID: p.ID, EmergencyName: ptr(" Kim Fairweather "), EmergencyRelationship: ptr("Sister"), EmergencyPhone: ptr("(02) 9374 4000"),
		})
		require.NoError(t, err)
		assert.Equal(t, []string{"Kim Fairweather", "Sister", "+61293744000"}, []string{changed.EmergencyName, changed.EmergencyRelationship, changed.EmergencyPhone})
		_, err = s.Update(testkit.As(t, p), patient.UpdatePatientInput{
			ID: p.ID, EmergencyName: ptr(strings.Repeat("x", 201)), EmergencyRelationship: ptr("a\nb"), EmergencyPhone: ptr("call me"),
		})
		requireCodes(t, err, [2]string{"emergencyName", "INVALID_INPUT"}, [2]string{"emergencyRelationship", "INVALID_INPUT"}, [2]string{"emergencyPhone", "INVALID_INPUT"})
		changed, err = s.Update(testkit.As(t, p), patient.UpdatePatientInput{ID: p.ID, EmergencyPhone: ptr("")})
		require.NoError(t, err)
		assert.Empty(t, changed.EmergencyPhone)
		assert.Equal(t, "Sister", changed.EmergencyRelationship)
	})
}
