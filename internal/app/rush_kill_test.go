package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/process"
)

const (
	rushedSlots   = 80
	rushedCallers = 4 // of each slot: of every other one a scheduler by telephone, who is mostly first, the others patients for themselves
	rushWaves     = 8 // the callers come in waves, so that each kill meets some
	rushKills     = 6
	rushPatience  = 3 * time.Minute
)

const staffBooking = `mutation($slot: ID!, $key: String!, $patient: ID) { bookAppointment(input: {slotId: $slot, idempotencyKey: $key, patientId: $patient}) {
	appointment { id status } userErrors { code } } }`

// caller wants one slot, and asks again with the same key until there is an answer. Who wins as a patient pays.
type caller struct {
	*killedRush
	n       int // also the key
	slot    uuid.UUID
	patient *ent.Patient
	token   string
	byStaff bool
	visit   string // that was answered; empty for who came too late
}

// killedRush is a rush at the real program, which is killed and started again meanwhile.
type killedRush struct {
	servers  []*process.Server
	callers  []*caller
	waves    []chan struct{} // closed when the wave's callers may go
	answered atomic.Int64
	http     *http.Client

	mu   sync.Mutex
	lost []attempt
}

// attempt is one that was not answered.
type attempt struct {
	by           *caller
	sent, failed time.Time
}

// TestBook_KilledInARush kills the program again and again while 320 callers book and pay. Then nothing is half written: every visit has what belongs to it, every
// slot one visit, and who asks again with the same key is given the same visit.
func TestBook_KilledInARush(t *testing.T) {
	testkit.Long(t)
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) { // one after the other: the machine is small
			database := testkit.URL(t, engine)
			db := testkit.OpenURL(t, store.Config{URL: database}, system)
			r := &killedRush{http: &http.Client{Timeout: 15 * time.Second}}
			settings := map[string]string{"PAYMENT_SANDBOX_SECRET": "it stays the same over restarts"}
			for range map[string]int{testkit.SQLite: 1, testkit.Postgres: 2}[engine] {
				r.servers = append(r.servers, process.Start(t, database, settings))
			}
			r.seed(t, db)
			ctx, cancel := context.WithTimeout(t.Context(), rushPatience)
			defer cancel()
			errs := make(chan error, len(r.callers))
			var all sync.WaitGroup
			for _, c := range r.callers {
				all.Go(func() {
					if err := c.run(ctx); err != nil {
						errs <- fmt.Errorf("caller %d: %w", c.n, err)
					}
				})
			}
			var kills []time.Time
			for n, wave := range r.waves {
				answered := r.answered.Load()
				close(wave)
				if n >= rushKills {
					continue
				}
				require.Eventually(t, func() bool { return r.answered.Load() >= answered+3 || len(errs) > 0 }, rushPatience, time.Millisecond)
				kills = append(kills, r.cutPower(t))
			}
			all.Wait()
			close(errs)
			for err := range errs {
				require.NoError(t, err)
			}
			met := 0
			for _, at := range kills {
				if slices.ContainsFunc(r.lost, func(a attempt) bool { return a.sent.Before(at) && a.failed.After(at) }) {
					met++
				}
			}
			require.GreaterOrEqual(t, met, rushKills/2, "kills that met callers on the way")
			r.requireWhole(t, db)
			r.requireSameAgain(t)
		})
	}
}

// cutPower kills all instances and starts them again; it returns the instant of the first kill.
func (r *killedRush) cutPower(t *testing.T) (at time.Time) {
	t.Helper()
	for n, server := range r.servers {
		if killed := server.Kill(); n == 0 {
			at = killed
		}
	}
	for _, server := range r.servers {
		server.Restart(t)
	}
	return at
}

func (r *killedRush) seed(t *testing.T, db *store.DB) {
	t.Helper()
	doctor := testkit.Practitioner(t, db)
	in := testkit.NewClient(t, r.servers[0].URL)
	staff := in.SignIn(t, testkit.User(t, db, access.Scheduler).Email, testkit.Password).Token
	slots := make([]*ent.Slot, rushedSlots)
	for n := range slots {
		slots[n] = testkit.Slot(t, db, doctor, db.Now().Add(24*time.Hour+time.Duration(n)*30*time.Minute))
	}
	for range rushWaves {
		r.waves = append(r.waves, make(chan struct{}))
	}
	for n := range rushedSlots * rushedCallers {
		p := testkit.Patient(t, db)
		c := &caller{killedRush: r, n: n, slot: slots[n/rushedCallers].ID, patient: p, byStaff: n%(2*rushedCallers) == n/rushedCallers%rushedCallers, token: staff}
		if !c.byStaff {
			c.token = in.SignIn(t, p.Email, testkit.Password).Token
		}
		r.callers = append(r.callers, c)
	}
}

func (c *caller) run(ctx context.Context) error {
	<-c.waves[c.n*rushWaves/len(c.callers)]
	defer c.answered.Add(1)
	a, err := c.book(ctx)
	if err != nil {
		return err
	}
	c.visit = a.Text("bookAppointment.appointment.id")
	if c.visit == "" || c.byStaff {
		return nil
	}
	ordered, err := c.insist(ctx, orderOperation, map[string]any{"id": c.visit}, "ORDER_EXISTS")
	if err != nil {
		return err
	}
	return c.pay(ctx, ordered.Text("createOrder.checkoutUrl"))
}

// book asks for the slot until there is an answer.
func (c *caller) book(ctx context.Context) (*answer.Answer, error) {
	vars := map[string]any{"slot": c.slot, "key": fmt.Sprint("key ", c.n)}
	if c.byStaff {
		vars["patient"] = c.patient.ID
	}
	return c.insist(ctx, staffBooking, vars, "SLOT_TAKEN")
}

// insist repeats the operation until it is answered; expected is a refusal that is an answer, too.
func (c *caller) insist(ctx context.Context, query string, vars map[string]any, expected string) (*answer.Answer, error) {
	for n := c.n; ; n++ {
		sent := system.Now()
		a, err := testkit.Post(ctx, c.http, c.servers[n%len(c.servers)].URL, c.token, query, vars)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			c.unanswered(sent)
		case a.Code() == "" || a.Code() == expected:
			return a, nil
		case a.Code() != "UNAVAILABLE" && a.Code() != "TIMEOUT":
			return nil, fmt.Errorf("it was answered with %q: %+v", a.Code(), a)
		}
		pauseBriefly(ctx)
	}
}

// pay clicks on the page, at whichever server is up, until it says that it is done.
func (c *caller) pay(ctx context.Context, checkout string) error {
	page, err := url.Parse(checkout)
	if err != nil || page.Path == "" {
		return fmt.Errorf("the page to pay on is %q: %w", checkout, err)
	}
	for n := c.n; ; n++ {
		sent := system.Now()
		status, err := c.click(ctx, c.servers[n%len(c.servers)].URL+page.Path)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && status == http.StatusOK:
			return nil
		case err == nil && status != http.StatusServiceUnavailable:
			return fmt.Errorf("the page answered with HTTP %d", status)
		case err != nil:
			c.unanswered(sent)
		}
		pauseBriefly(ctx)
	}
}

// unanswered notes an attempt.
func (c *caller) unanswered(sent time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, attempt{c, sent, system.Now()})
}

func (c *caller) click(ctx context.Context, page string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader("action=pay"))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	reply, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = reply.Body.Close() }()
	_, err = io.Copy(io.Discard, reply.Body)
	return reply.StatusCode, err
}

func pauseBriefly(ctx context.Context) {
	timer := time.NewTimer(15 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// requireWhole checks that every slot has one visit, the one that its winner was told of, and every visit what belongs to it.
func (r *killedRush) requireWhole(t *testing.T, db *store.DB) {
	t.Helper()
	told := map[string]*caller{}
	for _, c := range r.callers {
		if c.visit != "" {
			told[c.visit] = c
		}
	}
	require.Len(t, told, rushedSlots)
	rows, err := db.Client.Appointment.Query().WithOrders().WithHistory().WithSlot().All(testkit.System(t))
	require.NoError(t, err)
	require.Len(t, rows, rushedSlots, "nothing else is stored")
	held := map[uuid.UUID]bool{}
	paid, created := 0, map[string]time.Time{}
	for _, a := range rows {
		created[a.ID.String()] = a.CreatedAt
		by := told[a.ID.String()]
		require.NotNil(t, by, "a visit of which nobody was told")
		require.Equal(t, []any{by.slot, by.patient.ID}, []any{a.SlotID, a.PatientID})
		require.False(t, held[a.SlotID], "two visits in one slot")
		held[a.SlotID] = true
		require.Equal(t, []any{a.Edges.Slot.StartsAt.UTC(), a.Edges.Slot.EndsAt.UTC()}, []any{a.StartsAt.UTC(), a.EndsAt.UTC()})
		require.Len(t, a.Edges.Orders, 1, "every visit has its order")
		wanted := map[bool][]any{
			true:  {appointment.StatusPENDING, order.StatusPENDING, 1},
			false: {appointment.StatusBOOKED, order.StatusPAID, 2},
		}[by.byStaff]
		require.Equal(t, wanted, []any{a.Status, a.Edges.Orders[0].Status, len(a.Edges.History)})
		if a.Status == appointment.StatusBOOKED {
			paid++
		}
	}
	require.Equal(t, paid, db.Client.ChatRoom.Query().CountX(testkit.System(t)), "every paid visit has its room, and no other")
	require.Equal(t, paid, db.Client.PaymentEvent.Query().CountX(testkit.System(t)), "every payment is told of once")
	require.Zero(t, db.Client.Refund.Query().CountX(testkit.System(t)), "nobody paid in vain")
	unheard := map[*caller]bool{}
	for _, a := range r.lost {
		if stored := created[a.by.visit]; !stored.IsZero() && stored.Before(a.failed) && stored.After(a.sent) {
			unheard[a.by] = true
		}
	}
	t.Logf("%d visits, %d of them paid, %d attempts without an answer, %d visits stored by one of them", len(rows), paid, len(r.lost), len(unheard))
}

// requireSameAgain repeats every booking that was answered.
func (r *killedRush) requireSameAgain(t *testing.T) {
	t.Helper()
	for _, c := range r.callers {
		if c.visit == "" {
			continue
		}
		again, err := c.book(t.Context())
		require.NoError(t, err)
		require.Equal(t, c.visit, again.Text("bookAppointment.appointment.id"), "the same key gives the same visit")
	}
}
