package chat

import (
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/fault"
)

// roomState is what decides who may write in a room.
type roomState struct {
	patientID, practitionerID uuid.UUID
	status                    chatroom.Status
	practitionerUser          uuid.UUID
	patientUser               uuid.NullUUID // null without an account
}

// judge decides every send of a group by the locked rooms and the messages that were stored before. It returns the outcomes in order, and which of the
// sends are to be stored. A send that repeats another one of the group shares its message.
func judge(batch []*send, rooms map[uuid.UUID]roomState, known map[key]*ent.ChatMessage, files usable) (outcomes []outcome, accepted []int) {
	outcomes = make([]outcome, len(batch))
	here := map[key]*ent.ChatMessage{}
	for i, one := range batch {
		r, exists := rooms[one.room]
		role, ok := participant(one.viewer, r.patientID, r.practitionerID)
		if !exists || !ok {
			outcomes[i].err = fault.ErrNotFound
			continue
		}
		if one.clientID != nil {
			first := known[one.key()]
			if first == nil {
				first = here[one.key()]
			}
			if first != nil {
				outcomes[i].message = first
				continue
			}
		}
		if r.status != chatroom.StatusACTIVE {
			outcomes[i].err = ErrRoomNotWritable
			continue
		}
		if !files.claim(one) {
			outcomes[i].err = ErrUploadRejected.At("attachmentIds")
			continue
		}
		m := &ent.ChatMessage{
			RoomID: one.room, PatientID: r.patientID, PractitionerID: r.practitionerID,
			SenderID: one.viewer.UserID, SenderRole: role,
			Body: one.body, SearchKey: fold(one.body), ClientMessageID: one.clientID,
		}
		outcomes[i].message = m
		accepted = append(accepted, i)
		if one.clientID != nil {
			here[one.key()] = m
		}
	}
	return outcomes, accepted
}
