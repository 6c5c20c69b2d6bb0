package app_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

const (
	enableOperation = `mutation($password: String!) { enableTotp(input: {password: $password}) { secret uri userErrors { code field } } }`
	confirmAlone    = `mutation($code: String!) { confirmTotp(input: {code: $code}) { recoveryCodes userErrors { code field } } }`
	askReset        = `mutation($email: String!) { requestPasswordReset(input: {email: $email}) { isAccepted userErrors { code ... on Throttled { retryAfter limit } } } }`
	resetOperation  = `mutation($token: String!, $password: String!) { resetPassword(input: {token: $token, newPassword: $password}) { isReset userErrors { code field } } }`
	linkOperation   = `mutation($code: String!) { linkPatientAccount(input: {code: $code}) { patient { id number } userErrors { code field } } }`
	loginOperation  = `mutation($email: String!, $password: String!, $totp: String) { login(input: {email: $email, password: $password, totp: $totp}) {
  accessToken viewer { permissions } userErrors { code message } } }`
)

var (
	mailedToken = regexp.MustCompile(`/reset-password\?token=(\S+)`)
	mailedCode  = regexp.MustCompile(`(?m)^[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}$`)
)

// mailed returns the text of the newest mail of the kind.
func mailed(t *testing.T, db *store.DB, kind string) string {
	t.Helper()
	row, err := db.Client.Delivery.Query().Where(delivery.Kind(kind)).Order(delivery.ByID(entsql.OrderDesc())).First(testkit.System(t))
	require.NoError(t, err)
	return row.Body
}

// A reset at one instance closes the sockets of the user at all others, with 4401 and the reason.
func TestResetPassword_ClosesSocketsElsewhere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		socket := at(t, c.b, c.patient).Socket(t)
		events := socket.Subscribe(`subscription { sessionEvents { __typename ... on SessionEnded { reason } } }`, nil)
		require.Equal(t, "SessionOpened", events.Next().Text("sessionEvents.__typename"))
		bystander := c.doctor.Socket(t)

		asked := c.a.Client(t).Do(t, askReset, map[string]any{"email": c.patientRow.Email}).NoErrors(t)
		require.Equal(t, true, asked.Get("requestPasswordReset.isAccepted"))
		token := mailedToken.FindStringSubmatch(mailed(t, c.a.DB, "RESET_PASSWORD"))[1]
		weak := c.a.Client(t).Do(t, resetOperation, map[string]any{"token": token, "password": "short"})
		require.Equal(t, "WEAK_PASSWORD", weak.Text("resetPassword.userErrors.0.code"))
		c.a.Client(t).Do(t, resetOperation, map[string]any{"token": token, "password": "twelve green ladders"}).NoErrors(t)
		require.Equal(t, unauthorized, socket.Closed())
		told := events.Rest()
		require.Len(t, told, 1)
		require.Equal(t, "PASSWORD_CHANGED", told[0].Text("sessionEvents.reason"))
		require.Equal(t, c.doctorEmail, bystander.Do(`{ viewer { email } }`, nil).Text("viewer.email"), "others stay")
		c.b.Client(t).SignIn(t, c.patientRow.Email, "twelve green ladders")
	})
}

// A flood over a websocket ends the session on all instances, and an administrator sees a notice and the session.
func TestFlood_EndsTheSessionEverywhere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{Settings: map[string]string{"PATIENT_SUSPICIOUS_REQUESTS": "30"}})
		admin := c.a.Client(t).SignIn(t, testkit.User(t, c.a.DB, access.Admin).Email, testkit.Password)
		elsewhere := at(t, c.b, c.patient).Socket(t)
		events := elsewhere.Subscribe(`subscription { sessionEvents { __typename ... on SessionEnded { reason } } }`, nil)
		require.Equal(t, "SessionOpened", events.Next().Text("sessionEvents.__typename"))
		flooder := c.patient.Socket(t)
		for range 29 {
			require.Equal(t, c.patientRow.Email, flooder.Do(`{ viewer { email } }`, nil).Text("viewer.email"))
		}
		over := c.patient.Do(t, `{ viewer { email } }`, nil)
		for n := 0; len(over.Errors) == 0; n++ {
			require.Less(t, n, 10)
			over = c.patient.Do(t, `{ viewer { email } }`, nil)
		}
		require.Equal(t, "SESSION_EXPIRED", over.Errors[0].Code())
		require.Equal(t, unauthorized, flooder.Closed())
		require.Equal(t, unauthorized, elsewhere.Closed())
		told := events.Rest()
		require.Len(t, told, 1)
		require.Equal(t, "SUSPICIOUS", told[0].Text("sessionEvents.reason"))

		seen := admin.Do(t, `{ notifications { edges { node { kind subjectId } } } sessions(state: SUSPICIOUS) { edges { node { id endReason isSuspicious } } } }`, nil).NoErrors(t)
		require.Equal(t, "SESSION_SUSPICIOUS", seen.Text("notifications.edges.0.node.kind"))
		require.Equal(t, seen.Text("notifications.edges.0.node.subjectId"), seen.Text("sessions.edges.0.node.id"))
		require.Equal(t, "SUSPICIOUS", seen.Text("sessions.edges.0.node.endReason"))
		c.a.Client(t).SignIn(t, c.patientRow.Email, testkit.Password)
	})
}

// With REQUIRE_STAFF_TOTP staff without a second factor can set one up and leave, over HTTP and sockets alike, and nothing else; patients go on as ever.
func TestRequireStaffTotp(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := instances.Start(t, engine, 1, instances.Options{Settings: map[string]string{"REQUIRE_STAFF_TOTP": "true"}})[0]
		testkit.Record(t, i.DB)
		for _, role := range access.Roles {
			email := testkit.User(t, i.DB, role).Email
			client := i.Client(t).SignIn(t, email, testkit.Password)
			if role == access.Patient {
				client.Do(t, `{ patients { totalCount } }`, nil).NoErrors(t)
				continue
			}
			socket := client.Socket(t)
			for _, refused := range []string{`{ patients { totalCount } }`, `{ practitioners { totalCount } }`, `{ users { totalCount } }`, `{ notifications { totalCount } }`} {
				require.Equal(t, "TOTP_REQUIRED", client.Do(t, refused, nil).Errors[0].Code(), role)
				require.Equal(t, "TOTP_REQUIRED", socket.Do(refused, nil).Code(), role)
			}
			created := client.Do(t, `mutation { createPatient(input: {givenName: "A", familyName: "B"}) { userErrors { code } } }`, nil)
			require.Equal(t, "TOTP_REQUIRED", created.Text("createPatient.userErrors.0.code"), role)
			own := client.Do(t, `{ viewer { permissions user { email hasTotp } patient { id } } sessionStatus { isExpired } mySessions { totalCount } }`, nil).NoErrors(t)
			require.Equal(t, email, own.Text("viewer.user.email"))
			require.NotContains(t, own.Get("viewer.permissions"), "patients")
			require.Contains(t, own.Get("viewer.permissions"), "enableTotp")

			secret := client.Do(t, enableOperation, map[string]any{"password": testkit.Password}).NoErrors(t).Text("enableTotp.secret")
			code, err := totp.GenerateCode(secret, i.Clock.Now())
			require.NoError(t, err)
			require.Equal(t, 10, client.Do(t, confirmAlone, map[string]any{"code": code}).NoErrors(t).Len("confirmTotp.recoveryCodes"))
			client.Do(t, `{ practitioners { totalCount } notifications { totalCount } }`, nil).NoErrors(t)
			require.Empty(t, socket.Do(`{ notifications { totalCount } }`, nil).Code(), "the open socket too")
			i.Clock.Advance(time.Minute)
			wrong := i.Client(t).Do(t, loginOperation, map[string]any{"email": email, "password": testkit.Password})
			require.Equal(t, "TOTP_REQUIRED", wrong.Text("login.userErrors.0.code"))
		}
	})
}

// A linked record is the patient's at once: in the same document, at the next request and on open sockets of other instances.
func TestLinkPatientAccount_RightsAtOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		clerk := c.a.Client(t).SignIn(t, testkit.User(t, c.a.DB, access.Scheduler).Email, testkit.Password)
		record := testkit.Record(t, c.a.DB, func(p *ent.PatientCreate) { p.SetEmail("paper@clinic.example") })
		room := openRoom(t, c.a, c.doctorRow, record)
		account := testkit.Patient(t, c.a.DB)
		client := c.a.Client(t).SignIn(t, account.Email, testkit.Password)
		socket := at(t, c.b, client).Socket(t)
		require.Equal(t, account.ID.String(), socket.Do(`{ viewer { patient { id } } }`, nil).Text("viewer.patient.id"))

		send := `mutation($id: ID!) { updatePatient(input: {id: $id, sendLinkCode: true}) { patient { id } userErrors { code field } } }`
		refused := client.Do(t, send, map[string]any{"id": account.ID})
		require.Equal(t, "FORBIDDEN", refused.Text("updatePatient.userErrors.0.code"))
		clerk.Do(t, send, map[string]any{"id": record.ID}).NoErrors(t)
		code := mailedCode.FindString(mailed(t, c.a.DB, "LINK_CODE"))
		linked := client.Do(t, linkOperation, map[string]any{"code": code}).NoErrors(t)
		require.Equal(t, record.ID.String(), linked.Text("linkPatientAccount.patient.id"))
		require.Equal(t, record.ID.String(), client.Do(t, `{ viewer { patient { id } } }`, nil).Text("viewer.patient.id"))
		require.Equal(t, record.ID.String(), socket.Do(`{ viewer { patient { id } } }`, nil).Text("viewer.patient.id"))
		require.Equal(t, room, socket.Do(`{ chatRooms { edges { node { id } } } }`, nil).Text("chatRooms.edges.0.node.id"))
	})
}

// The request of a reset costs as many round trips whether or not there is an account, with the outbox and the audit of the program.
func TestRequestPasswordReset_CostsTheSame(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := serve(t, engine, nil)
		known := testkit.User(t, i.DB, access.Patient)
		least := map[string]int64{}
		for _, email := range []string{known.Email, "nobody@clinic.example"} {
			least[email] = 1 << 30
			for range 3 {
				var trips atomic.Int64
				_, err := i.Identity.RequestPasswordReset(store.CountRoundTrips(t.Context(), &trips), identity.RequestPasswordResetInput{Email: email})
				require.NoError(t, err)
				least[email] = min(least[email], trips.Load())
			}
		}
		require.Equal(t, least[known.Email], least["nobody@clinic.example"])
	})
}

// lockedLog is a log that several instances write.
type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// No password, token, code or secret of the whole life of an account stands in the log, in the audit, or in what errors say.
func TestSecretsStayOutOfLogAndAudit(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		log := &lockedLog{}
		i := instances.Start(t, engine, 1, instances.Options{Log: log, Settings: map[string]string{"LOG_LEVEL": "debug"}})[0]
		p := testkit.Patient(t, i.DB)
		email := p.Email
		client := i.Client(t).SignIn(t, email, testkit.Password)
		secrets := []string{testkit.Password, client.Token}
		answers := ""
		do := func(c *testkit.Client, query string, vars map[string]any) *testkit.Response {
			r := c.Do(t, query, vars)
			answers += fmt.Sprint(r.Errors, r.Get("login.userErrors"), r.Get("resetPassword.userErrors"), r.Get("confirmTotp.userErrors"), r.Get("linkPatientAccount.userErrors"))
			return r
		}
		made := do(client, enableOperation, map[string]any{"password": testkit.Password})
		secret := made.Text("enableTotp.secret")
		code, err := totp.GenerateCode(secret, i.Clock.Now())
		require.NoError(t, err)
		confirmed := do(client, confirmAlone, map[string]any{"code": code}).NoErrors(t)
		secrets = append(secrets, secret, confirmed.Text("confirmTotp.recoveryCodes.0"), confirmed.Text("confirmTotp.recoveryCodes.9"))
		do(client, loginOperation, map[string]any{"email": email, "password": "a wrong password " + secret, "totp": secrets[2]})
		do(client, loginOperation, map[string]any{"email": email, "password": testkit.Password, "totp": confirmed.Text("confirmTotp.recoveryCodes.0")}).NoErrors(t)

		do(client, askReset, map[string]any{"email": email}).NoErrors(t)
		token := mailedToken.FindStringSubmatch(mailed(t, i.DB, "RESET_PASSWORD"))[1]
		record := testkit.Record(t, i.DB, func(p *ent.PatientCreate) { p.SetEmail("paper@clinic.example") })
		clerk := i.Client(t).SignIn(t, testkit.User(t, i.DB, access.Scheduler).Email, testkit.Password)
		do(clerk, `mutation($id: ID!) { updatePatient(input: {id: $id, sendLinkCode: true}) { userErrors { code } } }`, map[string]any{"id": record.ID}).NoErrors(t)
		link := mailedCode.FindString(mailed(t, i.DB, "LINK_CODE"))
		secrets = append(secrets, token, link, strings.ReplaceAll(link, "-", ""))
		do(client, linkOperation, map[string]any{"code": link + "X"})
		do(client, linkOperation, map[string]any{"code": link}).NoErrors(t)
		do(client, resetOperation, map[string]any{"token": token, "password": "short"})
		do(client, resetOperation, map[string]any{"token": token, "password": "twelve green ladders"}).NoErrors(t)
		do(client, resetOperation, map[string]any{"token": token, "password": "twelve green ladders"})
		secrets = append(secrets, "twelve green ladders")

		require.NoError(t, i.Audit.Flush(t.Context()))
		everything := map[string]string{"log": log.String(), "audit": auditText(t, i.DB), "answers": answers}
		for name, text := range everything {
			require.NotEmpty(t, text, name)
			for n, secret := range secrets {
				require.NotContains(t, text, secret, "secret %d in the %s", n, name)
			}
		}
		require.Contains(t, everything["audit"], "sealed", "the audit tells of the factor")
	})
}

// auditText is every column of every row of the audit.
func auditText(t *testing.T, db *store.DB) string {
	t.Helper()
	var all strings.Builder
	query := db.Build().Select(auditevent.Columns...).From(entsql.Table(auditevent.Table))
	require.NoError(t, db.Query(testkit.System(t), "test", query, func(row *entsql.Rows) error {
		values, refs := make([]entsql.NullString, len(auditevent.Columns)), make([]any, len(auditevent.Columns))
		for i := range values {
			refs[i] = &values[i]
		}
		err := row.Scan(refs...)
		for _, v := range values {
			all.WriteString(v.String + "\n")
		}
		return err
	}))
	return all.String()
}
