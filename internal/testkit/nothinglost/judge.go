package nothinglost

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Stored is a message in the database.
type Stored struct {
	ID, ClientID string
	Position     int64
}

// Kill is one kill -9 of a server.
type Kill struct {
	URL string
	At  time.Time
}

// Verdict is what became of the messages.
type Verdict struct {
	Acknowledged, Stored int
	Readers              int
	Delivered            int // to each reader all messages of its room: the sum over readers must be that of the rooms
	Expected             int // what Delivered must be
	Duplicates, Gaps     int
	Kills                int
	KillsUnderLoad       int // kills that met a message under way, with acknowledgements before and after
	Resolved             int // messages that a killed server had stored and not acknowledged
	Resumes              int
	ResumesOfEvents      int      // of these, of event streams by Last-Event-ID
	Rooms                []string // acknowledged, stored and delivered to each reader, room by room
	Problems             []string
}

// String says it in one line.
func (v Verdict) String() string {
	return fmt.Sprintf("acknowledged=%d stored=%d delivered=%d of %d to %d readers duplicates=%d gaps=%d kills=%d between acknowledgements=%d "+
		"stored but acknowledged only on retry=%d resumes=%d (%d of event streams); room by room acknowledged=stored=delivered to each reader: %s", v.Acknowledged, v.Stored, v.Delivered, v.Expected, v.Readers, v.Duplicates, v.Gaps, v.Kills, v.KillsUnderLoad, v.Resolved, v.Resumes, v.ResumesOfEvents, strings.Join(v.Rooms, " "))
}

// Judge compares the client's logs with the messages of each room, in the order of positions, and the kills.
func Judge(plan Plan, logs Logs, stored map[string][]Stored, kills []Kill) Verdict {
	v := Verdict{Acknowledged: len(logs.Acks), Kills: len(kills)}
	events := map[string][]Event{}
	for _, e := range logs.Events {
		events[e.Reader] = append(events[e.Reader], e)
	}
	for _, room := range plan.Rooms {
		acked := v.judgeStored(room.ID, stored[room.ID], logs.Acks)
		var given []string
		for _, reader := range room.Readers {
			v.Readers++
			v.Expected += len(stored[room.ID])
			given = append(given, strconv.Itoa(v.judgeReader(reader.Name, events[reader.Name], stored[room.ID])))
		}
		v.Rooms = append(v.Rooms, fmt.Sprintf("%d=%d=%s", acked, len(stored[room.ID]), strings.Join(given, ",")))
	}
	v.judgeKills(logs, kills)
	return v
}

func (v *Verdict) problem(format string, args ...any) {
	if len(v.Problems) < 20 {
		v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
	}
}

// judgeStored holds what is stored against what was acknowledged, of which it returns how much there is.
func (v *Verdict) judgeStored(room string, stored []Stored, acks []Ack) (acknowledged int) {
	v.Stored += len(stored)
	byID := map[string]Stored{}
	clients := map[string]bool{}
	for i, m := range stored {
		if m.Position != int64(i+1) {
			v.problem("room %s: the message at place %d has position %d", room, i+1, m.Position)
		}
		if clients[m.ClientID] {
			v.Duplicates++
			v.problem("room %s: %s is stored twice", room, m.ClientID)
		}
		byID[m.ID], clients[m.ClientID] = m, true
	}
	last := map[string]Ack{}
	for _, a := range acks {
		if a.Room != room {
			continue
		}
		acknowledged++
		if m, ok := byID[a.ID]; !ok || m.Position != a.Position || m.ClientID != a.ClientID {
			v.problem("room %s: %s was acknowledged at %d and is stored as %+v", room, a.ClientID, a.Position, m)
		}
		delete(byID, a.ID)
		if l, ok := last[a.Writer]; ok && (a.Position <= l.Position || a.Number != l.Number+1) {
			v.problem("room %s: %s of one writer stands at %d, behind %s at %d", room, a.ClientID, a.Position, l.ClientID, l.Position)
		}
		last[a.Writer] = a
	}
	for _, m := range byID {
		v.problem("room %s: %s is stored and never was acknowledged", room, m.ClientID)
	}
	return acknowledged
}

// judgeReader holds what a reader was given, of which it returns the number of messages, against what is stored.
func (v *Verdict) judgeReader(reader string, events []Event, stored []Stored) (delivered int) {
	var given []string
	seen := map[string]bool{}
	cursor, opened := "", false
	for _, e := range events {
		switch {
		case e.Fault != "":
			v.problem("reader %s: %s", reader, e.Fault)
			continue
		case e.Cursor == "":
			if e.OpenedAfter != "" {
				v.Resumes++
				if e.IsEventStream {
					v.ResumesOfEvents++
				}
			}
			continue
		case e.Kind == "StreamOpened":
			if opened {
				v.problem("reader %s: a resumed stream was opened anew", reader)
			}
			opened, cursor = true, e.Cursor
			continue
		}
		if seen[e.Cursor] || e.MessageID != "" && seen[e.MessageID] {
			v.Duplicates++
			v.problem("reader %s: %s %s came twice", reader, e.Kind, e.ClientID)
		} else if e.Previous != cursor {
			v.Gaps++
			v.problem("reader %s: before %s %s something is missing", reader, e.Kind, e.ClientID)
		}
		cursor, seen[e.Cursor] = e.Cursor, true
		if e.MessageID != "" {
			seen[e.MessageID] = true
			given = append(given, e.MessageID)
		}
	}
	v.Delivered += len(given)
	if !slices.EqualFunc(given, stored, func(id string, m Stored) bool { return id == m.ID }) {
		v.problem("reader %s was given %d messages of %d, or in another order", reader, len(given), len(stored))
	}
	return len(given)
}

// judgeKills counts the kills that met a message under way, and the messages that were stored by an attempt of which nobody heard.
func (v *Verdict) judgeKills(logs Logs, kills []Kill) {
	for _, k := range kills {
		met := slices.ContainsFunc(logs.Attempts, func(a Attempt) bool { return a.URL == k.URL && a.SentAt.Before(k.At) && a.EndedAt.After(k.At) })
		before := slices.ContainsFunc(logs.Acks, func(a Ack) bool { return a.At.Before(k.At) })
		after := slices.ContainsFunc(logs.Acks, func(a Ack) bool { return a.At.After(k.At) })
		if met && before && after {
			v.KillsUnderLoad++
		}
	}
	lost := map[string]time.Time{} // the end of the last lost attempt
	for _, a := range logs.Attempts {
		lost[a.ClientID] = a.EndedAt
	}
	for _, a := range logs.Acks {
		if end, ok := lost[a.ClientID]; ok && a.CreatedAt.Before(end) {
			v.Resolved++
		}
	}
}

// Err is nil when nothing was lost, doubled or put in another order.
func (v Verdict) Err() error {
	if v.Acknowledged != v.Stored || v.Delivered != v.Expected || v.Duplicates > 0 || v.Gaps > 0 {
		v.problem("the numbers differ")
	}
	if len(v.Problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s\n%s", v, strings.Join(v.Problems, "\n"))
}
