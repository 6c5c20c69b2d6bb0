package identity_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

var nextYear = civil.Date{Year: 2026, Month: time.June, Day: 30}

func (c *clinic) credentials(t *testing.T, p *ent.Practitioner) *ent.PractitionerCredential {
	t.Helper()
	row, err := p.QueryCredentials().Only(testkit.System(t))
	require.NoError(t, err)
	return row
}

func TestUpdatePractitionerProfile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		p := testkit.Practitioner(t, c.db)
		own := testkit.As(t, p)
		changed, err := c.UpdatePractitionerProfile(own, identity.UpdatePractitionerProfileInput{
			Name: ptr(" Dr Ada Okafor "), Qualification: ptr("MBBS"), TimeZone: ptr("Australia/Perth"), AhpraNumber: ptr("med 0001234567"), AhpraExpiresOn: &nextYear,
			PrescriberNumber: ptr("0848402"), ProviderNumber: ptr("988939-bj"), HpiI: ptr("8003 6115 6666 6701"), ExpectedVersion: ptr(1),
		})
		require.NoError(t, err)
		assert.Equal(t, p.ID, changed.ID)
		assert.Equal(t, "Dr Ada Okafor", changed.Name)
		assert.Equal(t, "General practice", changed.Specialty, "what is left out stays")
		assert.Equal(t, "MBBS", changed.Qualification)
		assert.Equal(t, "Australia/Perth", changed.TimeZone)
		assert.Equal(t, 2, changed.Version)
		numbers := c.credentials(t, changed)
		assert.Equal(t, "MED0001234567", numbers.AhpraNumber)
		assert.Equal(t, &nextYear, numbers.AhpraExpiresOn)
		assert.Equal(t, "0848402", numbers.PrescriberNumber)
		assert.Equal(t, "988939BJ", numbers.ProviderNumber)
		assert.Equal(t, "8003611566666701", numbers.HpiI)

		changed, err = c.UpdatePractitionerProfile(own, identity.UpdatePractitionerProfileInput{PractitionerID: &p.ID, Specialty: ptr(""), PrescriberNumber: ptr("")})
		require.NoError(t, err)
		assert.Empty(t, changed.Specialty, "an empty string clears")
		assert.Empty(t, c.credentials(t, changed).PrescriberNumber)
		assert.Equal(t, 3, changed.Version)

		present, err := c.UpdatePractitionerProfile(own, identity.UpdatePractitionerProfileInput{HpiI: ptr(""), ExpectedVersion: ptr(2)})
		require.ErrorIs(t, err, fault.ErrConflict)
		assert.Equal(t, 3, present.Version, "the present profile comes with the conflict")
		assert.Equal(t, "8003611566666701", c.credentials(t, present).HpiI)
	})
}

func TestUpdatePractitionerProfileChecksAllFieldsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.UpdatePractitionerProfile(testkit.As(t, testkit.Practitioner(t, c.db)), identity.UpdatePractitionerProfileInput{
			Name: ptr(" "), Specialty: ptr("a\nb"), TimeZone: ptr(""), AhpraNumber: ptr("MED1"), PrescriberNumber: ptr("2345678"), ProviderNumber: ptr("988939BK"), HpiI: ptr("8003608166690503"),
		})
		assert.Equal(t, []string{
			"name INVALID_INPUT", "specialty INVALID_INPUT", "timeZone UNKNOWN_TIME_ZONE", "ahpraNumber INVALID_IDENTIFIER", "prescriberNumber INVALID_IDENTIFIER",
			"providerNumber INVALID_IDENTIFIER", "hpiI INVALID_IDENTIFIER",
		}, fieldsOf(t, err))
	})
}

// One's own profile, any for administrators; the Schedule 8 authority is theirs alone to give.
func TestUpdatePractitionerProfileByRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		p, other := testkit.Practitioner(t, c.db), testkit.Practitioner(t, c.db)
		rename := identity.UpdatePractitionerProfileInput{PractitionerID: &p.ID, Name: ptr("Dr Else")}
		authority := identity.UpdatePractitionerProfileInput{PractitionerID: &p.ID, HasSchedule8Authority: ptr(true), Schedule8ExpiresOn: &nextYear}

		_, err := c.UpdatePractitionerProfile(testkit.As(t, other), rename)
		requireFault(t, err, "NOT_FOUND", "practitionerId")
		_, err = c.UpdatePractitionerProfile(testkit.As(t, p), authority)
		assert.Equal(t, []string{"hasSchedule8Authority FORBIDDEN", "schedule8ExpiresOn FORBIDDEN"}, fieldsOf(t, err))
		assert.False(t, c.credentials(t, p).HasSchedule8Authority)
		_, err = c.UpdatePractitionerProfile(from(t, home), rename)
		assert.ErrorIs(t, err, fault.ErrUnauthenticated)
		for _, role := range access.Roles {
			ctx := testkit.As(t, testkit.User(t, c.db, role))
			_, err = c.UpdatePractitionerProfile(ctx, identity.UpdatePractitionerProfileInput{Name: ptr("Me")})
			requireFault(t, err, "NOT_FOUND", "practitionerId")
			_, err = c.UpdatePractitionerProfile(ctx, rename)
			if role == access.Admin {
				require.NoError(t, err)
				_, err = c.UpdatePractitionerProfile(ctx, authority)
				require.NoError(t, err)
				assert.True(t, c.credentials(t, p).HasSchedule8Authority)
				assert.Equal(t, &nextYear, c.credentials(t, p).Schedule8ExpiresOn)
				_, err = c.UpdatePractitionerProfile(ctx, identity.UpdatePractitionerProfileInput{PractitionerID: ptr(uuid.New())})
			}
			requireFault(t, err, "NOT_FOUND", "practitionerId")
		}
		doctorAndAdmin := testkit.As(t, other, access.Doctor, access.Admin)
		_, err = c.UpdatePractitionerProfile(doctorAndAdmin, identity.UpdatePractitionerProfileInput{HasSchedule8Authority: ptr(true)})
		require.NoError(t, err, "rights add up")
	})
}
