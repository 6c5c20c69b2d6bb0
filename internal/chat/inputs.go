package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/fault"
)

const (
	maxRunes    = 4000
	maxClientID = 100
	maxFiles    = 10
)

// SendMessageInput is the input of Send.
type SendMessageInput struct {
	RoomID          uuid.UUID
	Body            string
	ClientMessageID *string
	AttachmentIds   []uuid.UUID
}

// trimmed is a text as it is stored: without the white space around it.
func trimmed(body string) string { return strings.TrimSpace(body) }

// text is the body as it is stored.
func (in SendMessageInput) text() string { return trimmed(in.Body) }

// Validate reports everything that is wrong with the input as such. Errors: MESSAGE_EMPTY, MESSAGE_TOO_LONG, INVALID_INPUT.
func (in SendMessageInput) Validate() error {
	failures := []error{checkBody(in.text(), len(in.AttachmentIds) > 0), checkFiles(in.AttachmentIds)}
	if id := in.ClientMessageID; id != nil && (*id == "" || len(*id) > maxClientID || !isText(*id)) {
		failures = append(failures, fault.InvalidAt(fmt.Sprintf("A clientMessageId has 1 to %d bytes.", maxClientID), "clientMessageId"))
	}
	return errors.Join(failures...)
}

// checkBody says what is wrong with a text; whether it may be empty depends on what is beside it.
func checkBody(body string, mayBeEmpty bool) error {
	switch {
	case !isText(body):
		return fault.InvalidAt("The message is not text.", "body")
	case body == "" && !mayBeEmpty:
		return ErrMessageEmpty
	case utf8.RuneCountInString(body) > maxRunes:
		return ErrMessageTooLong
	}
	return nil
}

func checkFiles(list []uuid.UUID) error {
	switch {
	case len(list) > maxFiles:
		return fault.InvalidAt(fmt.Sprintf("A message has at most %d attachments.", maxFiles), "attachmentIds")
	case len(distinct(slices.Clone(list))) < len(list):
		return fault.InvalidAt("An attachment is named twice.", "attachmentIds")
	}
	return nil
}

// isText tells whether both engines keep the text as it is.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// MarkRoomReadInput is the input of MarkRead.
type MarkRoomReadInput struct {
	RoomID uuid.UUID
	UpTo   int
}

// EditMessageInput is the input of Edit.
type EditMessageInput struct {
	ID              uuid.UUID
	Body            string
	ExpectedVersion *int
}

// Validate reports what is wrong with the input as such; whether the text may be empty, the message tells. Errors: MESSAGE_TOO_LONG, INVALID_INPUT.
func (in EditMessageInput) Validate() error { return checkBody(trimmed(in.Body), true) }

// DeleteMessageInput is the input of DeleteMessage.
type DeleteMessageInput struct {
	ID              uuid.UUID
	ExpectedVersion *int
}

// ManageChatRoomInput is the input of Manage.
type ManageChatRoomInput struct {
	RoomID uuid.UUID
	Action ChatRoomAction
}

// DeleteChatRoomInput is the input of DeleteRoom.
type DeleteChatRoomInput struct{ RoomID uuid.UUID }

// BreakGlassInput is the input of BreakGlass: one of room and patient, and why.
type BreakGlassInput struct {
	RoomID, PatientID *uuid.UUID
	Reason            string

	IdempotencyKey *string
}

const (
	minReason = 10
	maxReason = 500
)

// Validate reports everything that is wrong with the input. Errors: INVALID_INPUT.
func (in BreakGlassInput) Validate() error {
	var failures []error
	reason := trimmed(in.Reason)
	if n := utf8.RuneCountInString(reason); n < minReason || n > maxReason || !isText(reason) {
		failures = append(failures, fault.InvalidAt(fmt.Sprintf("State a reason of %d to %d characters.", minReason, maxReason), "reason"))
	}
	if (in.RoomID == nil) == (in.PatientID == nil) {
		failures = append(failures, fault.InvalidAt("Name either a room or a patient.", "roomId"))
	}
	return errors.Join(failures...)
}
