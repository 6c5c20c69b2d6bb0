package access

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"
)

// Role is what a user may do.
type Role string

// The roles.
const (
	Admin      Role = "ADMIN"
	Doctor     Role = "DOCTOR"
	Nurse      Role = "NURSE"
	Clinician  Role = "CLINICIAN"
	Supervisor Role = "SUPERVISOR"
	Scheduler  Role = "SCHEDULER"
	Biller     Role = "BILLER"
	Pharmacist Role = "PHARMACIST"
	Patient    Role = "PATIENT"
)

// Roles lists all roles.
var Roles = []Role{Admin, Doctor, Nurse, Clinician, Supervisor, Scheduler, Biller, Pharmacist, Patient}

// IsPractitioner tells whether the role treats patients.
func (r Role) IsPractitioner() bool { return r == Doctor || r == Clinician || r == Supervisor }

// Viewer is who asks: a signed-in user, or the system.
type Viewer struct {
	UserID         uuid.UUID
	SessionID      uuid.UUID
	PatientID      uuid.UUID // the user's own record; zero for staff
	PractitionerID uuid.UUID // the user's own profile; zero for others
	Email          string
	Roles          []Role
	IP, UserAgent  string
	// NeedsTotp tells that the user must set up a second factor first: until then nothing else is allowed.
	NeedsTotp bool

	withDeleted bool // also sees visits that were deleted

	system string  // why the system acts; empty for users
	behind *Viewer // the user on whose behalf the system acts
}

// Has tells whether the viewer has one of the roles.
func (v *Viewer) Has(roles ...Role) bool {
	return v != nil && slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(v.Roles, r) })
}

// WithDeleted returns the viewer as one who also sees visits that were deleted, if the viewer is an administrator.
func (v *Viewer) WithDeleted() *Viewer {
	if v == nil {
		return nil
	}
	all := *v
	all.withDeleted = true
	return &all
}

// IsSystem tells whether the system acts.
func (v *Viewer) IsSystem() bool { return v != nil && v.system != "" }

// Reason tells why the system acts; empty for users.
func (v *Viewer) Reason() string { return v.system }

// Person returns the user who acts or on whose behalf the system does; nil when there is none.
func (v *Viewer) Person() *Viewer {
	if v.IsSystem() {
		return v.behind
	}
	return v
}

type (
	viewerKey  struct{}
	holderKey  struct{}
	failureKey struct{}
)

// WithFailure returns a ctx in which nobody is signed in because of err: a token that was given is no longer good.
func WithFailure(ctx context.Context, err error) context.Context {
	return context.WithValue(ctx, failureKey{}, err)
}

// Failure tells why nobody is signed in although a token was given; nil when none was.
func Failure(ctx context.Context) error {
	err, _ := ctx.Value(failureKey{}).(error)
	return err
}

// asked is who asks: a fixed viewer, or whoever the document's holder holds.
type asked struct {
	viewer *Viewer
	holder *atomic.Pointer[Viewer]
}

// WithHolder returns a ctx whose viewer Become can replace, as a sign-in does for the rest of its document.
func WithHolder(ctx context.Context) context.Context {
	holder := &atomic.Pointer[Viewer]{}
	holder.Store(From(ctx))
	return context.WithValue(context.WithValue(ctx, holderKey{}, holder), viewerKey{}, asked{holder: holder})
}

// Become makes v the viewer of the document that ctx belongs to.
func Become(ctx context.Context, v *Viewer) {
	if holder, ok := ctx.Value(holderKey{}).(*atomic.Pointer[Viewer]); ok {
		holder.Store(v)
	}
}

// As returns a ctx in which v asks, whatever becomes of the document around it; nil is nobody.
func As(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, asked{viewer: v})
}

// From returns who asks; nil when nobody is signed in.
func From(ctx context.Context) *Viewer {
	a, _ := ctx.Value(viewerKey{}).(asked)
	if a.holder != nil {
		return a.holder.Load()
	}
	return a.viewer
}

// System returns a ctx in which the system acts for the reason, a short constant text that shows in the audit, on behalf of the viewer so far.
func System(ctx context.Context, reason string) context.Context {
	return As(ctx, &Viewer{system: reason, behind: From(ctx).Person()})
}
