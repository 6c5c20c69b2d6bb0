package matrix_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caregraph/caregraph/internal/access"
)

// anonymous is the viewer who has not signed in.
const anonymous = "anonymous"

// people are the users of the world; the own records of alice and bob, and the profiles of practitioners, are the rows named like them.
var people = []struct {
	name  string
	roles []access.Role
}{
	{"alice", []access.Role{access.Patient}},
	{"bob", []access.Role{access.Patient}},
	{"pete", []access.Role{access.Patient}}, // has no record yet
	{"dora", []access.Role{access.Doctor}},
	{"drew", []access.Role{access.Doctor}},
	{"dirk", []access.Role{access.Doctor}}, // has no profile yet
	{"cleo", []access.Role{access.Clinician}},
	{"sue", []access.Role{access.Supervisor}},
	{"nell", []access.Role{access.Nurse}},
	{"sid", []access.Role{access.Scheduler}},
	{"bea", []access.Role{access.Biller}},
	{"bess", []access.Role{access.Nurse, access.Biller}},
	{"phil", []access.Role{access.Pharmacist}},
	{"ada", []access.Role{access.Admin}},
	{"dana", []access.Role{access.Doctor, access.Admin}}, // owns the practice
	{"norm", nil}, // has no role
}

// The lists of viewers that the tables repeat. They are data: nothing asks a viewer for its roles.
const (
	nobody    = ""
	admins    = "ada dana"
	planners  = "sid ada dana"                                       // SCHEDULER, ADMIN
	cashiers  = "bea bess ada dana"                                  // BILLER, ADMIN
	desk      = "dora drew dirk nell bess sid ada dana"              // DOCTOR, NURSE, SCHEDULER, ADMIN
	staff     = "dora drew dirk cleo sue nell sid bea bess ada dana" // all but PHARMACIST
	directory = "alice bob pete " + staff                            // who may look up practitioners
	house     = "dora drew dirk nell bea bess ada dana"              // DOCTOR, NURSE, BILLER, ADMIN
	healers   = "dora drew dirk nell bess ada dana"                  // DOCTOR, NURSE, ADMIN
	wardens   = "nell bess ada dana"                                 // NURSE, ADMIN
	nurses    = "nell bess"
	tellers   = "nell bea bess ada dana" // NURSE, BILLER, ADMIN
	everyone  = directory + " phil"      // whoever has a role
	users     = "alice|bob|pete|dora|drew|dirk|cleo|sue|nell|sid|bea|bess|phil|ada|dana|norm|ivan"
)

// viewerNames lists everybody who asks.
var viewerNames = func() []string {
	names := []string{anonymous}
	for _, p := range people {
		names = append(names, p.name)
	}
	return names
}()

// set is a set of names.
type set map[string]bool

// viewers reads a list of the tables.
func viewers(list string) set {
	s := set{}
	for name := range strings.FieldsSeq(list) {
		if !slices.Contains(viewerNames, name) {
			panic(fmt.Sprintf("the tables name %q, who is no viewer", name))
		}
		s[name] = true
	}
	return s
}
