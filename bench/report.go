package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// tolerance is how much worse than recorded a ratio may get before the run fails.
const tolerance = 1.3

// Units of which more is better.
const (
	perSecond           = "requests/s"
	deliveriesPerSecond = "deliveries/s"
	bookingsPerSecond   = "bookings/s"
)

// figure is one measured value beside the floor's, or a peer's, of the same run.
type figure struct {
	Name   string  `json:"name"`
	Engine string  `json:"engine"`
	Value  float64 `json:"figure"`
	Unit   string  `json:"unit"`
	Floor  float64 `json:"floor,omitempty"`
	Peer   float64 `json:"peer,omitempty"`
	Ratio  float64 `json:"ratio"` // product / floor or peer
	Commit string  `json:"commit"`
	Go     string  `json:"go"`
	Date   string  `json:"date"`
}

func (s source) figure(name, engine, unit string, value, floor float64) figure {
	f := figure{Name: name, Engine: engine, Value: round(value), Unit: unit, Floor: round(floor),
		Commit: s.commit, Go: s.goVersion, Date: time.Now().UTC().Format(time.DateOnly)}
	if floor > 0 {
		f.Ratio = round(value / floor)
	}
	return f
}

// besidePeer is a figure beside that of a program that does the same for others.
func (s source) besidePeer(name, engine, unit string, value, peer float64) figure {
	f := s.figure(name, engine, unit, value, peer)
	f.Floor, f.Peer = 0, f.Floor
	return f
}

// round keeps four digits: more would pretend precision.
func round(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		panic(err) // it has just been formatted
	}
	return y
}

// isWorse tells whether the ratio is worse than the recorded one by more than the tolerance. Of what is counted by the second more is better, of all else less.
func (f figure) isWorse(recorded float64) bool {
	switch f.Unit {
	case perSecond, deliveriesPerSecond, bookingsPerSecond:
		return f.Ratio < recorded/tolerance
	}
	return f.Ratio > recorded*tolerance
}

// recordedKey names a row of the recorded ratios.
type recordedKey struct{ name, engine string }

const recordedHeading = "## Recorded ratios"

// readRecorded reads the lines `| name | engine | ratio |` below the heading; all before it is for people.
func readRecorded(path string) (map[recordedKey]float64, error) {
	file, err := os.Open(path) // #nosec G304 -- the caller's own file
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s with recorded ratios; run this from the folder bench/ or give --recorded", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the recorded ratios cannot be read: %w", err)
	}
	defer func() { _ = file.Close() }()
	rows := map[recordedKey]float64{}
	lines := bufio.NewScanner(file)
	isBelow := false
	for lines.Scan() {
		if isBelow = isBelow || lines.Text() == recordedHeading; !isBelow {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(lines.Text()), "|"), "|")
		if len(cells) != 3 {
			continue
		}
		if ratio, err := strconv.ParseFloat(strings.TrimSpace(cells[2]), 64); err == nil {
			rows[recordedKey{strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1])}] = ratio
		}
	}
	return rows, lines.Err()
}

// report prints the figures for people and as JSON lines, and returns an error when one got worse.
func report(w io.Writer, figures []figure, recorded map[recordedKey]float64) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "figure\tengine\tproduct\tfloor or peer\tunit\tratio\trecorded\t")
	var worse []error
	for _, f := range figures {
		held := "-"
		if ratio, ok := recorded[recordedKey{f.Name, f.Engine}]; ok {
			held = fmt.Sprintf("%.3g", ratio)
			if f.isWorse(ratio) {
				held += " WORSE"
				worse = append(worse, fmt.Errorf("%s on %s has the ratio %.3g where %.3g is recorded", f.Name, f.Engine, f.Ratio, ratio))
			}
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%.5g\t%.5g\t%s\t%.3g\t%s\t\n", f.Name, f.Engine, f.Value, f.Floor+f.Peer, f.Unit, f.Ratio, held)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(w)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, f := range figures {
		if err := lines.Encode(f); err != nil {
			return err
		}
	}
	if len(worse) > 0 {
		return fmt.Errorf("more than %g times worse than docs/benchmarks.md records:\n%w", tolerance, errors.Join(worse...))
	}
	return nil
}
