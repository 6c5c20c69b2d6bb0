package booking

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/order"
)

// tables are the tables of transitions as docs/booking.md shows them.
func tables() string {
	var b strings.Builder
	b.WriteString("| from | what | by | when | to | orders |\n|---|---|---|---|---|---|\n")
	for _, t := range Transitions {
		to := string(t.To)
		if t.To == t.From {
			to = "stays"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", cmp.Or(string(t.From), "-"), t.Action, t.By, t.When, to, t.Orders)
	}
	b.WriteString("\n| an order that is | may become |\n|---|---|\n")
	for _, from := range []order.Status{order.StatusPENDING, order.StatusFAILED, order.StatusEXPIRED, order.StatusPAID, order.StatusCOMPLETED, order.StatusREFUNDED} {
		var to []string
		for _, s := range orderSteps[from] {
			to = append(to, string(s))
		}
		slices.Sort(to)
		fmt.Fprintf(&b, "| %s | %s |\n", from, cmp.Or(strings.Join(to, ", "), "nothing else"))
	}
	return b.String()
}

// The documentation shows the tables that the code follows.
func TestDocs_ShowTheTables(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/booking.md")
	require.NoError(t, err)
	require.Contains(t, string(page), tables(), "the tables of docs/booking.md are not these:\n%s", tables())
}
