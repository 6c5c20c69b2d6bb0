package patient_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	entpatient "github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s, ctx := service(t, db), testkit.As(t, testkit.User(t, db, access.Scheduler))
		p, duplicates, err := s.Create(ctx, patient.CreatePatientInput{
			GivenName: "  Zoë ", FamilyName: "O'Brien-Núñez", BirthDate: &birth, Gender: ptr(entpatient.GenderFEMALE), Email: ptr(" zoe@clinic.example "),
			Phone: ptr("0412 345 678"), AddressLine: ptr("1 Wharf St"), Suburb: ptr("Brisbane"), State: ptr("QLD"), Postcode: ptr("4000"),
			MedicareNumber: ptr("2950 15648-1 3"), MedicareExpiry: ptr("2027-02"), Ihi: ptr("8003 6081 6669 0503"), Type: ptr(entpatient.TypePRIVATE),
		})
		require.NoError(t, err)
		assert.Empty(t, duplicates)
		assert.Equal(t, "P000001", p.Number)
		assert.Equal(t, "Zoë", p.GivenName)
		assert.Equal(t, "zoe obrien nunez p000001", p.SearchKey)
		assert.Equal(t, &birth, p.BirthDate)
		assert.Equal(t, entpatient.GenderFEMALE, p.Gender)
		assert.Equal(t, "zoe@clinic.example", p.Email)
		assert.Equal(t, "+61412345678", p.Phone)
		assert.Equal(t, ptr("2950156481"), p.MedicareNumber)
		assert.Equal(t, "3", p.MedicareIrn)
		assert.Equal(t, "2027-02", p.MedicareExpiry)
		assert.Equal(t, ptr("8003608166690503"), p.Ihi)
		assert.Equal(t, entpatient.TypePRIVATE, p.Type)
		assert.Equal(t, testkit.Zone, p.TimeZone, "the practice's zone when none is given")
		assert.Nil(t, p.UserID)
		assert.Equal(t, 1, p.Version)
		assert.Equal(t, clk.Now(), p.CreatedAt)

		bare, _, err := s.Create(ctx, patient.CreatePatientInput{GivenName: "A", FamilyName: "B", Email: ptr(""), Phone: ptr(""), MedicareNumber: ptr(""), Ihi: ptr("")})
		require.NoError(t, err)
		assert.Equal(t, "P000002", bare.Number)
		assert.Equal(t, entpatient.GenderUNKNOWN, bare.Gender)
		assert.Equal(t, entpatient.TypeREGULAR, bare.Type)
		assert.Nil(t, bare.MedicareNumber)
		assert.Nil(t, bare.Ihi)
	})
}

func TestCreateRoles(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s := service(t, db)
		for _, role := range access.Roles {
			_, _, err := s.Create(testkit.As(t, testkit.User(t, db, role)), input())
			if slices.Contains(editors, role) {
				assert.NoError(t, err, role)
			} else {
				assert.ErrorIs(t, err, fault.ErrForbidden, role)
			}
		}
		_, _, err := s.Create(t.Context(), input())
		assert.ErrorIs(t, err, fault.ErrForbidden, "nobody signed in")
	})
}

// Numbers run without holes: what fails gives its number back, and no two callers get the same.
func TestNumbersAreDense(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, admin := service(t, db), testkit.User(t, db, access.Admin)
		card := func(in *patient.CreatePatientInput) { in.Ihi = ptr("8003608166690503") }
		const callers = 40
		var mu sync.Mutex
		var numbers []string
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				in := input()
				if i%2 == 1 {
					in = input(card) // one of these wins
				}
				p, _, err := s.Create(testkit.As(t, admin), in)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					numbers = append(numbers, p.Number)
				} else {
					assert.ErrorIs(t, err, patient.ErrDuplicate)
				}
			})
		}
		all.Wait()
		slices.Sort(numbers)
		require.Len(t, numbers, callers/2+1)
		for i, n := range numbers {
			assert.Equal(t, fmt.Sprintf("P%06d", i+1), n)
		}
	})
}

func TestCreateChecksAllFieldsAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		tomorrow := birth.AddDays(0)
		tomorrow.Year, tomorrow.Month, tomorrow.Day = 2025, 1, 16 // it is 15 January 2025 in Brisbane
		_, _, err := service(t, db).Create(testkit.As(t, testkit.User(t, db, access.Nurse)), patient.CreatePatientInput{
			GivenName: "  ", FamilyName: "a\x00b", BirthDate: &tomorrow, Email: ptr("nobody"), Phone: ptr("12"), AddressLine: ptr("a\nb"),
			MedicareNumber: ptr("2123456711"), MedicareIrn: ptr("0"), MedicareExpiry: ptr("2027-13"), Ihi: ptr("8003608166690504"), TimeZone: ptr("Mars/Base"),
		})
		requireCodes(t, err,
			[2]string{"givenName", "INVALID_INPUT"}, [2]string{"familyName", "INVALID_INPUT"}, [2]string{"birthDate", "INVALID_INPUT"},
			[2]string{"email", "INVALID_INPUT"}, [2]string{"phone", "INVALID_INPUT"}, [2]string{"addressLine", "INVALID_INPUT"},
			[2]string{"medicareNumber", "INVALID_IDENTIFIER"}, [2]string{"medicareIrn", "INVALID_IDENTIFIER"}, [2]string{"medicareExpiry", "INVALID_INPUT"},
			[2]string{"ihi", "INVALID_IDENTIFIER"}, [2]string{"timeZone", "UNKNOWN_TIME_ZONE"})
	})
}

// Today is the practice's date: it is 15 January in Brisbane while it is still the 14th in London.
func TestBirthDateOfToday(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		today := birth
		today.Year, today.Month, today.Day = 2025, 1, 15
		_, _, err := service(t, db).Create(testkit.As(t, testkit.User(t, db, access.Nurse)), input(func(in *patient.CreatePatientInput) { in.BirthDate = &today }))
		require.NoError(t, err)
	}, testkit.At(testkit.Start.Add(-9*60*60*1e9)))
}

func TestCreateMedicare(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, ctx := service(t, db), testkit.As(t, testkit.User(t, db, access.Admin))
		create := func(number, irn string) error {
			_, _, err := s.Create(ctx, input(func(in *patient.CreatePatientInput) {
				in.MedicareNumber, in.MedicareIrn = &number, &irn
				if number == "-" {
					in.MedicareNumber = nil
				}
			}))
			return err
		}
		require.NoError(t, create("29501564811", ""))
		require.NoError(t, create("29501564812", "2"), "a family shares the number")
		require.NoError(t, create("2950156481", ""), "without an IRN it is nobody's claim")
		require.NoError(t, create("2950156481", ""))
		requireCodes(t, create("2950156481", "1"), [2]string{"medicareNumber", "DUPLICATE_PATIENT"})
		requireCodes(t, create("29501564813", "4"), [2]string{"medicareIrn", "INVALID_IDENTIFIER"})
		requireCodes(t, create("-", "4"), [2]string{"medicareIrn", "INVALID_IDENTIFIER"})
		requireCodes(t, create("", "4"), [2]string{"medicareIrn", "INVALID_IDENTIFIER"})
	})
}

// A clash tells nothing of the record that it is with: it may be hidden from the caller.
func TestDuplicateRevealsNothing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, ctx := service(t, db), testkit.As(t, testkit.User(t, db, access.Admin))
		ihi := func(in *patient.CreatePatientInput) { in.Ihi = ptr("8003608166690503") }
		first, _, err := s.Create(ctx, input(ihi))
		require.NoError(t, err)
		_, _, err = s.Create(ctx, input(ihi))
		requireCodes(t, err, [2]string{"ihi", "DUPLICATE_PATIENT"})
		for _, secret := range []string{first.Number, first.GivenName, first.FamilyName, first.ID.String(), "8003608166690503"} {
			assert.NotContains(t, err.Error(), secret)
		}
	})
}

func TestProbableDuplicates(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, ctx := service(t, db), testkit.As(t, testkit.User(t, db, access.Scheduler))
		named := func(given, family string) func(in *patient.CreatePatientInput) {
			return func(in *patient.CreatePatientInput) { in.GivenName, in.FamilyName = given, family }
		}
		first, told, err := s.Create(ctx, input(named("José", "Ó Briain")))
		require.NoError(t, err)
		assert.Empty(t, told)
		_, told, err = s.Create(ctx, input(named("jose", "o briain")))
		require.NoError(t, err)
		require.Len(t, told, 1)
		assert.Equal(t, first.ID, told[0].ID)

		for name, in := range map[string]patient.CreatePatientInput{
			"another name":     input(named("Josef", "O Briain")),
			"one name more":    input(named("Jose", "O")),
			"no birth date":    input(named("Jose", "O Briain"), func(in *patient.CreatePatientInput) { in.BirthDate = nil }),
			"other birth date": input(named("Jose", "O Briain"), func(in *patient.CreatePatientInput) { in.BirthDate = ptr(birth.AddDays(1)) }),
		} {
			_, told, err = s.Create(ctx, in)
			require.NoError(t, err, name)
			assert.Empty(t, told, name)
		}
	})
}

func TestCreateIsIdempotentByKey(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, ctx := service(t, db), testkit.As(t, testkit.User(t, db, access.Scheduler))
		in := input(func(in *patient.CreatePatientInput) { in.IdempotencyKey, in.Phone = ptr("k1"), ptr("0412 345 678") })
		first, _, err := s.Create(ctx, in)
		require.NoError(t, err)
		assert.Equal(t, "0412 345 678", *in.Phone, "the caller's input stays as it is")
		again, _, err := s.Create(ctx, in)
		require.NoError(t, err)
		assert.Equal(t, first.ID, again.ID)
		in.GivenName = "Nora"
		_, _, err = s.Create(ctx, in)
		assert.ErrorIs(t, err, idem.ErrReused)
	})
}

func TestCreateForJoinsTheTransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, u := service(t, db), testkit.User(t, db, access.Patient)
		account := patient.Account{UserID: u.ID, GivenName: "Mia", FamilyName: "Lau", Email: "mia@clinic.example", Phone: "+61412345678"}
		err := db.WithTx(t.Context(), func(ctx context.Context) error {
			_, err := s.CreateFor(ctx, account)
			require.NoError(t, err)
			return errAny
		})
		require.ErrorIs(t, err, errAny)
		var made *ent.Patient
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) (err error) {
			made, err = s.CreateFor(ctx, account)
			return err
		}))
		assert.Equal(t, "P000001", made.Number, "the number of the rollback is given again")
		assert.Equal(t, &u.ID, made.UserID)
		assert.Equal(t, "mia@clinic.example", made.Email)
		assert.Equal(t, "+61412345678", made.Phone)
	})
}
