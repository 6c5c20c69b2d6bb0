package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/caregraph/caregraph/ent"
)

// hashed lists, per entity, the fields with free text that may tell of somebody's health, and links that let their holder act: the audit
// proves what they said without saying it. A test holds this list against all long texts of the schema.
var hashed = map[string][]string{
	ent.TypeAdmissionRecord:         {"reason", "diagnosis", "discharge_notes"},
	ent.TypeAppointmentIntake:       {"note", "symptoms"},
	ent.TypeAppointmentStatusChange: {"reason"},
	ent.TypeLeave:                   {"reason"},
	ent.TypeQuestionAnswer:          {"text", "choices"},
	ent.TypeChatMessage:             {"body", "search_key"},
	ent.TypeChatMessageVersion:      {"body", "search_key"},
	ent.TypeNotification:            {"text"},
	ent.TypeOrder:                   {"checkout_url"},
	ent.TypePatientHealth:           {"allergies"},
	ent.TypeWalletTransaction:       {"description"},
	ent.TypeRefund:                  {"reason"},
}

const hashMark = "sha256:"

func redact(entity string, c Change) Change {
	shown := func(s string) string { return cut(s, maxValue) }
	if slices.Contains(hashed[entity], c.Field) || slices.Contains(ent.SensitiveFields[entity], c.Field) {
		shown = hash
	}
	return Change{Field: c.Field, Old: shown(c.Old), New: shown(c.New)}
}

// hash leaves nothing as it is, and a hash too.
func hash(s string) string {
	if s == "" || isHash(s) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hashMark + hex.EncodeToString(sum[:])
}

func isHash(s string) bool {
	digits, ok := strings.CutPrefix(s, hashMark)
	sum, err := hex.DecodeString(digits)
	return ok && err == nil && len(sum) == sha256.Size
}
