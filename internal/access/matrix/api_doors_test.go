package matrix_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/testkit"
)

// tryDoors calls every root field as every viewer: who is not let in is told so, who is let in is not.
func (a *api) tryDoors() {
	a.checkTable(operations, slices.Concat(schema().Query.Fields, schema().Mutation.Fields))
	a.checkTable(subscriptions, schema().Subscription.Fields)
	names := slices.Sorted(maps.Keys(operations))
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(last, n) })
	a.checkInputs()
	a.tryHiddenInputs()
	for _, viewer := range viewerNames {
		for _, name := range append(slices.Clone(names), last...) {
			a.tryDoor(viewer, name)
		}
	}
}

// checkTable compares the table with the root fields that the API has.
func (a *api) checkTable(table map[string]operation, fields ast.FieldList) {
	for _, f := range fields {
		if _, known := table[f.Name]; !known && !strings.HasPrefix(f.Name, "__") {
			a.t.Errorf("no table says who may call %s", f.Name)
		}
	}
	for name := range table {
		if fields.ForName(name) == nil {
			a.t.Errorf("the table names a root field that the API has not: %s", name)
		}
	}
}

func (a *api) tryDoor(viewer, name string) {
	kind := "mutation"
	if schema().Query.Fields.ForName(name) != nil {
		kind = "query"
	}
	a.tried(wayDoor, name)
	r := a.clients[viewer].Do(a.t, kind+" { "+operations[name].call+" }", nil)
	code := codeOf(r, name)
	want := viewers(operations[name].may)[viewer]
	switch refused := code == "FORBIDDEN" || code == "UNAUTHENTICATED"; {
	case r.Data == nil && len(r.Errors) == 0 || strings.HasPrefix(code, "INTERNAL") || code == "GRAPHQL_VALIDATION_FAILED":
		a.violated(wayDoor, viewer, "%s: HTTP %d %s", name, r.Status, r.Body)
	case refused && want:
		a.violated(wayDoor, viewer, "%s must let the viewer in: %s", name, r.Body)
	case !refused && !want:
		a.violated(wayDoor, viewer, "%s must not let the viewer in: %s", name, r.Body)
	case !want && (code == "UNAUTHENTICATED") != (viewer == anonymous):
		a.violated(wayDoor, viewer, "%s refuses with %s", name, code)
	}
}

// codeOf is the code of the first fault or outcome.
func codeOf(r *testkit.Response, name string) string {
	if len(r.Errors) > 0 {
		return r.Errors[0].Code()
	}
	return r.Text(name + ".userErrors.0.code")
}

// hiddenInputs are mutations that take the id of a row: what they answer for a row that is hidden from the viewer must be what they answer for none.
var hiddenInputs = map[string]string{
	"updatePatient":             "Patient",
	"markNotificationRead":      "Notification",
	"revokeSession":             "Session",
	"updateUser":                "User",
	"deactivateUser":            "User",
	"reactivateUser":            "User",
	"createOrder":               "Appointment",
	"updateSlot":                "Slot",
	"deleteSlot":                "Slot",
	"unblockTime":               "Leave",
	"cancelAppointment":         "Appointment",
	"rescheduleAppointment":     "Appointment",
	"completeAppointment":       "Appointment",
	"markNoShow":                "Appointment",
	"updateAppointment":         "Appointment",
	"deleteAppointment":         "Appointment",
	"answerQuestionnaire":       "Appointment",
	"updateQuestion":            "Question",
	"recordPayment":             "Order",
	"refundOrder":               "Order",
	"settleRefund":              "Refund",
	"sendMessage":               "ChatRoom",
	"markRoomRead":              "ChatRoom",
	"editMessage":               "ChatMessage",
	"deleteMessage":             "ChatMessage",
	"createUpload":              "ChatRoom",
	"manageChatRoom":            "ChatRoom",
	"deleteChatRoom":            "ChatRoom",
	"breakGlass":                "ChatRoom",
	"setTyping":                 "ChatRoom",
	"updatePractitionerProfile": "Practitioner",
	"updateWard":                "Ward",
	"setWardRate":               "Ward",
	"addBed":                    "Ward",
	"updateBed":                 "Bed",
	"transferPatient":           "Admission",
	"dischargePatient":          "Admission",
	"recordDeath":               "Admission",
	"addAdmissionCharge":        "Admission",
	"registerNhia":              "Patient",
	"deactivateNhia":            "Patient",
	"chargeAdmissions":          "Admission",
	"topUpWallet":               "Patient",
	"adjustWallet":              "Patient",
	"reverseWalletTransaction":  "WalletTransaction",
}

// openInputs are the other mutations that take an id, and why a hidden row cannot be told from none there or may be.
var openInputs = map[string]string{
	"admitPatient":    "whoever may admit reads every patient, bed and practitioner",
	"blockTime":       "whoever may block time reads every practitioner",
	"createSlot":      "whoever may make slots reads every practitioner",
	"createSlots":     "whoever may make slots reads every practitioner",
	"bookAppointment": "SLOT_IN_PAST is for patients who took too long, though past slots are hidden from them; patients name nobody else's record",
}

// checkInputs finds mutations that take an id and are in neither table.
func (a *api) checkInputs() {
	for _, f := range schema().Mutation.Fields {
		for _, arg := range f.Arguments {
			input := schema().Types[arg.Type.Name()]
			takesID := slices.ContainsFunc(input.Fields, func(field *ast.FieldDefinition) bool { return field.Type.Name() == "ID" })
			if takesID && hiddenInputs[f.Name] == "" && openInputs[f.Name] == "" {
				a.t.Errorf("%s takes an id, and no table says of which entity", f.Name)
			}
		}
	}
}

func (a *api) tryHiddenInputs() {
	for name, entity := range hiddenInputs {
		o := operations[name]
		for _, viewer := range strings.Fields(o.may) {
			answer := func(id string) string {
				r := a.clients[viewer].Do(a.t, "mutation { "+strings.ReplaceAll(o.call, nothing, id)+" }", nil)
				return strings.ReplaceAll(string(r.Body), id, "ID")
			}
			none := answer(foreign(a.of(entity)[0]))
			for _, id := range a.hidden(a.of(entity), viewer) {
				a.tried(wayDoor, entity)
				if some := answer(id.String()); none != some {
					a.violated(wayDoor, viewer, "%s of the hidden %s answers %s, of none %s", name, a.names[id], some, none)
				}
			}
		}
	}
}

// foreign is an id of the same entity that no row has.
func foreign(id uuid.UUID) string {
	id[10] ^= 0xff
	return id.String()
}
