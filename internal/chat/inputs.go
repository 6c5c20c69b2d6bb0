package chat

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/fault"
)

const (
	maxRunes    = 4000
	maxClientID = 100
)

// SendMessageInput is the input of Send.
type SendMessageInput struct {
	RoomID          uuid.UUID
	Body            string
	ClientMessageID *string
}

// text is the body as it is stored: without the white space around it.
func (in SendMessageInput) text() string { return strings.TrimSpace(in.Body) }

// Validate reports everything that is wrong with the input as such. Errors: MESSAGE_EMPTY, MESSAGE_TOO_LONG, INVALID_INPUT.
func (in SendMessageInput) Validate() error {
	var failures []error
	switch body := in.text(); {
	case !isText(body):
		failures = append(failures, fault.InvalidAt("The message is not text.", "body"))
	case body == "":
		failures = append(failures, ErrMessageEmpty)
	case utf8.RuneCountInString(body) > maxRunes:
		failures = append(failures, ErrMessageTooLong)
	}
	if id := in.ClientMessageID; id != nil && (*id == "" || len(*id) > maxClientID || !isText(*id)) {
		failures = append(failures, fault.InvalidAt(fmt.Sprintf("A clientMessageId has 1 to %d bytes.", maxClientID), "clientMessageId"))
	}
	return errors.Join(failures...)
}

// isText tells whether both engines keep the text as it is.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// MarkRoomReadInput is the input of MarkRead.
type MarkRoomReadInput struct {
	RoomID uuid.UUID
	UpTo   int
}
