package app_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatread"
	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/ent/wardrate"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/testkit"
)

// serveDemo starts the program with the invented clinic at an instant.
func serveDemo(t *testing.T, engine string, now time.Time) *instance {
	t.Helper()
	i := serveOn(t, testkit.URL(t, engine), clock.NewFake(now), map[string]string{"ENVIRONMENT": "demo", "ADMISSION_FEE": "150.00"})
	require.NoError(t, i.FillDemo(t.Context()))
	require.Equal(t, now, i.clk.Now(), "the clock is back where it was")
	return i
}

// picker reads the values of a column.
type picker interface {
	Strings(ctx context.Context) ([]string, error)
}

// examples tell where the values of an enum of the API are found.
var examples = map[string]func(*ent.Client) picker{
	"AppointmentStatus": func(c *ent.Client) picker { return c.Appointment.Query().Select("status") },
	"AppointmentIntakeConsultationType": func(c *ent.Client) picker {
		return c.AppointmentIntake.Query().Where(sql.FieldNotNull("consultation_type")).Select("consultation_type")
	},
	"OrderStatus":                     func(c *ent.Client) picker { return c.Order.Query().Select("status") },
	"OrderMethod":                     func(c *ent.Client) picker { return c.Order.Query().Where(order.MethodNotNil()).Select("method") },
	"RefundStatus":                    func(c *ent.Client) picker { return c.Refund.Query().Select("status") },
	"SlotStatus":                      func(c *ent.Client) picker { return c.Slot.Query().Select("status") },
	"SlotType":                        func(c *ent.Client) picker { return c.Slot.Query().Select("type") },
	"QuestionKind":                    func(c *ent.Client) picker { return c.Question.Query().Select("kind") },
	"ChatRoomStatus":                  func(c *ent.Client) picker { return c.ChatRoom.Query().Select("status") },
	"ChatMessageSenderRole":           func(c *ent.Client) picker { return c.ChatMessage.Query().Select("sender_role") },
	"AdmissionStatus":                 func(c *ent.Client) picker { return c.Admission.Query().Select("status") },
	"WalletTransactionKind":           func(c *ent.Client) picker { return c.WalletTransaction.Query().Select("kind") },
	"WalletTransactionCounterAccount": func(c *ent.Client) picker { return c.WalletTransaction.Query().Select("counter_account") },
	"PatientGender":                   func(c *ent.Client) picker { return c.Patient.Query().Select("gender") },
	"PatientType":                     func(c *ent.Client) picker { return c.Patient.Query().Select("type") },
	"PractitionerKind":                func(c *ent.Client) picker { return c.Practitioner.Query().Select("kind") },
}

// TestDemo: the invented clinic has an example of everything that can be shown, and every rule holds in it.
func TestDemo(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			onPostgresIfLong(t, engine)
			t.Parallel()
			i := serveDemo(t, engine, testkit.Start)
			t.Run("HasEachState", func(t *testing.T) { hasEachState(t, i) })
			t.Run("IsLegal", func(t *testing.T) { isLegal(t, i) })
			t.Run("TalksOnBothSides", func(t *testing.T) { talksOnBothSides(t, i) })
			t.Run("LeavesNothingUndone", func(t *testing.T) { leavesNothingUndone(t, i) })
			t.Run("HasRightBooks", func(t *testing.T) { hasRightBooks(t, i) })
			t.Run("IsMadeOnce", func(t *testing.T) { isMadeOnce(t, i) })
			t.Run("SignsInEachRole", func(t *testing.T) { signsInEachRole(t, i) })
		})
	}
}

func hasEachState(t *testing.T, i *instance) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: i.Schema})
	for name, pick := range examples {
		values, err := pick(i.DB.Client).Strings(testkit.System(t))
		require.NoError(t, err, name)
		require.NotNil(t, schema.Types[name], name)
		for _, v := range schema.Types[name].EnumValues {
			assert.Contains(t, values, v.Name, name)
		}
	}
	system := testkit.System(t)
	for what, query := range map[string]interface {
		Exist(ctx context.Context) (bool, error)
	}{
		"a visit that was deleted":           i.DB.Client.Appointment.Query().Where(appointment.DeletedAtNotNil()),
		"a visit by telephone":               i.DB.Client.Appointment.Query().Where(appointment.HasPatientWith(patient.UserIDIsNil())),
		"a part that was paid back":          i.DB.Client.Order.Query().Where(order.StatusEQ(order.StatusCOMPLETED), order.RefundedMinorGT(0)),
		"a leave":                            i.DB.Client.Leave.Query(),
		"an answer":                          i.DB.Client.QuestionAnswer.Query(),
		"a record that was opened":           i.DB.Client.RecordOpening.Query(),
		"a message that was changed":         i.DB.Client.ChatMessageVersion.Query().Where(sql.FieldNotNull("body")),
		"a message that was deleted":         i.DB.Client.ChatMessageVersion.Query().Where(sql.FieldIsNull("body")),
		"a notice that was read":             i.DB.Client.Notification.Query().Where(sql.FieldNotNull("read_at")),
		"a notice that was not":              i.DB.Client.Notification.Query().Where(sql.FieldIsNull("read_at")),
		"a warning of a payment":             i.DB.Client.Notification.Query().Where(sql.FieldEQ("kind", "PAYMENT_WARNING")),
		"a slot that a leave has removed":    i.DB.Client.Slot.Query().Where(sql.FieldEQ("status", "REMOVED")),
		"a run of a job that did something":  i.DB.Client.JobRun.Query().Where(sql.FieldEQ("state", "RAN")),
		"an event of a job in the audit":     i.DB.Client.AuditEvent.Query().Where(auditevent.CauseHasPrefix("job:")),
		"a ward out of use":                  i.DB.Client.Ward.Query().Where(sql.FieldEQ("is_active", false)),
		"a bed out of use":                   i.DB.Client.Bed.Query().Where(sql.FieldEQ("is_active", false)),
		"a bed that was left for another":    i.DB.Client.Stay.Query().Where(stay.ToAtNotNil(), stay.HasAdmissionWith(admission.DischargedAtIsNil())),
		"a rate to come":                     i.DB.Client.WardRate.Query().Where(wardrate.FromDateGT(civil.DateOf(i.clk.Now(), time.UTC).AddDays(1))),
		"a membership that is active":        i.DB.Client.NhiaMembership.Query().Where(sql.FieldIsNull("ended_on")),
		"a membership that has ended":        i.DB.Client.NhiaMembership.Query().Where(sql.FieldNotNull("ended_on")),
		"a wallet below zero":                i.DB.Client.Wallet.Query().Where(wallet.BalanceMinorLT(0)),
		"a wallet that is low":               i.DB.Client.Wallet.Query().Where(wallet.BalanceMinorGTE(0), wallet.BalanceMinorLT(100_00)),
		"a day that was not owed after all":  i.DB.Client.WalletTransaction.Query().Where(sql.FieldEQ("kind", "REVERSAL"), sql.FieldNotNull("charge_date")),
		"a visit that was moved by a doctor": i.DB.Client.Appointment.Query().Where(appointment.RescheduledFromIDNotNil()),
	} {
		exists, err := query.Exist(system)
		require.NoError(t, err, what)
		assert.True(t, exists, what)
	}
}

// isLegal judges every visit with its orders as the exploration of all states does.
func isLegal(t *testing.T, i *instance) {
	visits, err := i.DB.Client.Appointment.Query().WithHistory().All(testkit.System(t))
	require.NoError(t, err)
	require.Greater(t, len(visits), 30)
	for _, a := range visits {
		orders, err := i.DB.Client.Order.Query().Where(order.AppointmentID(a.ID)).All(testkit.System(t))
		require.NoError(t, err)
		var kept []booking.Kept
		for _, o := range orders {
			k := booking.Kept{Status: o.Status, KeptMinor: booking.TakenMinor(o)}
			back, err := i.DB.Client.Refund.Query().Where(refund.OrderID(o.ID)).All(testkit.System(t))
			require.NoError(t, err)
			for _, r := range back {
				k.KeptMinor -= r.AmountMinor
			}
			kept = append(kept, k)
		}
		assert.Empty(t, booking.Illegal(a.Status, kept), "%s %s", a.Status, a.StartsAt)
		last := slices.MaxFunc(a.Edges.History, func(x, y *ent.AppointmentStatusChange) int { return slices.Compare(x.ID[:], y.ID[:]) })
		assert.Equal(t, string(a.Status), last.ToStatus, "the history ends where the visit stands")
		assert.False(t, a.CreatedAt.After(i.clk.Now()), "nothing is from the future")
	}
}

func talksOnBothSides(t *testing.T, i *instance) {
	system := testkit.System(t)
	rooms, err := i.DB.Client.ChatRoom.Query().All(system)
	require.NoError(t, err)
	conversations, read, unread := 0, 0, 0
	for _, r := range rooms {
		said, err := i.DB.Client.ChatMessage.Query().Where(chatmessage.RoomID(r.ID)).Order(chatmessage.ByPosition()).All(system)
		require.NoError(t, err)
		sides := map[chatmessage.SenderRole]bool{}
		for n, m := range said {
			sides[m.SenderRole] = true
			require.EqualValues(t, n+1, m.Position)
		}
		if len(sides) < 2 {
			continue
		}
		conversations++
		for _, last := range []*ent.ChatMessage{said[len(said)-1]} {
			seen, err := i.DB.Client.ChatRead.Query().Where(chatread.RoomID(r.ID), chatread.UserIDNEQ(last.SenderID), chatread.UpToGTE(last.Position)).Exist(system)
			require.NoError(t, err)
			if seen {
				read++
			} else {
				unread++
			}
		}
	}
	require.GreaterOrEqual(t, conversations, 8)
	require.Positive(t, read, "rooms that were read to their end")
	require.Positive(t, unread, "rooms that were not")
}

// hasRightBooks: the ledger is whole and balanced, and nothing more is owed up to today.
func hasRightBooks(t *testing.T, i *instance) {
	system := testkit.System(t)
	found, err := i.Wallets.Verify(system)
	require.NoError(t, err)
	require.Nil(t, found.Fault)
	require.Greater(t, found.Transactions, 60)
	sums, err := i.Wallets.TrialBalance(system)
	require.NoError(t, err)
	require.True(t, sums.IsBalanced)
	zone, err := civil.LoadZone("Australia/Brisbane")
	require.NoError(t, err)
	for d := range 50 {
		result, err := i.Hospital.ChargeDate(system, hospital.ChargeInput{Date: civil.DateOf(i.clk.Now(), zone).AddDays(-d), IsDry: true})
		require.NoError(t, err)
		require.Zero(t, result.Totals.Charged, "%d days ago", d)
	}
}

// leavesNothingUndone: what was to be sent is kept, and no job is overdue but for the present minute.
func leavesNothingUndone(t *testing.T, i *instance) {
	waiting, err := i.DB.Client.Delivery.Query().Where(delivery.StatusEQ(delivery.StatusQUEUED)).Count(testkit.System(t))
	require.NoError(t, err)
	require.Zero(t, waiting)
	list, err := i.Jobs.Statuses(testkit.System(t))
	require.NoError(t, err)
	for _, j := range list {
		if j.LastRun != nil {
			require.NotEqual(t, "FAILED", string(j.LastRun.State), j.Name)
		}
	}
}

func isMadeOnce(t *testing.T, i *instance) {
	system := testkit.System(t)
	count := func() int {
		n, err := i.DB.Client.AuditEvent.Query().Count(system)
		require.NoError(t, err)
		return n
	}
	before := count()
	require.NoError(t, i.FillDemo(t.Context()))
	require.Equal(t, before, count())
	set := func(done int64) {
		require.NoError(t, i.DB.WithTx(system, func(ctx context.Context) error {
			return i.DB.Client.Counter.Update().Where(counter.Name("demo")).SetValue(done).Exec(ctx)
		}))
	}
	set(0)
	require.ErrorIs(t, i.FillDemo(t.Context()), demo.ErrUnfinished, "a process was stopped half-way")
	set(1)
}

func signsInEachRole(t *testing.T, i *instance) {
	var roles []access.Role
	for _, account := range demo.Accounts() {
		roles = append(roles, account.Role)
		who := i.client(t).SignIn(t, account.Email, demo.Password).Do(t, `{ viewer { roles email } }`, nil).NoErrors(t)
		require.Equal(t, string(account.Role), who.Text("viewer.roles.0"))
		require.Equal(t, account.Email, who.Text("viewer.email"))
	}
	for _, role := range access.Roles {
		require.Contains(t, roles, role)
	}
}

// TestDemo_AtAnyTime: on weekends, at the ends of days and when clocks change, the same things have happened.
func TestDemo_AtAnyTime(t *testing.T) {
	testkit.Long(t)
	t.Parallel()
	for _, now := range []time.Time{
		time.Date(2025, time.March, 2, 23, 50, 0, 0, time.UTC),      // a Sunday, Monday morning in the clinic
		time.Date(2025, time.April, 5, 15, 59, 59, 0, time.UTC),     // the hour before clocks are set back in Sydney
		time.Date(2025, time.October, 10, 13, 59, 30, 0, time.UTC),  // a Friday, midnight in Brisbane; clocks were set forward days ago
		time.Date(2028, time.February, 29, 0, 0, 0, 1000, time.UTC), // a leap day
	} {
		t.Run(now.Format("2006-01-02T15:04"), func(t *testing.T) {
			t.Parallel()
			i := serveDemo(t, testkit.SQLite, now)
			hasEachState(t, i)
			isLegal(t, i)
		})
	}
}

// TestDemo_FilledByAnother: whose users are there already stays as it is.
func TestDemo_FilledByAnother(t *testing.T) {
	t.Parallel()
	i := serve(t, testkit.SQLite, map[string]string{"ENVIRONMENT": "demo"})
	testkit.User(t, i.DB, access.Admin)
	require.NoError(t, i.FillDemo(t.Context()))
	n, err := i.DB.Client.User.Query().Count(testkit.System(t))
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// TestDemo_WithStripe: the past is paid at the sandbox; a filled database can be served with Stripe.
func TestDemo_WithStripe(t *testing.T) {
	t.Parallel()
	i := serve(t, testkit.SQLite, map[string]string{"ENVIRONMENT": "demo", "STRIPE_SECRET_KEY": "sk_test_nobody", "STRIPE_WEBHOOK_SECRET": "whsec_nobody"})
	require.ErrorContains(t, i.FillDemo(t.Context()), "STRIPE_SECRET_KEY")
	testkit.User(t, i.DB, access.Admin)
	require.NoError(t, i.FillDemo(t.Context()))
}
