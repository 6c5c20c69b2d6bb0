package main

import (
	"strings"
	"testing"
	"time"
)

func TestTalkOptionsAreBounded(t *testing.T) {
	t.Parallel()
	for problem, change := range map[string]func(*talkOptions){
		"":           func(*talkOptions) {},
		"--sockets":  func(o *talkOptions) { o.sockets = 3 },
		"--rate":     func(o *talkOptions) { o.rate = 0 },
		"--inflight": func(o *talkOptions) { o.inFlight = 10_001 },
		"--seconds":  func(o *talkOptions) { o.seconds = 61 },
		"--warmup":   func(o *talkOptions) { o.warmup = time.Minute },
		"--engine":   func(o *talkOptions) { o.only = "other" },
	} {
		o := talkOptions{sockets: 2, rate: 1, inFlight: 1, seconds: 1}
		change(&o)
		if err := o.check(); (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v", problem, err)
		}
	}
}

func TestFiguresNameWhatWasMeasured(t *testing.T) {
	t.Parallel()
	var both heardOf
	for i := range both {
		s := spoken{phase: &phase{}, perSecond: float64(i + 1), cpu: 3}
		s.phase.other.add(time.Millisecond)
		both[i] = heard{steady: s, closed: s}
	}
	names := func(list []figure) string {
		var all []string
		for _, f := range list {
			all = append(all, f.Name)
		}
		return strings.Join(all, " ")
	}
	chat := both.figures("chat", "sqlite", source{})
	if want := "chat.steady.other.p50 chat.steady.other.p99 chat.steady.own.p50 chat.steady.own.p99 chat.rate " +
		"chat.loaded.other.p50 chat.loaded.other.p99 chat.cpu"; names(chat) != want {
		t.Errorf("%s", names(chat))
	}
	if rate := chat[4]; rate.Value != 1 || rate.Peer != 2 || rate.Ratio != 0.5 {
		t.Errorf("%+v", rate)
	}
	both[0].single, both[1].single = both[0].steady, both[1].steady
	if got := names(both.figures("fanout", "sqlite", source{})); !strings.Contains(got, "fanout.single.rate fanout.rate") || strings.Contains(got, "own") {
		t.Errorf("%s", got)
	}
}
