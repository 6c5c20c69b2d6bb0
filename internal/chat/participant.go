package chat

import (
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
)

// Role is as who somebody takes part in a room.
type Role = chatmessage.SenderRole

// participant tells as who the viewer takes part in the room of a patient and a practitioner; false when as nobody. It says of one room what the
// access policy says of all rows of a chat: a test holds the two against each other.
func participant(v *access.Viewer, patientID, practitionerID uuid.UUID) (Role, bool) {
	ownPatient, ownPractitioner := keysOf(v)
	switch {
	case ownPatient != uuid.Nil && ownPatient == patientID:
		return chatmessage.SenderRolePATIENT, true
	case ownPractitioner != uuid.Nil && ownPractitioner == practitionerID:
		return chatmessage.SenderRolePRACTITIONER, true
	default:
		return "", false
	}
}

// keysOf returns the ids by which the viewer is found in rooms; zero where no role lets it take part.
func keysOf(v *access.Viewer) (patientID, practitionerID uuid.UUID) {
	if v.Has(access.Patient) {
		patientID = v.PatientID
	}
	if v.Has(access.Doctor, access.Clinician, access.Supervisor) {
		practitionerID = v.PractitionerID
	}
	return patientID, practitionerID
}

// CanSend tells whether the viewer may write in the room now.
func CanSend(v *access.Viewer, r *ent.ChatRoom) bool {
	_, ok := participant(v, r.PatientID, r.PractitionerID)
	return ok && r.Status == chatroom.StatusACTIVE
}
