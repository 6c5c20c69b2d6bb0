package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// desk is one of the two that callers rush at: the product or the floor, as one process or several on one database.
type desk struct {
	name      string
	processes []*process
	urls      []string
	callers   []*keepAlive // caller i always speaks with process i modulo their number
	ask       func(url string, who guest, slot string) (request, error)
	isWon     func(status int, body []byte) (bool, error)

	total booked
}

// booked is what rushes brought.
type booked struct {
	won, lost []time.Duration
	elapsed   []time.Duration // of each rush, from the start to the last answer
	cpu       time.Duration   // of the processes
}

const bookDocument = `mutation($slot: ID!) { bookAppointment(input: {slotId: $slot}) { appointment { id status expiresAt price { amount currency } } ` +
	`userErrors { code ... on SlotTaken { alternatives { id startsAt } } } } }`

func askProduct(base string, who guest, slot string) (request, error) {
	return newRequest(http.MethodPost, base+"/graphql", who.token, requestBody(bookDocument, map[string]any{"slot": slot}))
}

func askFloor(base string, who guest, slot string) (request, error) {
	return newRequest(http.MethodPost, base+"/claims/"+url.PathEscape(slot), who.session, []byte("{}"))
}

// wonByProduct reads an answer of the product: an appointment, or SLOT_TAKEN and nothing else.
func wonByProduct(status int, body []byte) (bool, error) {
	var data struct {
		BookAppointment struct {
			Appointment *struct{ ID, Status string }
			UserErrors  []problem
		}
	}
	if err := decode(status, body, &data); err != nil {
		return false, err
	}
	made, refused := data.BookAppointment.Appointment, data.BookAppointment.UserErrors
	switch {
	case made != nil && made.Status == "PENDING" && len(refused) == 0:
		return true, nil
	case made == nil && len(refused) == 1 && refused[0].Code == "SLOT_TAKEN":
		return false, nil
	}
	return false, fmt.Errorf("neither booked nor SLOT_TAKEN: %.300s", body)
}

func wonByFloor(status int, body []byte) (bool, error) {
	switch {
	case status == http.StatusOK && string(body) == claimWon:
		return true, nil
	case status == http.StatusOK && string(body) == claimLost:
		return false, nil
	}
	return false, fmt.Errorf("status %d: %.300s", status, body)
}

// open waits until the processes listen and connects the callers.
func (d *desk) open(ctx context.Context, callers int) error {
	for _, p := range d.processes {
		base, err := p.address(ctx)
		if err != nil {
			return err
		}
		d.urls = append(d.urls, base)
	}
	for i := range callers {
		k, err := dial(ctx, d.urls[i%len(d.urls)])
		if err != nil {
			return err
		}
		d.callers = append(d.callers, k)
	}
	return nil
}

func (d *desk) close() {
	for _, k := range d.callers {
		_ = k.conn.Close()
	}
	for _, p := range d.processes {
		p.stop()
	}
}

// said is the end of what the processes complained about.
func (d *desk) said() (all string) {
	for _, p := range d.processes {
		all += p.said.String()
	}
	return all
}

func (d *desk) cpu() (sum time.Duration, err error) {
	for _, p := range d.processes {
		one, err := cpuTime(p.pid)
		if err != nil {
			return 0, err
		}
		sum += one
	}
	return sum, nil
}

// rush lets all callers ask for the slots at once, as many for each, and checks that each slot has exactly one winner.
func (d *desk) rush(ctx context.Context, guests []guest, slots []string, counts bool) error {
	wires := make([][]byte, len(guests))
	for i, who := range guests {
		r, err := d.ask(d.urls[i%len(d.urls)], who, slots[i%len(slots)])
		if err != nil {
			return err
		}
		wires[i] = r.wire
	}
	before, err := d.cpu()
	if err != nil {
		return err
	}
	answers, elapsed := d.call(wires)
	after, err := d.cpu()
	if err != nil {
		return err
	}
	one, err := d.judge(answers, len(slots))
	if err != nil || !counts {
		return errors.Join(err, ctx.Err())
	}
	d.total.won, d.total.lost = append(d.total.won, one.won...), append(d.total.lost, one.lost...)
	d.total.elapsed, d.total.cpu = append(d.total.elapsed, elapsed), d.total.cpu+after-before
	return ctx.Err()
}

// reply is what a caller was told, and how long that took.
type reply struct {
	status int
	body   []byte
	took   time.Duration
	err    error
}

// call sends every caller's request at the same moment and waits for all answers.
func (d *desk) call(wires [][]byte) ([]reply, time.Duration) {
	answers, start := make([]reply, len(wires)), make(chan struct{})
	var ready, all sync.WaitGroup
	ready.Add(len(wires))
	for i, wire := range wires {
		all.Go(func() {
			ready.Done()
			<-start
			begun := time.Now()
			status, body, err := d.callers[i].do(wire)
			answers[i] = reply{status, bytes.Clone(body), time.Since(begun), err}
		})
	}
	ready.Wait()
	begun := time.Now()
	close(start)
	all.Wait()
	return answers, time.Since(begun)
}

// judge tells winners from losers, and fails unless each of the slots has one winner. Caller i asked for slot i modulo their number.
func (d *desk) judge(answers []reply, slots int) (b booked, err error) {
	winners := make([]int, slots)
	for i, a := range answers {
		won, err := false, a.err
		if err == nil {
			won, err = d.isWon(a.status, a.body)
		}
		if err != nil {
			return b, fmt.Errorf("caller %d of %d: %w", i+1, len(answers), err)
		}
		if won {
			winners[i%slots]++
			b.won = append(b.won, a.took)
		} else {
			b.lost = append(b.lost, a.took)
		}
	}
	for i, n := range winners {
		if n != 1 {
			return b, fmt.Errorf("slot %d of %d has %d winners", i+1, slots, n)
		}
	}
	return b, nil
}

// late is a percentile of durations in ms.
func late(list []time.Duration, share float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return milliseconds(percentile(sorted, share))
}

// rate is the winners per second of a rush of median length.
func (b booked) rate() float64 {
	if len(b.elapsed) == 0 {
		return 0
	}
	each := float64(len(b.won)) / float64(len(b.elapsed))
	return each / late(b.elapsed, 0.5) * 1000
}

// cpuPerCall is the processes' time per call in µs.
func (b booked) cpuPerCall() float64 {
	return float64(b.cpu.Microseconds()) / float64(max(1, len(b.won)+len(b.lost)))
}
