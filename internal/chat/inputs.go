package chat

import "github.com/google/uuid"

// SendMessageInput is the input of Send.
type SendMessageInput struct {
	RoomID          uuid.UUID
	Body            string
	ClientMessageID *string
}

// MarkRoomReadInput is the input of MarkRead.
type MarkRoomReadInput struct {
	RoomID uuid.UUID
	UpTo   int
}
