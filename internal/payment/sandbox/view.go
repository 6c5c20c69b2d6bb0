package sandbox

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/bojanz/currency"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/payment/page"
)

var (
	//go:embed page.html
	pageText string
	document = template.Must(template.New("page").Parse(pageText))

	//go:embed countdown.js
	countdown []byte

	styleHref = "../style.css" + page.StyleQuery // relative to the page
	scriptSrc = "../countdown.js"
)

// What a page can be about.
const (
	stateOpen        = "open"
	statePaid        = "paid"
	stateRefunded    = "refunded"
	stateCancelled   = "cancelled"
	stateExpired     = "expired"
	stateUnknown     = "unknown"
	stateRefused     = "refused"
	stateUnavailable = "unavailable"
)

// view is what the page shows.
type view struct {
	State       string
	StyleHref   string
	Practice    string
	Description string
	Amount      string
	Refunded    string // empty when nothing was paid back
	ScriptSrc   string
	Left        string // time to pay, in words
	SecondsLeft int    // the same for the script that counts down; the text stands where it does not run
	Until       string // the same as times of day
	UntilUTC    string // for machines
	IsDeclined  bool   // the last attempt was
	IsUntold    bool   // Caregraph has not accepted yet what happened
}

// stateOf tells what the page is about; an open checkout expires by the clock alone.
func (p *Provider) stateOf(row *ent.SandboxCheckout) string {
	switch {
	case row.Status == sandboxcheckout.StatusPAID && row.RefundedMinor > 0:
		return stateRefunded
	case row.Status == sandboxcheckout.StatusPAID:
		return statePaid
	case row.Status == sandboxcheckout.StatusCANCELLED:
		return stateCancelled
	case row.Status == sandboxcheckout.StatusOPEN && p.db.Now().Before(row.ExpiresAt):
		return stateOpen
	default:
		return stateExpired
	}
}

func (p *Provider) viewOf(row *ent.SandboxCheckout) view {
	v := view{
		State: p.stateOf(row), Description: row.Description, Amount: display(row.AmountMinor, row.Currency),
		SecondsLeft: max(1, int(row.ExpiresAt.Sub(p.db.Now()).Round(time.Second)/time.Second)),
		Left:        inWords(row.ExpiresAt.Sub(p.db.Now())), Until: inZones(row.ExpiresAt, p.zone), UntilUTC: row.ExpiresAt.Format(time.RFC3339),
	}
	if row.RefundedMinor > 0 {
		v.Refunded = display(row.RefundedMinor, row.Currency)
	}
	return v
}

// render answers with the page; a broken one would be a broken build, so half a page never leaves.
func (p *Provider) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.StyleHref, v.ScriptSrc, v.Practice = styleHref, scriptSrc, p.practice
	var body bytes.Buffer
	if err := document.Execute(&body, v); err != nil {
		p.log.ErrorContext(r.Context(), "the sandbox's page cannot be written", slog.Any("error", err))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

func serveScript(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(countdown))
}

// display writes an amount for people: A$80.00. The currency was checked when the checkout was opened.
func display(minor int64, currencyCode string) string {
	amount, err := currency.NewAmountFromInt64(minor, currencyCode)
	if err != nil {
		return fmt.Sprint(minor, " ", currencyCode)
	}
	return currency.NewFormatter(currency.NewLocale("en")).Format(amount)
}

// inWords tells how much time is left, rather less than more.
func inWords(d time.Duration) string {
	minutes := int(d / time.Minute)
	switch hours := minutes / 60; {
	case minutes < 1:
		return "less than a minute"
	case hours < 1:
		return plural(minutes, "minute")
	case hours >= 48:
		return plural(hours/24, "day")
	case minutes%60 == 0:
		return plural(hours, "hour")
	default:
		return plural(hours, "hour") + " " + plural(minutes%60, "minute")
	}
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprint(n, " ", unit, "s")
}

// inZones writes an instant as it is in the practice, and in UTC, with its date there when that is another one.
func inZones(t time.Time, zone *time.Location) string {
	local, utc := t.In(zone), t.UTC()
	text := local.Format("2 January 2006, 15:04\u00a0MST") // a time and its zone stay on one line
	switch {
	case local.Format("MST") == "UTC":
		return text
	case local.YearDay() == utc.YearDay():
		return text + utc.Format(" (15:04\u00a0UTC)")
	default:
		return text + utc.Format(" (2 January, 15:04\u00a0UTC)")
	}
}
