package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// participant is a signed-in user of a room.
type participant struct{ token, session, user, record string }

// firstRoom is the room that all others are copied from, opened by the product for a visit that was booked and paid for.
type firstRoom struct {
	id, appointment string
	startsAt        time.Time
	patient, doctor participant
}

const roomTimeout = 10 * time.Second

// openRoom lets alice book a free slot and pay for it, and finds the room that this opens.
func openRoom(ctx context.Context, a *api) (r firstRoom, err error) {
	if r.patient, err = a.participant(ctx, "alice", "patient"); err != nil {
		return r, err
	}
	if r.doctor, err = a.participant(ctx, "dora", "practitioner"); err != nil {
		return r, err
	}
	slot, err := a.slotOf(ctx, r.doctor)
	if err != nil {
		return r, err
	}
	r.startsAt = slot.StartsAt
	if r.appointment, err = a.visit(ctx, r.patient.token, slot.ID); err != nil {
		return r, err
	}
	for until := time.Now().Add(roomTimeout); ; {
		if r.id, err = a.roomOf(ctx, r); err != nil || r.id != "" {
			return r, err
		}
		if time.Now().After(until) {
			return r, fmt.Errorf("the payment of appointment %s opened no room within %s", r.appointment, roomTimeout)
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return r, err
		}
	}
}

// participant signs in; record is the field of the viewer with the user's own record.
func (a *api) participant(ctx context.Context, name, record string) (p participant, err error) {
	if p.token, p.session, err = a.login(ctx, name); err != nil {
		return p, err
	}
	var data struct{ Viewer map[string]any }
	if err := a.call(ctx, p.token, `{ viewer { id patient { id } practitioner { id } } }`, nil, &data); err != nil {
		return p, err
	}
	p.user, _ = data.Viewer["id"].(string)
	own, _ := data.Viewer[record].(map[string]any)
	p.record, _ = own["id"].(string)
	if p.user == "" || p.record == "" {
		return p, fmt.Errorf("%s has no %s record: %v", name, record, data.Viewer)
	}
	return p, nil
}

func (a *api) slotOf(ctx context.Context, doctor participant) (freeSlot, error) {
	const document = `query($doctor: ID!) { slots(where: {practitionerId: $doctor}, isFree: true, first: 1) { edges { node { id startsAt endsAt } } } }`
	var data struct {
		Slots struct{ Edges []edge[freeSlot] }
	}
	if err := a.call(ctx, doctor.token, document, map[string]any{"doctor": doctor.record}, &data); err != nil {
		return freeSlot{}, fmt.Errorf("the free slots could not be listed: %w", err)
	}
	if len(data.Slots.Edges) == 0 {
		return freeSlot{}, fmt.Errorf("the demo has no free slot of dora")
	}
	return data.Slots.Edges[0].Node, nil
}

// visit books a slot and pays on the sandbox page, as a browser would. It returns the appointment's id.
func (a *api) visit(ctx context.Context, token, slot string) (string, error) {
	var made struct {
		BookAppointment struct {
			Appointment *struct{ ID string }
			UserErrors  []problem
		}
	}
	const booking = `mutation($id: ID!) { bookAppointment(input: {slotId: $id}) { appointment { id } userErrors { code message } } }`
	if err := a.call(ctx, token, booking, map[string]any{"id": slot}, &made); err != nil {
		return "", fmt.Errorf("a slot could not be booked: %w", err)
	}
	if made.BookAppointment.Appointment == nil {
		return "", fmt.Errorf("a slot could not be booked: %v", made.BookAppointment.UserErrors)
	}
	id := made.BookAppointment.Appointment.ID
	var ordered struct {
		CreateOrder struct {
			CheckoutURL string
			UserErrors  []problem
		}
	}
	const ordering = `mutation($id: ID!) { createOrder(input: {appointmentId: $id}) { checkoutUrl userErrors { code message } } }`
	if err := a.call(ctx, token, ordering, map[string]any{"id": id}, &ordered); err != nil {
		return "", fmt.Errorf("an appointment could not be ordered: %w", err)
	}
	if ordered.CreateOrder.CheckoutURL == "" {
		return "", fmt.Errorf("an appointment could not be ordered: %v", ordered.CreateOrder.UserErrors)
	}
	return id, a.pay(ctx, ordered.CreateOrder.CheckoutURL)
}

func (a *api) pay(ctx context.Context, checkout string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, checkout, strings.NewReader("action=pay"))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := a.client.Do(r)
	if err != nil {
		return fmt.Errorf("the checkout page did not answer: %w", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the checkout page answered with status %d", answer.StatusCode)
	}
	return nil
}

// roomOf finds the room of the appointment; empty while there is none.
func (a *api) roomOf(ctx context.Context, r firstRoom) (string, error) {
	var data struct {
		ChatRooms struct {
			Edges []edge[struct{ ID, AppointmentID string }]
		}
	}
	if err := a.call(ctx, r.patient.token, `{ chatRooms(first: 20) { edges { node { id appointmentId } } } }`, nil, &data); err != nil {
		return "", fmt.Errorf("the rooms could not be listed: %w", err)
	}
	for _, e := range data.ChatRooms.Edges {
		if e.Node.AppointmentID == r.appointment {
			return e.Node.ID, nil
		}
	}
	return "", nil
}
