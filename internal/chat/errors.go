package chat

import (
	"fmt"

	"github.com/caregraph/caregraph/internal/fault"
)

// The outcomes of the domain.
var (
	ErrRoomNotWritable  = fault.New(fault.Precondition, "ROOM_NOT_WRITABLE", "Nobody can write in this room at the moment.")
	ErrMessageEmpty     = fault.New(fault.Invalid, "MESSAGE_EMPTY", "The message is empty.").At("body")
	ErrMessageTooLong   = fault.New(fault.Invalid, "MESSAGE_TOO_LONG", fmt.Sprintf("A message has at most %d characters.", maxRunes)).At("body")
	ErrEditWindowClosed = fault.New(fault.Precondition, "EDIT_WINDOW_CLOSED", "The 15 minutes in which a message can be changed are over.")
	ErrIllegalStatus    = fault.New(fault.Precondition, "ILLEGAL_STATUS", "The room's status does not allow this.").At("action")
	ErrUploadRejected   = fault.New(fault.Invalid, "UPLOAD_REJECTED", "The file cannot be used.")
)
