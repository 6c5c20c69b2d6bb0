package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestPage_ShowsWhatIsToBePaid(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		body := k.view(c.Ref)
		for _, text := range []string{
			"no real money", "Bayside Clinic", "Visit on 16 January", "A$80.00", "15 minutes", "15 January 2025, 10:15\u00a0AEST (00:15\u00a0UTC)",
			`value="pay"`, `value="decline"`, `value="cancel"`,
		} {
			require.Contains(t, body, text)
		}
		require.Empty(t, k.delivered())
	})
}

func TestPay_TellsOfThePayment(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		require.Contains(t, k.click(c.Ref, "pay"), "Payment received")
		require.Equal(t, sandboxcheckout.StatusPAID, k.row(c.Ref).Status)
		events := k.delivered()
		require.Equal(t, []payment.EventType{payment.CheckoutCompleted}, types(events))
		require.Equal(t, "evt_"+c.Ref+"_paid", events[0].ID)

		// Nothing leads away from paid, and nothing is told twice.
		for _, action := range []string{"pay", "decline", "cancel"} {
			require.Contains(t, k.click(c.Ref, action), "Payment received")
		}
		require.Empty(t, k.delivered())
	})
}

func TestPay_OfManyClicksOneCounts(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k, other := newKit(t, db, clk), newKit(t, db, clk)
		_, c := k.open()
		var g errgroup.Group
		for i := range 200 {
			g.Go(func() error {
				instance := []*kit{k, other}[i%2]
				answer, _ := instance.do(http.MethodPost, "/sandbox/checkout/"+c.Ref, url.Values{"action": {[]string{"pay", "cancel"}[i/2%2]}}, nil)
				if answer.StatusCode != http.StatusSeeOther {
					t.Errorf("status %d", answer.StatusCode)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		events := append(k.delivered(), other.delivered()...)
		require.Len(t, events, 1)
		require.Equal(t, k.row(c.Ref).Status == sandboxcheckout.StatusPAID, events[0].Type == payment.CheckoutCompleted)
	})
}

func TestPay_ThatCouldNotBeToldIsToldOnTheNextView(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		k.answers(http.StatusServiceUnavailable)
		body := k.click(c.Ref, "pay")
		require.Contains(t, body, "Payment received")
		require.Contains(t, body, "has not confirmed this yet")
		untold := k.delivered()
		require.Len(t, untold, 2, "the click and the view")

		k.answers(http.StatusOK)
		require.NotContains(t, k.view(c.Ref), "has not confirmed this yet")
		again := k.delivered()
		require.Len(t, again, 1)
		require.Equal(t, untold[0], again[0])
		k.view(c.Ref)
		require.Empty(t, k.delivered())

		// An instance that does not know of it tells it again, under the same id.
		restarted := newKit(t, db, clk)
		restarted.view(c.Ref)
		require.Equal(t, again, restarted.delivered())
	})
}

func TestDecline_LeavesTheCheckoutOpen(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		orderID, c := k.open()
		require.Contains(t, k.click(c.Ref, "decline"), "The payment was declined.")
		require.Contains(t, k.click(c.Ref, "decline"), "Try again: pay A$80.00")
		require.Equal(t, sandboxcheckout.StatusOPEN, k.row(c.Ref).Status)
		events := k.delivered()
		require.Equal(t, []payment.EventType{payment.PaymentFailed, payment.PaymentFailed}, types(events))
		require.NotEqual(t, events[0].ID, events[1].ID, "each decline is an effect")
		require.Equal(t, orderID, events[0].OrderID)
		require.False(t, events[0].IsPaid)

		require.Contains(t, k.click(c.Ref, "pay"), "Payment received")
		require.Equal(t, []payment.EventType{payment.CheckoutCompleted}, types(k.delivered()))
		require.NotContains(t, k.view(c.Ref+"?outcome=declined"), "declined")
	})
}

func TestCancel_ClosesTheCheckout(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		require.Contains(t, k.click(c.Ref, "cancel"), "Payment cancelled")
		require.Contains(t, k.click(c.Ref, "pay"), "Payment cancelled")
		require.Equal(t, sandboxcheckout.StatusCANCELLED, k.row(c.Ref).Status)
		require.Equal(t, []payment.EventType{payment.CheckoutExpired}, types(k.delivered()))
	})
}

func TestExpiry_IsAtExactlyTheDeadline(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, early := k.open()
		_, late := k.open()
		clk.Advance(15*time.Minute - time.Microsecond)
		require.Contains(t, k.view(late.Ref), "less than a minute")
		require.Contains(t, k.click(early.Ref, "pay"), "Payment received")
		k.delivered()

		clk.Advance(time.Microsecond)
		for _, action := range []string{"pay", "decline", "cancel"} {
			body := k.click(late.Ref, action)
			require.Contains(t, body, "Payment expired")
			require.NotContains(t, body, "<form")
		}
		require.Equal(t, sandboxcheckout.StatusOPEN, k.row(late.Ref).Status, "by the clock alone")
		require.Empty(t, k.delivered())
	})
}

func TestPage_IsStrict(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open(func(r *payment.CheckoutRequest) { r.Description = `<script>alert("x")</script> & 'more'` })
		answer, body := k.do(http.MethodGet, "/sandbox/checkout/"+c.Ref, nil, nil)
		require.Equal(t, "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			answer.Header.Get("Content-Security-Policy"))
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		require.Equal(t, "same-origin", answer.Header.Get("Referrer-Policy"))
		require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "text/html; charset=utf-8", answer.Header.Get("Content-Type"))
		for _, inline := range []string{"<script>", "<style", " style=", "javascript:", " onclick", " onload", "http://", "https://"} {
			require.NotContains(t, body, inline)
		}
		require.Contains(t, body, `&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; &#39;more&#39;`)

		require.Equal(t, 1, strings.Count(body, "<script"))
		require.Contains(t, body, `<script src="../countdown.js" defer></script>`)
		require.Contains(t, body, `data-seconds-left="900"`)
		answer, script := k.do(http.MethodGet, "/sandbox/countdown.js", nil, nil)
		require.Equal(t, "text/javascript; charset=utf-8", answer.Header.Get("Content-Type"))
		require.Contains(t, script, "secondsLeft")

		_, href, _ := strings.Cut(body, `<link rel="stylesheet" href="..`)
		href, _, _ = strings.Cut(href, `"`)
		answer, _ = k.do(http.MethodGet, "/sandbox"+href, nil, nil)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Equal(t, "text/css; charset=utf-8", answer.Header.Get("Content-Type"))
	})
}

func TestPage_RefusesFormsOfOtherSites(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		pay := url.Values{"action": {"pay"}}
		for _, header := range []http.Header{
			{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}},
			{"Origin": {"https://elsewhere.example"}}, {"Origin": {"null"}},
		} {
			answer, body := k.do(http.MethodPost, "/sandbox/checkout/"+c.Ref, pay, header)
			require.Equal(t, http.StatusForbidden, answer.StatusCode, header)
			require.Contains(t, body, "did not come from this page")
		}
		require.Equal(t, sandboxcheckout.StatusOPEN, k.row(c.Ref).Status)

		answer, _ := k.do(http.MethodPost, "/sandbox/checkout/"+c.Ref, pay, http.Header{"Origin": {publicURL}})
		require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	})
}

func TestPage_RefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		path := "/sandbox/checkout/" + c.Ref
		for _, r := range []struct {
			method, path string
			form         url.Values
			want         int
		}{
			{http.MethodGet, "/sandbox/checkout/cs_sandbox_" + strings.Repeat("a", 26), nil, http.StatusNotFound},
			{http.MethodPost, "/sandbox/checkout/cs_sandbox_" + strings.Repeat("a", 26), url.Values{"action": {"pay"}}, http.StatusNotFound},
			{http.MethodGet, "/sandbox/checkout/%00", nil, http.StatusNotFound},
			{http.MethodGet, path + "%27", nil, http.StatusNotFound},
			{http.MethodGet, "/sandbox/other", nil, http.StatusNotFound},
			{http.MethodPost, path, url.Values{"action": {"give"}}, http.StatusBadRequest},
			{http.MethodPost, path, nil, http.StatusBadRequest},
			{http.MethodPost, path, url.Values{"a": {strings.Repeat("x", 5000)}, "action": {"pay"}}, http.StatusBadRequest},
			{http.MethodPost, path + "?action=pay", nil, http.StatusBadRequest},
			{http.MethodDelete, path, nil, http.StatusMethodNotAllowed},
		} {
			answer, _ := k.do(r.method, r.path, r.form, nil)
			require.Equal(t, r.want, answer.StatusCode, "%s %s %v", r.method, r.path, r.form)
		}
		require.Equal(t, sandboxcheckout.StatusOPEN, k.row(c.Ref).Status)
	})
}

func TestPage_SaysWhenTheStoreIsAway(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(testkit.Start)
	k := newKit(t, testkit.Open(t, testkit.SQLite, clk), clk)
	gone, err := store.Open(t.Context(), store.Config{URL: testkit.URL(t, testkit.SQLite)}, clk)
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	_, c := k.open()
	away := newKit(t, gone, clk)
	answer, body := away.do(http.MethodPost, "/sandbox/checkout/"+c.Ref, url.Values{"action": {"pay"}}, nil)
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.Contains(t, body, "Nothing was changed.")
}

func TestDelivery_ComesFromAStranger(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		ctx := access.WithHolder(t.Context())
		access.Become(ctx, &access.Viewer{UserID: uuid.New(), Roles: []access.Role{access.Admin}})
		require.NoError(t, k.ExpireCheckout(ctx, c.Ref))
		require.Len(t, k.delivered(), 1)
		require.Nil(t, access.From(k.ctx), "a webhook carries nobody's rights")
	})
}
