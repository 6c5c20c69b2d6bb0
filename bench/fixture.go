package main

import (
	"context"
	"fmt"
	"time"
)

const (
	wanted   = 40 // appointments: two pages, so that hasNextPage is true
	maxTries = 400
)

var demoPatients = []string{"alice", "bruno", "chiara", "tomas"}

type freeSlot struct {
	ID               string
	StartsAt, EndsAt time.Time
}

// diarist books for one patient, whose visits must not overlap.
type diarist struct {
	token     string
	busyUntil time.Time
}

// fillAppointments lets the demo's patients book free slots and ask for the payment, all through the API, until there are as many
// appointments with an order as wanted.
func fillAppointments(ctx context.Context, a *api) error {
	diaries := make([]*diarist, len(demoPatients))
	for i, name := range demoPatients {
		token, _, err := a.login(ctx, name)
		if err != nil {
			return err
		}
		diaries[i] = &diarist{token: token}
	}
	after, made, tries := any(nil), 0, 0
	for {
		slots, next, err := freeSlots(ctx, a, diaries[0].token, after)
		if err != nil {
			return err
		}
		for _, s := range slots {
			d := whoIsFree(diaries, s)
			if d == nil {
				continue
			}
			if tries++; tries > maxTries {
				return fmt.Errorf("only %d of %d appointments could be booked in %d tries", made, wanted, maxTries)
			}
			booked, err := d.book(ctx, a, s)
			if err != nil {
				return err
			}
			if booked {
				made++
			}
			if made == wanted {
				return nil
			}
		}
		if next == "" {
			return fmt.Errorf("the demo has too few free slots: %d of %d appointments are booked", made, wanted)
		}
		after = next
	}
}

// whoIsFree returns the patient who is free for the slot and has waited longest, nil when all are busy.
func whoIsFree(diaries []*diarist, s freeSlot) *diarist {
	var best *diarist
	for _, d := range diaries {
		if !s.StartsAt.Before(d.busyUntil) && (best == nil || d.busyUntil.Before(best.busyUntil)) {
			best = d
		}
	}
	return best
}

// freeSlots returns a page of free slots by start, and the cursor of the next page, empty on the last.
func freeSlots(ctx context.Context, a *api, token string, after any) ([]freeSlot, string, error) {
	const document = `query($after: Cursor) { slots(isFree: true, first: 100, after: $after) {
edges { node { id startsAt endsAt } } pageInfo { hasNextPage endCursor } } }`
	var data struct {
		Slots struct {
			Edges    []edge[freeSlot]
			PageInfo pageInfo
		}
	}
	if err := a.call(ctx, token, document, map[string]any{"after": after}, &data); err != nil {
		return nil, "", fmt.Errorf("the free slots could not be listed: %w", err)
	}
	slots := make([]freeSlot, len(data.Slots.Edges))
	for i, e := range data.Slots.Edges {
		slots[i] = e.Node
	}
	if !data.Slots.PageInfo.HasNextPage {
		return slots, "", nil
	}
	return slots, data.Slots.PageInfo.EndCursor, nil
}

// book books the slot and orders the payment. A slot that begins this very moment may be refused; the next one is tried then.
func (d *diarist) book(ctx context.Context, a *api, s freeSlot) (bool, error) {
	var made struct {
		BookAppointment struct {
			Appointment *struct{ ID string }
			UserErrors  []problem
		}
	}
	const booking = `mutation($id: ID!) { bookAppointment(input: {slotId: $id}) { appointment { id } userErrors { code message } } }`
	if err := a.call(ctx, d.token, booking, map[string]any{"id": s.ID}, &made); err != nil {
		return false, fmt.Errorf("a slot could not be booked: %w", err)
	}
	d.busyUntil = s.EndsAt
	if made.BookAppointment.Appointment == nil {
		return false, nil
	}
	var paid struct {
		CreateOrder struct {
			Order      *struct{ ID string }
			UserErrors []problem
		}
	}
	const ordering = `mutation($id: ID!) { createOrder(input: {appointmentId: $id}) { order { id } userErrors { code message } } }`
	if err := a.call(ctx, d.token, ordering, map[string]any{"id": made.BookAppointment.Appointment.ID}, &paid); err != nil {
		return false, fmt.Errorf("an appointment could not be ordered: %w", err)
	}
	if paid.CreateOrder.Order == nil {
		return false, fmt.Errorf("an appointment could not be ordered: %v", paid.CreateOrder.UserErrors)
	}
	return true, nil
}
