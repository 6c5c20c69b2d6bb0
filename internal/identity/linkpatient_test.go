package identity_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	entpatient "github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/testkit"
)

var linkCode = regexp.MustCompile(`(?m)^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$`)

// codeIn returns the code of the one mail that came to the address.
func (c *clinic) codeIn(t *testing.T, address string) string {
	t.Helper()
	mails := c.mails.take()
	require.Len(t, mails, 1)
	require.Equal(t, "LINK_CODE", mails[0].Kind)
	require.Equal(t, address, mails[0].To)
	return linkCode.FindString(mails[0].Body)
}

// clerk is the ctx of a scheduler.
func (c *clinic) clerk(t *testing.T) context.Context {
	return c.as(t, c.signIn(t, testkit.User(t, c.db, access.Scheduler)).Token)
}

func (c *clinic) send(t *testing.T, clerk context.Context, record uuid.UUID) error {
	t.Helper()
	_, err := c.Patients.Update(clerk, patient.UpdatePatientInput{ID: record, SendLinkCode: ptr(true)})
	return err
}

func (c *clinic) link(t *testing.T, token, code string) (*ent.Patient, error) {
	t.Helper()
	return c.LinkPatientAccount(c.as(t, token), identity.LinkPatientAccountInput{Code: code})
}

// paper makes a record that staff entered, with an address and the options given.
func (c *clinic) paper(t *testing.T, opts ...func(*ent.PatientCreate)) *ent.Patient {
	return testkit.Record(t, c.db, append([]func(*ent.PatientCreate){func(p *ent.PatientCreate) { p.SetEmail("Noor@clinic.example").SetPhone("+61400000001") }}, opts...)...)
}

// visit gives a record a history.
func (c *clinic) visit(t *testing.T, p *ent.Patient) *ent.Appointment {
	slot := testkit.Slot(t, c.db, testkit.Practitioner(t, c.db), c.clk.Now().Add(24*time.Hour))
	return testkit.Appointment(t, c.db, slot, p)
}

// The record that staff entered becomes the account's: the one made at registration is merged into it, and rights change at once.
func TestLinkPatientAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		old := c.paper(t)
		visit := c.visit(t, old)
		own := testkit.Patient(t, c.db, func(p *ent.PatientCreate) {
			p.SetPhone("+61400000002").SetAddressLine("1 Short St").SetSuburb("Milton").Mutation().ResetBirthDate()
		})
		u, err := c.db.Client.User.Get(testkit.System(t), *own.UserID)
		require.NoError(t, err)
		token := c.signIn(t, u).Token
		require.NoError(t, c.send(t, c.clerk(t), old.ID))
		code := c.codeIn(t, "Noor@clinic.example")

		ctx := c.as(t, token)
		ctx = access.WithHolder(ctx)
		linked, err := c.LinkPatientAccount(ctx, identity.LinkPatientAccountInput{Code: strings.ToLower(code)})
		require.NoError(t, err)
		assert.Equal(t, old.ID, linked.ID)
		assert.Equal(t, old.ID, access.From(ctx).PatientID, "for the rest of the document too")
		assert.Equal(t, u.ID, *linked.UserID)
		assert.Equal(t, old.Number+"|+61400000001|Noor@clinic.example|1 Short St|Milton", strings.Join([]string{linked.Number, linked.Phone, linked.Email, linked.AddressLine, linked.Suburb}, "|"),
			"what staff wrote stays, what they did not comes from the registration")
		assert.Equal(t, old.BirthDate, linked.BirthDate)
		_, err = c.db.Client.Patient.Get(testkit.System(t), own.ID)
		assert.True(t, ent.IsNotFound(err), "one record is left")
		seen, err := c.db.Client.Appointment.Query().OnlyID(c.as(t, token))
		require.NoError(t, err)
		assert.Equal(t, visit.ID, seen)
		_, err = c.link(t, token, code)
		requireFault(t, err, "TOKEN_INVALID", "code")
	})
}

// Where the account's own record has a history and the other has none, the own one stays.
func TestLinkKeepsTheRecordWithAHistory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		old := c.paper(t, func(p *ent.PatientCreate) {
			p.SetMedicareNumber("2950637391").SetMedicareIrn("1").SetIhi("8003608166690503")
		})
		own := testkit.Patient(t, c.db, func(p *ent.PatientCreate) { p.Mutation().ResetBirthDate() })
		c.visit(t, own)
		u, err := c.db.Client.User.Get(testkit.System(t), *own.UserID)
		require.NoError(t, err)
		require.NoError(t, c.send(t, c.clerk(t), old.ID))
		linked, err := c.link(t, c.signIn(t, u).Token, c.codeIn(t, "Noor@clinic.example"))
		require.NoError(t, err)
		assert.Equal(t, own.ID, linked.ID)
		assert.Equal(t, "2950637391", *linked.MedicareNumber)
		assert.Equal(t, "8003608166690503", *linked.Ihi)
		assert.Equal(t, old.BirthDate, linked.BirthDate)
		assert.Equal(t, u.Email, linked.Email)
		n, err := c.db.Client.Patient.Query().Where(entpatient.ID(old.ID)).Count(testkit.System(t))
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

// Two histories, and records that tell of different people, stay apart; the code stays good, for the practice may correct a record.
func TestLinkRefusesWhatIsNotOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		for name, tc := range map[string]struct {
			old, own  func(*ent.PatientCreate)
			histories bool
		}{
			"two histories":      {func(*ent.PatientCreate) {}, func(*ent.PatientCreate) {}, true},
			"two birth dates":    {func(*ent.PatientCreate) {}, func(p *ent.PatientCreate) { p.SetBirthDate(civil.Date{Year: 2015, Month: 1, Day: 2}) }, false},
			"two IHIs":           {func(p *ent.PatientCreate) { p.SetIhi("8003608166690503") }, func(p *ent.PatientCreate) { p.SetIhi("8003608833357361") }, false},
			"two Medicare cards": {func(p *ent.PatientCreate) { p.SetMedicareNumber("2950637391").SetMedicareIrn("1") }, func(p *ent.PatientCreate) { p.SetMedicareNumber("2950637391").SetMedicareIrn("2") }, false},
		} {
			old, own := c.paper(t, tc.old, func(p *ent.PatientCreate) { p.SetEmail("x" + strings.ReplaceAll(name, " ", "") + "@clinic.example") }), testkit.Patient(t, c.db, tc.own)
			if tc.histories {
				c.visit(t, old)
				c.visit(t, own)
			}
			u, err := c.db.Client.User.Get(testkit.System(t), *own.UserID)
			require.NoError(t, err)
			token := c.signIn(t, u).Token
			require.NoError(t, c.send(t, c.clerk(t), old.ID))
			code := c.codeIn(t, old.Email)
			for range 2 {
				_, err = c.link(t, token, code)
				requireFault(t, err, "ILLEGAL_STATUS", "code")
			}
			n, err := c.db.Client.Patient.Query().Where(entpatient.IDIn(old.ID, own.ID)).Count(testkit.System(t))
			require.NoError(t, err)
			assert.Equal(t, 2, n, name)
			c.clk.Advance(time.Minute)
		}
	})
}

// Who verifies an address that exactly one record without an account has is mailed its code.
func TestVerifyEmailOffersTheLink(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		verify := func(email string) {
			_, err := c.RegisterPatient(from(t, home), registration(func(in *identity.RegisterPatientInput) { in.Email = email }))
			require.NoError(t, err)
			// The record of the account itself has the address too, and an account.
			_, err = c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: tokenIn(c.mails.take()[0])})
			require.NoError(t, err)
		}
		old := c.paper(t)
		verify("noor@CLINIC.example")
		code := c.codeIn(t, "Noor@clinic.example")
		u := c.account(t, "noor@clinic.example")
		result, err := c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: registration().Password})
		require.NoError(t, err)
		linked, err := c.link(t, result.Token, code)
		require.NoError(t, err)
		assert.Equal(t, old.ID, linked.ID)

		family := func(p *ent.PatientCreate) { p.SetEmail("family@clinic.example") }
		c.paper(t, family)
		c.paper(t, family)
		verify("family@clinic.example")
		assert.Empty(t, c.mails.take(), "whose record it is, is for the practice to say")
		verify("new@clinic.example")
		assert.Empty(t, c.mails.take())
	})
}

// A code is good once, for 30 minutes, until the next one, and as long as the record has neither an account nor another address.
func TestLinkCodesEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		clerk := c.clerk(t)
		for i, end := range []func(old *ent.Patient) error{
			func(*ent.Patient) error { c.clk.Advance(30 * time.Minute); clerk = c.clerk(t); return nil },
			func(old *ent.Patient) error { return c.send(t, clerk, old.ID) },
			func(old *ent.Patient) error {
				_, err := c.Patients.Update(clerk, patient.UpdatePatientInput{ID: old.ID, Email: ptr("moved@clinic.example")})
				return err
			},
			func(old *ent.Patient) error {
				u := testkit.User(t, c.db, access.Patient)
				return c.db.WithTx(testkit.System(t), func(ctx context.Context) error {
					return c.db.Client.Patient.UpdateOneID(old.ID).SetUserID(u.ID).Exec(ctx)
				})
			},
		} {
			old := c.paper(t, func(p *ent.PatientCreate) { p.SetEmail(string(rune('a'+i)) + "@clinic.example") })
			require.NoError(t, c.send(t, clerk, old.ID))
			code := c.codeIn(t, old.Email)
			require.NoError(t, end(old))
			_, err := c.link(t, c.signIn(t, testkit.User(t, c.db, access.Patient)).Token, code)
			requireFault(t, err, "TOKEN_INVALID", "code")
			c.mails.take()
		}
	})
}

// Of fifty accounts that enter one code at once, one gets the record.
func TestLinkOnceUnderConcurrency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		old := c.paper(t)
		require.NoError(t, c.send(t, c.clerk(t), old.ID))
		code := c.codeIn(t, old.Email)
		contexts := make([]context.Context, 50)
		for i := range contexts {
			p := testkit.Patient(t, c.db)
			u, err := c.db.Client.User.Get(testkit.System(t), *p.UserID)
			require.NoError(t, err)
			contexts[i] = c.as(t, c.signIn(t, u).Token)
		}
		var linked atomic.Int64
		var all sync.WaitGroup
		for _, ctx := range contexts {
			all.Go(func() {
				if _, err := c.LinkPatientAccount(ctx, identity.LinkPatientAccountInput{Code: code}); err == nil {
					linked.Add(1)
				} else {
					assert.ErrorIs(t, err, identity.ErrTokenInvalid)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 1, linked.Load())
	}, func(c *identity.Config) { c.VerificationsPerMinute = 1000 })
}

func TestLinkRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		clerk := c.clerk(t)
		requireFault(t, c.send(t, clerk, testkit.Patient(t, c.db).ID), "ILLEGAL_STATUS", "sendLinkCode")
		requireFault(t, c.send(t, clerk, testkit.Record(t, c.db).ID), "ILLEGAL_STATUS", "sendLinkCode")
		own := testkit.Patient(t, c.db)
		requireFault(t, c.send(t, testkit.As(t, own), own.ID), "FORBIDDEN", "sendLinkCode")
		old := c.paper(t)
		for _, role := range []access.Role{access.Admin, access.Nurse, access.Doctor} { // three an hour and address
			require.NoError(t, c.send(t, testkit.As(t, testkit.User(t, c.db, role)), old.ID), role)
			c.clk.Advance(time.Minute)
		}
		requireThrottled(t, c.send(t, testkit.As(t, testkit.User(t, c.db, access.Scheduler)), old.ID), "link codes per hour and address", 57*time.Minute)
		for _, role := range []access.Role{access.Biller, access.Pharmacist, access.Clinician} {
			require.Error(t, c.send(t, testkit.As(t, testkit.User(t, c.db, role)), old.ID), role)
		}

		_, err := c.LinkPatientAccount(from(t, home), identity.LinkPatientAccountInput{Code: "x"})
		require.ErrorIs(t, err, fault.ErrUnauthenticated)
		_, err = c.LinkPatientAccount(clerk, identity.LinkPatientAccountInput{Code: "x"})
		require.ErrorIs(t, err, fault.ErrForbidden)
		token := c.signIn(t, testkit.User(t, c.db, access.Patient)).Token
		for range 10 {
			_, err = c.link(t, token, "guess")
			requireFault(t, err, "TOKEN_INVALID", "code")
		}
		_, err = c.link(t, token, "guess")
		requireThrottled(t, err, "verifications per minute and address", time.Minute)
	})
}

// Two codes that one account enters at once are taken one after the other: of three records one is left.
func TestLinkTwoCodesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		clerk := c.clerk(t)
		for round := range 10 {
			own := testkit.Patient(t, c.db)
			u, err := c.db.Client.User.Get(testkit.System(t), *own.UserID)
			require.NoError(t, err)
			ctx := c.as(t, c.signIn(t, u).Token)
			var all sync.WaitGroup
			records := []uuid.UUID{own.ID}
			for _, name := range []string{"a", "b"} {
				old := c.paper(t, func(p *ent.PatientCreate) { p.SetEmail(fmt.Sprint(name, round, "@clinic.example")) })
				require.NoError(t, c.send(t, clerk, old.ID))
				records = append(records, old.ID)
				code := c.codeIn(t, old.Email)
				all.Go(func() {
					_, err := c.LinkPatientAccount(access.WithHolder(ctx), identity.LinkPatientAccountInput{Code: code})
					assert.NoError(t, err)
				})
			}
			all.Wait()
			left, err := c.db.Client.Patient.Query().Where(entpatient.IDIn(records...)).All(testkit.System(t))
			require.NoError(t, err)
			require.Len(t, left, 1)
			assert.Equal(t, &u.ID, left[0].UserID)
		}
	}, func(c *identity.Config) { c.VerificationsPerMinute = 1000 })
}

// Once three codes an hour have gone to an address, proving it mails no more.
func TestVerifyEmailOffersNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		clerk, old := c.clerk(t), c.paper(t)
		for range 3 {
			require.NoError(t, c.send(t, clerk, old.ID))
		}
		newest := ""
		for _, m := range c.mails.take() {
			newest = linkCode.FindString(m.Body)
		}
		_, err := c.RegisterPatient(from(t, home), registration(func(in *identity.RegisterPatientInput) { in.Email = old.Email }))
		require.NoError(t, err)
		_, err = c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: tokenIn(c.mails.take()[0])})
		require.NoError(t, err)
		assert.Empty(t, c.mails.take())
		u := c.account(t, strings.ToLower(old.Email))
		result, err := c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: registration().Password})
		require.NoError(t, err)
		_, err = c.link(t, result.Token, newest)
		require.NoError(t, err, "the last one that was mailed stays good")
	})
}

// Staff have no record to join: proving their address mails no code for a record that has it.
func TestVerifyEmailOffersStaffNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		old := c.paper(t)
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		u := testkit.User(t, c.db, access.Nurse)
		_, err := c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: &old.Email})
		require.NoError(t, err)
		_, err = c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: tokenIn(c.mails.take()[0])})
		require.NoError(t, err)
		assert.Empty(t, c.mails.take())
	})
}
