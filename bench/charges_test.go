package main

import (
	"strings"
	"testing"
	"time"
)

func TestChargesOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    chargesOptions
		says string
	}{
		"good":     {chargesOptions{admissions: 1000, rounds: 1}, ""},
		"too few":  {chargesOptions{admissions: 999, rounds: 1}, "--admissions"},
		"too many": {chargesOptions{admissions: 1_000_001, rounds: 1}, "--admissions"},
		"no round": {chargesOptions{admissions: 1000}, "--rounds"},
	} {
		err := c.o.check()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The floor's statement is the same on both engines but for their spelling.
func TestSpelled(t *testing.T) {
	t.Parallel()
	for _, isPG := range []bool{true, false} {
		for _, text := range []string{owedBy, insertCharges, moveWallets} {
			if got := spelled(isPG, text); strings.ContainsAny(got, "{}") {
				t.Errorf("a word is left over: %s", got)
			}
		}
	}
	if got := spelled(true, "{date} {text}"); got != "$2::date $2::date::text" {
		t.Error(got)
	}
	if got := spelled(false, "{start} {now}"); got != "?1 ?3" {
		t.Error(got)
	}
}

// Medians stand for the rounds, and the second run is held against the first.
func TestChargedFigures(t *testing.T) {
	t.Parallel()
	total := &charged{
		product: []time.Duration{3 * time.Second, time.Second, 2 * time.Second}, floor: []time.Duration{time.Second, time.Second, 5 * time.Second},
		again: []time.Duration{200 * time.Millisecond, 100 * time.Millisecond, 900 * time.Millisecond},
	}
	figures := total.figures("sqlite", source{})
	if f := figures[0]; f.Name != "charges.run" || f.Value != 2000 || f.Floor != 1000 || f.Ratio != 2 {
		t.Error(f)
	}
	if f := figures[1]; f.Name != "charges.again" || f.Value != 200 || f.Ratio != 0.1 {
		t.Error(f)
	}
}
