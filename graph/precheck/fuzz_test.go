package precheck

import "testing"

// Rule 1: no text makes the checks panic, and what they take is bounded by the text.
func FuzzDocument(f *testing.F) {
	for _, query := range hostile() {
		if len(query) < 4<<10 {
			f.Add(query)
		}
	}
	c := New(clinic, Limits{})
	f.Fuzz(func(t *testing.T, query string) {
		if _, steps := c.judge(query); steps > 3*len(query)+10*c.limits.Selections {
			t.Errorf("%d steps for %d bytes", steps, len(query))
		}
		serve(c, query)
	})
}
