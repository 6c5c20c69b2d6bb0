package app_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
)

// found are the places of answers from which a reader of the tour takes what stands for a placeholder; the newest answer that has one counts.
var found = map[string][]string{
	"slot id": {"slots.edges.0.node.id", "appointment.practitioner.nextFreeSlot.id"},
	"appointment id": {
		"bookAppointment.appointment.id", "rescheduleAppointment.appointment.id", "appointments.edges.0.node.id",
	},
	"order id":        {"createOrder.order.id", "orders.edges.0.node.id"},
	"question id":     {"questionnaire.0.id"},
	"room id":         {"chatRooms.edges.0.node.id"},
	"message id":      {"sendMessage.message.id"},
	"ward id":         {"wards.edges.0.node.id"},
	"bed id":          {"wards.edges.0.node.beds.edges.1.node.id"},
	"another bed id":  {"wards.edges.0.node.beds.edges.2.node.id"},
	"patient id":      {"patients.edges.0.node.id"},
	"admission id":    {"admitPatient.admission.id"},
	"practitioner id": {"bookAppointment.appointment.practitioner.id", "appointment.practitioner.id"},
}

// inMails are what a reader finds in the newest mail of a kind, at /dev/mail.
var inMails = map[string]struct {
	kind string
	form *regexp.Regexp
}{
	"token from the mail": {"VERIFY_EMAIL", regexp.MustCompile(`token=(\S+)`)},
	"code from the mail":  {"LINK_CODE", regexp.MustCompile(`(?m)^([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})$`)},
}

// silent subscriptions say nothing until something happens.
var silent = []string{"typing"}

var (
	placeholder = regexp.MustCompile(`<([a-z0-9 ]+)>`)
	asWhom      = regexp.MustCompile("^### .*\\(as `([^`]+)`\\)")
)

// tourist follows the README.
type tourist struct {
	t      *testing.T
	i      *instance
	client *testkit.Client
	values map[string]string
	ran    map[string]bool // root fields
}

// onPostgresIfLong leaves PostgreSQL to the long tests, for what takes it many seconds: thousands of steps one after the other, each of which other tests take on
// both engines.
func onPostgresIfLong(t *testing.T, engine string) {
	t.Helper()
	if engine == testkit.Postgres {
		testkit.Long(t)
	}
}

// lateEvening is when the tour begins: the midnight that it shows is near.
var lateEvening = testkit.Start.Add(12*time.Hour + 30*time.Minute)

// TestREADME_Tour: every operation of the README's tour runs in its order against the demo as it stands there, and has no errors.
func TestREADME_Tour(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, tour, isThere := strings.Cut(string(readme), "\n## A tour\n")
	require.True(t, isThere)
	tour, _, _ = strings.Cut(tour, "\n## ")
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			onPostgresIfLong(t, engine)
			t.Parallel()
			i := serveOn(t, testkit.URL(t, engine), clock.NewFake(lateEvening), map[string]string{"ENVIRONMENT": "demo", "STORAGE_URL": "mem://", "ADMISSION_FEE": "150.00"})
			require.NoError(t, i.FillDemo(t.Context()))
			now := i.clk.Now()
			zone, err := civil.LoadZone("Australia/Brisbane")
			require.NoError(t, err)
			today := civil.DateOf(now, zone)
			midnight := civil.StartOfDay(today.AddDays(1), zone)
			reader := &tourist{t: t, i: i, client: i.client(t), ran: map[string]bool{}, values: map[string]string{
				"now": now.Format(time.RFC3339), "in four weeks": now.AddDate(0, 0, 28).Format(time.RFC3339),
				"first date": now.AddDate(0, 0, 35).Format(time.DateOnly), "last date": now.AddDate(0, 0, 49).Format(time.DateOnly),
				"an instant up to 31 days ahead": midnight.Add(24 * time.Minute).Format(time.RFC3339),
				"after midnight":                 midnight.Add(12 * time.Minute).Format(time.RFC3339), "today": today.String(), "next week": today.AddDays(7).String(),
			}}
			reader.follow(tour)
			for _, field := range []string{
				"login", "slots", "bookAppointment", "createOrder", "sendMessage", "chatEvents", "rescheduleAppointment", "cancelAppointment", "orderAudit",
				"completeAppointment", "recordPayment", "refundOrder", "createSlots", "advanceClock", "admitPatient", "bedBoard", "walletActivity", "chargeAdmissions", "verifyLedger", "confirmTotp", "linkPatientAccount",
			} {
				require.True(t, reader.ran[field], "the tour shows %s", field)
			}
		})
	}
}

// follow reads the tour line by line: headings tell who one is, blocks what to do.
func (r *tourist) follow(tour string) {
	r.t.Helper()
	var block *strings.Builder
	for line := range strings.Lines(tour) {
		switch {
		case strings.HasPrefix(line, "```graphql"):
			block = &strings.Builder{}
		case strings.HasPrefix(line, "```") && block != nil:
			for _, operation := range operationsOf(r.t, block.String()) {
				r.run(operation)
			}
			block = nil
		case block != nil:
			block.WriteString(line)
		case asWhom.MatchString(line):
			r.client = r.i.client(r.t).SignIn(r.t, asWhom.FindStringSubmatch(line)[1], demo.Password)
		}
	}
}

// operation is one of a block, as one pastes it.
type operation struct {
	text, root string
	kind       ast.Operation
}

// operationsOf takes a block apart: each operation begins on a line of its own.
func operationsOf(t *testing.T, block string) (list []operation) {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Input: block})
	require.NoError(t, err, block)
	lines := strings.SplitAfter(block, "\n")
	for n, one := range document.Operations {
		end := len(lines)
		if n+1 < len(document.Operations) {
			end = document.Operations[n+1].Position.Line - 1
		}
		field, isField := one.SelectionSet[0].(*ast.Field)
		require.True(t, isField, block)
		list = append(list, operation{strings.Join(lines[one.Position.Line-1:end], ""), field.Name, one.Operation})
	}
	return list
}

func (r *tourist) run(o operation) {
	r.t.Helper()
	text := placeholder.ReplaceAllStringFunc(o.text, func(hole string) string {
		name := strings.Trim(hole, "<>")
		value, isKnown := r.values[name]
		if in, isMailed := inMails[name]; isMailed {
			match := in.form.FindStringSubmatch(mailed(r.t, r.i.DB, in.kind))
			require.Len(r.t, match, 2, in.kind)
			value, isKnown = match[1], true
		}
		require.True(r.t, isKnown, "nothing that was answered before stands for %s in\n%s", hole, o.text)
		return value
	})
	r.ran[o.root] = true
	var got answer.Answer
	if o.kind == ast.Subscription {
		feed := r.client.Socket(r.t).Subscribe(text, nil)
		for _, name := range silent {
			if o.root == name {
				return
			}
		}
		got = *feed.Next()
	} else {
		got = r.client.Do(r.t, text, nil).NoErrors(r.t).Answer
	}
	if token := got.Text("login.accessToken"); token != "" {
		r.client = r.client.WithToken(token)
	}
	if secret := got.Text("enableTotp.secret"); secret != "" {
		code, err := totp.GenerateCode(secret, r.i.clk.Now())
		require.NoError(r.t, err)
		r.values["code of the generator"] = code
	}
	if page := got.Text("createOrder.checkoutUrl"); page != "" {
		pay(r.t, page) // the reader presses the button
	}
	for name, places := range found {
		for _, place := range places {
			if value, isText := got.Get(place).(string); isText {
				r.values[name] = value
			}
		}
	}
}
