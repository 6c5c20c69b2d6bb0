package testkit

import (
	"context"
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/ids"
)

// System returns a ctx in which the system acts.
func System(tb testing.TB) context.Context { return access.System(tb.Context(), "test") }

// As returns a ctx in which the rows' person asks; see Viewer.
func As(tb testing.TB, rows ...any) context.Context { return access.As(tb.Context(), Viewer(rows...)) }

// Viewer returns the signed-in person that the rows tell of: *ent.User, *ent.Patient, *ent.Practitioner, an access.Role to have as well,
// or several of these. The roles of a patient or practitioner without the user are those of its kind.
func Viewer(rows ...any) *access.Viewer {
	v := &access.Viewer{SessionID: ids.New(ent.TypeSession, Start), IP: "203.0.113.7", UserAgent: "testkit"}
	var implied []access.Role
	for _, row := range rows {
		switch r := row.(type) {
		case *ent.User:
			v.UserID, v.Email = r.ID, r.Email
			for _, role := range r.Roles {
				v.Roles = append(v.Roles, access.Role(role))
			}
		case *ent.Patient:
			v.PatientID = r.ID
			if r.UserID != nil {
				v.UserID = *r.UserID
			}
			implied = append(implied, access.Patient)
		case *ent.Practitioner:
			v.PractitionerID, v.UserID = r.ID, r.UserID
			if r.Kind == practitioner.KindCLINICIAN {
				implied = append(implied, access.Clinician)
			} else {
				implied = append(implied, access.Doctor)
			}
		case access.Role:
			v.Roles = append(v.Roles, r)
		default:
			panic(fmt.Sprintf("testkit: no viewer is made of a %T", row))
		}
	}
	if len(v.Roles) == 0 {
		v.Roles = implied
	}
	return v
}
