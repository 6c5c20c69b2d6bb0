package patient_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, ctx := service(t, db), testkit.As(t, testkit.User(t, db, access.Nurse))
		p, _, err := s.Create(ctx, input(func(in *patient.CreatePatientInput) {
			in.Phone, in.Suburb, in.MedicareNumber, in.MedicareExpiry = ptr("0412345678"), ptr("Brisbane"), ptr("29501564811"), ptr("2027-02")
		}))
		require.NoError(t, err)

		changed, err := s.Update(ctx, patient.UpdatePatientInput{ID: p.ID, FamilyName: ptr("Ågren"), Suburb: ptr(""), Email: ptr("n@clinic.example")})
		require.NoError(t, err)
		assert.Equal(t, "noor agren p000001", changed.SearchKey)
		assert.Equal(t, "Ågren", changed.FamilyName)
		assert.Equal(t, "Noor", changed.GivenName)
		assert.Equal(t, "+61412345678", changed.Phone, "what is left out stays")
		assert.Empty(t, changed.Suburb, "an empty string clears")
		assert.Equal(t, 2, changed.Version)

		changed, err = s.Update(ctx, patient.UpdatePatientInput{ID: p.ID, MedicareNumber: ptr("")})
		require.NoError(t, err)
		assert.Nil(t, changed.MedicareNumber)
		assert.Empty(t, changed.MedicareIrn, "an IRN stands with a number only")
		assert.Empty(t, changed.MedicareExpiry)

		_, err = s.Update(ctx, patient.UpdatePatientInput{ID: p.ID, MedicareIrn: ptr("2")})
		requireCodes(t, err, [2]string{"medicareIrn", "INVALID_IDENTIFIER"})
		_, err = s.Update(ctx, patient.UpdatePatientInput{ID: p.ID, GivenName: ptr(""), TimeZone: ptr("")})
		requireCodes(t, err, [2]string{"givenName", "INVALID_INPUT"}, [2]string{"timeZone", "UNKNOWN_TIME_ZONE"})
	})
}

func TestUpdateExpectedVersion(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, ctx, p := service(t, db), testkit.As(t, testkit.User(t, db, access.Nurse)), testkit.Record(t, db)
		_, err := s.Update(ctx, patient.UpdatePatientInput{ID: p.ID, Suburb: ptr("Cairns"), ExpectedVersion: ptr(1)})
		require.NoError(t, err)
		present, err := s.Update(ctx, patient.UpdatePatientInput{ID: p.ID, Suburb: ptr("Mackay"), ExpectedVersion: ptr(1)})
		require.ErrorIs(t, err, fault.ErrConflict)
		require.NotNil(t, present, "the present record comes with the conflict")
		assert.Equal(t, "Cairns", present.Suburb)
		assert.Equal(t, 2, present.Version)
	})
}

func TestUpdateRoles(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := service(t, db), testkit.Patient(t, db)
		contact := patient.UpdatePatientInput{ID: p.ID, Phone: ptr("0412345678")}
		for _, role := range access.Roles {
			_, err := s.Update(testkit.As(t, testkit.User(t, db, role)), contact)
			switch {
			case slices.Contains(editors, role):
				assert.NoError(t, err, role)
			case slices.Contains(others, role):
				assert.ErrorIs(t, err, fault.ErrForbidden, role)
			default:
				assert.ErrorIs(t, err, fault.ErrNotFound, role)
			}
		}
		_, err := s.Update(t.Context(), contact)
		assert.ErrorIs(t, err, fault.ErrNotFound, "nobody signed in")
		_, err = s.Update(testkit.As(t, testkit.Patient(t, db)), contact)
		assert.ErrorIs(t, err, fault.ErrNotFound, "another patient's")
	})
}

func TestPatientChangesContactDataOnly(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := service(t, db), testkit.Patient(t, db)
		own := testkit.As(t, p)
		changed, err := s.Update(own, patient.UpdatePatientInput{
			ID: p.ID, Email: ptr("new@clinic.example"), Phone: ptr("+64 21 123 4567"), AddressLine: ptr("2 Wharf St"), Suburb: ptr("Cairns"), State: ptr("QLD"),
			Postcode: ptr("4870"), TimeZone: ptr("Pacific/Auckland"),
		})
		require.NoError(t, err)
		assert.Equal(t, "+64211234567", changed.Phone)
		for name, in := range map[string]patient.UpdatePatientInput{
			"name":     {GivenName: ptr("Nora")},
			"birth":    {BirthDate: &birth},
			"medicare": {MedicareNumber: ptr("29501564811")},
			"ihi":      {Ihi: ptr("8003608166690503")},
			"mixed":    {Phone: ptr("0412345678"), FamilyName: ptr("Other")},
		} {
			in.ID = p.ID
			_, err := s.Update(own, in)
			assert.ErrorIs(t, err, fault.ErrForbidden, name)
		}
	})
}

func TestUpdateDuplicate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, ctx := service(t, db), testkit.As(t, testkit.User(t, db, access.Admin))
		_, _, err := s.Create(ctx, input(func(in *patient.CreatePatientInput) {
			in.MedicareNumber, in.Ihi = ptr("29501564811"), ptr("8003608166690503")
		}))
		require.NoError(t, err)
		other := testkit.Record(t, db)
		_, err = s.Update(ctx, patient.UpdatePatientInput{ID: other.ID, MedicareNumber: ptr("2950156481"), MedicareIrn: ptr("1")})
		requireCodes(t, err, [2]string{"medicareNumber", "DUPLICATE_PATIENT"})
		present, err := s.Update(ctx, patient.UpdatePatientInput{ID: other.ID, Ihi: ptr("8003608166690503")})
		requireCodes(t, err, [2]string{"ihi", "DUPLICATE_PATIENT"})
		assert.Nil(t, present)
	})
}
