package chat

import (
	"fmt"

	"github.com/caregraph/caregraph/internal/fault"
)

// The outcomes of the domain.
var (
	ErrRoomNotWritable = fault.New(fault.Precondition, "ROOM_NOT_WRITABLE", "Nobody can write in this room at the moment.")
	ErrMessageEmpty    = fault.New(fault.Invalid, "MESSAGE_EMPTY", "The message is empty.").At("body")
	ErrMessageTooLong  = fault.New(fault.Invalid, "MESSAGE_TOO_LONG", fmt.Sprintf("A message has at most %d characters.", maxRunes)).At("body")
)
