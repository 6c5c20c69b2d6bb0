package testkit_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// TestMain also tells a person at a terminal what takes part: go test keeps to itself what passing packages print.
func TestMain(m *testing.M) {
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		_, _ = fmt.Fprintln(tty, testkit.Summary())
		_ = tty.Close()
	}
	testkit.Main(m)
}

// Every factory makes a row that the schema takes, and databases of two tests do not meet.
func TestFactories(t *testing.T) {
	t.Parallel()
	for range 2 {
		testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
			p := testkit.Patient(t, db)
			d := testkit.Practitioner(t, db)
			s := testkit.Slot(t, db, d, clk.Now().Add(24*time.Hour))
			a := testkit.Appointment(t, db, s, p)
			testkit.Intake(t, db, a)
			testkit.Order(t, db, a)

			found, err := db.Client.Appointment.Query().WithPatient().WithIntake().WithOrders().All(testkit.System(t))
			require.NoError(t, err)
			require.Len(t, found, 1)
			assert.Equal(t, p.ID, found[0].Edges.Patient.ID)
			assert.Equal(t, testkit.Start, found[0].CreatedAt)

			mine, err := db.Client.Appointment.Query().All(testkit.As(t, p))
			require.NoError(t, err)
			assert.Len(t, mine, 1)
			others, err := db.Client.Appointment.Query().All(testkit.As(t, testkit.Patient(t, db)))
			require.NoError(t, err)
			assert.Empty(t, others)
		})
	}
}

func TestViewer(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		d := testkit.Practitioner(t, db)
		v := testkit.Viewer(d, access.Supervisor)
		assert.Equal(t, []access.Role{access.Supervisor}, v.Roles)
		assert.Equal(t, d.ID, v.PractitionerID)
		assert.Equal(t, d.UserID, v.UserID)
	})
}
