package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIsWorse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		unit            string
		ratio, recorded float64
		want            bool
	}{
		"fewer requests, within the tolerance": {perSecond, 0.40, 0.50, false},
		"fewer requests, beyond it":            {perSecond, 0.38, 0.50, true},
		"more requests":                        {perSecond, 0.90, 0.50, false},
		"fewer deliveries, beyond it":          {deliveriesPerSecond, 0.38, 0.50, true},
		"more deliveries":                      {deliveriesPerSecond, 0.90, 0.50, false},
		"slower, within the tolerance":         {"ms", 2.5, 2, false},
		"slower, beyond it":                    {"ms", 2.7, 2, true},
		"faster":                               {"ms", 1, 2, false},
	} {
		if got := (figure{Unit: test.unit, Ratio: test.ratio}).isWorse(test.recorded); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func recordedIn(t *testing.T, text string) map[recordedKey]float64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rows, err := readRecorded(path)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestReportFailsOnlyForRecordedRatiosThatGotWorse(t *testing.T) {
	t.Parallel()
	recorded := recordedIn(t, "# Text\n\n| query.new | sqlite | 7 |\n\n## Recorded ratios\n\n| name | engine | ratio |\n|---|---|---|\n| query.point.rate | sqlite | 0.5 |\n| a | table of people | with text |\n")
	src := source{commit: "abc", goVersion: "go1"}
	for name, test := range map[string]struct {
		figure figure
		fails  bool
	}{
		"worse":               {src.figure("query.point.rate", "sqlite", perSecond, 300, 1000), true},
		"as good":             {src.figure("query.point.rate", "sqlite", perSecond, 500, 1000), false},
		"of another engine":   {src.figure("query.point.rate", "postgres", perSecond, 300, 1000), false},
		"without a floor yet": {src.figure("query.none", "sqlite", "ms", 3, 0), false},
		"above the heading":   {src.figure("query.new", "sqlite", "ms", 900, 10), false},
	} {
		var out strings.Builder
		err := report(&out, []figure{test.figure}, recorded)
		if (err != nil) != test.fails {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(out.String(), `{"name":"`+test.figure.Name+`","engine":"`+test.figure.Engine+`","figure":`) {
			t.Errorf("%s: no JSON line in %s", name, out.String())
		}
	}
}

func TestReportNamesAPeerAsOne(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := report(&out, []figure{source{commit: "abc"}.besidePeer("chat.rate", "sqlite", deliveriesPerSecond, 20, 40)}, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"figure":20,"unit":"deliveries/s","peer":40,"ratio":0.5,`) {
		t.Errorf("%s", out.String())
	}
}

func TestReadRecordedNamesTheMissingFile(t *testing.T) {
	t.Parallel()
	if _, err := readRecorded(filepath.Join(t.TempDir(), "no.md")); err == nil || !strings.Contains(err.Error(), "no.md") {
		t.Errorf("%v", err)
	}
}

func TestParseProc(t *testing.T) {
	t.Parallel()
	cpu, err := parseCPU("7 (a name) with) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0")
	if err != nil || cpu.Milliseconds() != 2000 {
		t.Errorf("cpu %s, %v", cpu, err)
	}
	if _, err := parseCPU("7 (x) S"); err == nil {
		t.Error("a short line was read")
	}
	m, err := parseMemory("Name:\tx\nVmRSS:\t   20480 kB\nRssAnon:\t    5120 kB\nThreads:\t7\n")
	if err != nil || m.resident != 20 || m.own != 5 {
		t.Errorf("memory %v, %v", m, err)
	}
	if _, err := parseMemory("Name:\tzombie\n"); err == nil {
		t.Error("no VmRSS was no error")
	}
}

func TestDescribeLoad(t *testing.T) {
	t.Parallel()
	for loadavg, isBusy := range map[string]bool{"1.90 0 0 1/2 3": false, "2.00 0 0 1/2 3": true, "11.5 9 9 1/2 3": true, "": false} {
		if got := describeLoad(loadavg, 2); (got != "") != isBusy {
			t.Errorf("%q: %q", loadavg, got)
		}
	}
}
