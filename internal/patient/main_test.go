package patient_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func service(t *testing.T, db *store.DB) *patient.Service {
	t.Helper()
	zone, err := civil.LoadZone(testkit.Zone)
	require.NoError(t, err)
	return patient.New(patient.Config{DB: db, IdentifierMode: identifier.Strict, PracticeZone: zone})
}

// input is a record that is accepted.
func input(change ...func(in *patient.CreatePatientInput)) patient.CreatePatientInput {
	in := patient.CreatePatientInput{GivenName: "Noor", FamilyName: "Fairweather", BirthDate: &birth}
	for _, f := range change {
		f(&in)
	}
	return in
}

var birth = civil.Date{Year: 1984, Month: time.May, Day: 17}

func ptr[T any](v T) *T { return &v }

// requireCodes checks which fields were refused and why: all of them, in order.
func requireCodes(t *testing.T, err error, want ...[2]string) {
	t.Helper()
	list, known := fault.All(err)
	require.True(t, known, "%v", err)
	var got [][2]string
	for _, f := range list {
		require.Len(t, f.Field, 1, "%v", f)
		got = append(got, [2]string{f.Field[0], string(f.Code)})
	}
	assert.Equal(t, want, got)
}

var editors = []access.Role{access.Admin, access.Scheduler, access.Nurse, access.Doctor}

// others may see records, but make and change none.
var others = []access.Role{access.Biller, access.Clinician, access.Supervisor}

var errAny = errors.New("any")
