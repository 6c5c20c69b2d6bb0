package app_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// mostToBook is for a booking by staff, which also writes the order, the mail that asks for the payment, the history, the event and the audit.
const mostToBook = int64(40)

// counted serves the program at another address, where the statements of requests are counted.
func counted(t *testing.T, i *instance) (url string, trips *atomic.Int64) {
	t.Helper()
	trips = &atomic.Int64{}
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.Handler().ServeHTTP(w, r.WithContext(store.CountRoundTrips(r.Context(), trips)))
	}))
	t.Cleanup(counting.Close)
	return counting.URL, trips
}

// TestRoundTrips counts the statements that hot paths send to the database, the session's included. The session has been written less than 15 s ago,
// so its extension is not.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			i := serve(t, engine, nil)
			doctor := testkit.Practitioner(t, i.DB)
			var last *ent.Appointment
			for n := range 20 {
				s := testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(time.Duration(n+1)*time.Hour))
				last = testkit.Appointment(t, i.DB, s, testkit.Patient(t, i.DB))
				testkit.Order(t, i.DB, last)
			}
			url, trips := counted(t, i)
			admin := testkit.User(t, i.DB, access.Admin)
			client := testkit.NewClient(t, url).SignIn(t, admin.Email, testkit.Password)
			client.Do(t, `{ viewer { id } }`, nil).NoErrors(t)
			for _, tc := range []struct {
				name, document string
				most           int64
			}{
				{"PointRead", `query($id: ID!) { appointment(id: $id) { id status startsAt patient { givenName } practitioner { name } } }`, 4},
				{"NestedList", `{ appointments(first: 20) { edges { node { id status patient { id givenName } practitioner { id name }
					orders(first: 1) { edges { node { id status amount { amount } } } } } } pageInfo { hasNextPage endCursor } } }`, 5},
				{"VisitsWithAllAround", `{ appointments(first: 20) { edges { node { id status viewerCanCancel viewerCanReschedule intake { note } slot { id status }
					rescheduledFrom { id } rescheduledTo { id } history(first: 5) { edges { node { toStatus } } } patient { id } practitioner { id name }
					orders(first: 1) { edges { node { id } } } } } } }`, 10},
				{"ComputedFieldsInOneBatch", `{ slots(first: 20) { edges { node { id isFree practitioner { nextFreeSlot { id } } } } } }`, 5},
				{"Nodes", `query($id: ID!) { nodes(ids: [$id, $id]) { id } }`, 2},
			} {
				least := int64(math.MaxInt64)
				for try := 0; try < 3 || try < 20 && least > tc.most; try++ { // computed fields that a busy machine gets to late make a batch of their own; a query per row shows every time
					trips.Store(0)
					client.Do(t, tc.document, map[string]any{"id": last.ID}).NoErrors(t)
					least = min(least, trips.Load())
				}
				require.LessOrEqual(t, least, tc.most, tc.name)
				t.Logf("%s: %d round trips", tc.name, least)
			}
			least := int64(math.MaxInt64)
			for n := range 3 {
				s := testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(time.Duration(100+n)*time.Hour))
				trips.Store(0)
				booked := client.Do(t, `mutation($slot: ID!, $patient: ID!) { bookAppointment(input: {slotId: $slot, patientId: $patient}) { appointment { id status } userErrors { code } } }`,
					map[string]any{"slot": s.ID, "patient": last.PatientID}).NoErrors(t)
				require.Zero(t, booked.Len("bookAppointment.userErrors"))
				least = min(least, trips.Load())
			}
			require.LessOrEqual(t, least, mostToBook, "bookAppointment")
			t.Logf("bookAppointment: %d round trips", least)
		})
	}
}
