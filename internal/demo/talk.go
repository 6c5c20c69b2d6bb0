package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/chat"
)

// room is the one that the visit's payment has opened.
func (v *visit) room(ctx context.Context) (uuid.UUID, error) {
	return v.s.DB.Client.ChatRoom.Query().Where(chatroom.AppointmentID(v.id)).OnlyID(ctx)
}

// talks adds a conversation that begins at the instant. A line is "PAUSE WHO TEXT": a pause behind the line before, P for the patient or D for the
// practitioner, and what is said. Who speaks has read what was said before.
func (v *visit) talks(at time.Time, lines ...string) {
	for _, line := range lines {
		pause, rest, _ := strings.Cut(line, " ")
		who, text, _ := strings.Cut(rest, " ")
		d, err := time.ParseDuration(pause)
		if err != nil {
			v.s.breaks(fmt.Errorf("%q: %w", line, err))
			return
		}
		at = at.Add(d)
		speaker := v.patient
		if who == "D" {
			speaker = v.doctor
		}
		v.says(at, speaker, text)
	}
}

func (v *visit) says(at time.Time, speaker, text string) {
	v.happens(at, "message", func(ctx context.Context) error {
		room, err := v.room(ctx)
		if err != nil {
			return err
		}
		if n := len(v.lines); n > 0 && v.speaker != speaker {
			if _, err := v.s.Chat.MarkRead(v.s.as(ctx, speaker), chat.MarkRoomReadInput{RoomID: room, UpTo: n}); err != nil {
				return err
			}
		}
		key := fmt.Sprintf("demo-%d", len(v.lines)+1)
		m, err := v.s.Chat.Send(v.s.as(ctx, speaker), chat.SendMessageInput{RoomID: room, Body: text, ClientMessageID: &key})
		if err == nil {
			v.lines, v.speaker = append(v.lines, m.ID), speaker
		}
		return err
	})
}

// reads moves the reader's watermark to all that was said so far.
func (v *visit) reads(at time.Time, reader string) {
	v.happens(at, "reading", func(ctx context.Context) error {
		room, err := v.room(ctx)
		if err != nil {
			return err
		}
		_, err = v.s.Chat.MarkRead(v.s.as(ctx, reader), chat.MarkRoomReadInput{RoomID: room, UpTo: len(v.lines)})
		return err
	})
}

// corrects gives the newest message another text, takesBack deletes it.
func (v *visit) corrects(at time.Time, speaker, text string) {
	v.happens(at, "correction", func(ctx context.Context) error {
		_, err := v.s.Chat.Edit(v.s.as(ctx, speaker), chat.EditMessageInput{ID: v.lines[len(v.lines)-1], Body: text})
		return err
	})
}

func (v *visit) takesBack(at time.Time, speaker string) {
	v.happens(at, "deletion of a message", func(ctx context.Context) error {
		_, err := v.s.Chat.DeleteMessage(v.s.as(ctx, speaker), chat.DeleteMessageInput{ID: v.lines[len(v.lines)-1]})
		return err
	})
}

// suspends stops the conversation for now.
func (v *visit) suspends(at time.Time, by string) {
	v.happens(at, "suspension", func(ctx context.Context) error {
		room, err := v.room(ctx)
		if err != nil {
			return err
		}
		_, err = v.s.Chat.Manage(v.s.as(ctx, by), chat.ManageChatRoomInput{RoomID: room, Action: "SUSPEND"})
		return err
	})
}

// isOpened is an administrator who reads the conversation, for a stated reason.
func (v *visit) isOpened(at time.Time, reason string) {
	v.happens(at, "opening of a record", func(ctx context.Context) error {
		room, err := v.room(ctx)
		if err != nil {
			return err
		}
		_, err = v.s.Chat.BreakGlass(v.s.as(ctx, adminKey), chat.BreakGlassInput{RoomID: &room, Reason: reason})
		return err
	})
}
