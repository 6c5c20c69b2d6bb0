package identity

import (
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
)

// RegisterPatientInput is the input of registerPatient.
type RegisterPatientInput struct {
	// E-mail address; it has to be verified.
	Email string
	// At least 10 characters, none of the common ones.
	Password string
	// Given name.
	GivenName string
	// Family name.
	FamilyName string
	// Telephone number; Australian form or with country code.
	Phone *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// VerifyEmailInput is the input of verifyEmail.
type VerifyEmailInput struct {
	// The token from the mail.
	Token string
}

// LoginInput is the input of login.
type LoginInput struct {
	// E-mail address, in any case.
	Email string
	// The password.
	Password string
	// One-time code of the second factor, or one of the recovery codes, for accounts that have one.
	Totp *string
	// True for browsers: the session is also set as a cookie that scripts cannot read.
	UseCookie *bool
}

// RequestPasswordResetInput is the input of requestPasswordReset.
type RequestPasswordResetInput struct {
	// E-mail address of the account, in any case.
	Email string
}

// ResetPasswordInput is the input of resetPassword.
type ResetPasswordInput struct {
	// The token from the mail.
	Token string
	// The new password: at least 10 characters, none of the common ones.
	NewPassword string
}

// EnableTotpInput is the input of enableTotp.
type EnableTotpInput struct {
	// The viewer's password.
	Password string
}

// ConfirmTotpInput is the input of confirmTotp.
type ConfirmTotpInput struct {
	// The code that the generator shows.
	Code string
}

// DisableTotpInput is the input of disableTotp.
type DisableTotpInput struct {
	// The viewer's password.
	Password string
	// A one-time code, or one of the recovery codes.
	Code string
}

// LinkPatientAccountInput is the input of linkPatientAccount.
type LinkPatientAccountInput struct {
	// The code from the mail, in any case and with or without hyphens.
	Code string
}

// LogoutInput is the input of logout; nothing is needed.
type LogoutInput struct {
	// Any text of the client; ignored.
	ClientMutationID *string
}

// ExtendSessionInput is the input of extendSession; nothing is needed.
type ExtendSessionInput struct {
	// Any text of the client; ignored.
	ClientMutationID *string
}

// PingActivityInput is the input of pingActivity; nothing is needed.
type PingActivityInput struct {
	// Any text of the client; ignored.
	ClientMutationID *string
}

// ChangePasswordInput is the input of changePassword.
type ChangePasswordInput struct {
	// The old password.
	CurrentPassword string
	// The new password: at least 10 characters, none of the common ones.
	NewPassword string
}

// RevokeSessionInput is the input of revokeSession.
type RevokeSessionInput struct {
	// The session.
	ID uuid.UUID
}

// RevokeOtherSessionsInput is the input of revokeOtherSessions; nothing is needed.
type RevokeOtherSessionsInput struct {
	// Any text of the client; ignored.
	ClientMutationID *string
}

// CreateUserInput is the input of createUser.
type CreateUserInput struct {
	// E-mail address.
	Email string
	// First password: at least 10 characters, none of the common ones.
	Password string
	// Given name.
	GivenName string
	// Family name.
	FamilyName string
	// Telephone number; Australian form or with country code.
	Phone *string
	// Roles; PATIENT stands alone. Doctors and clinicians get a practitioner profile, patients a record.
	Roles []access.Role
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// UpdateUserInput is the input of updateUser: what is left out or null stays; an empty string clears.
type UpdateUserInput struct {
	// The account.
	ID uuid.UUID
	// E-mail address; it has to be verified again.
	Email *string
	// Given name.
	GivenName *string
	// Family name.
	FamilyName *string
	// Telephone number.
	Phone *string
	// Roles; PATIENT stands alone.
	Roles []access.Role
	// True removes the second factor, for users who have lost it; not one's own.
	ResetTotp *bool
	// Version the changes were made from; another one is a CONFLICT.
	ExpectedVersion *int
}

// DeactivateUserInput is the input of deactivateUser.
type DeactivateUserInput struct {
	// The account.
	ID uuid.UUID
}

// ReactivateUserInput is the input of reactivateUser.
type ReactivateUserInput struct {
	// The account.
	ID uuid.UUID
}

// UpdatePractitionerProfileInput is the input of updatePractitionerProfile: what is left out or null stays; an empty string clears.
type UpdatePractitionerProfileInput struct {
	// The profile; the viewer's own when left out.
	PractitionerID *uuid.UUID
	// Name with title, as patients read it.
	Name *string
	// Field of work.
	Specialty *string
	// Degrees and fellowships.
	Qualification *string
	// Zone in which the practitioner works.
	TimeZone *string
	// AHPRA registration number.
	AhpraNumber *string
	// Last day of the AHPRA registration.
	AhpraExpiresOn *civil.Date
	// PBS prescriber number.
	PrescriberNumber *string
	// Medicare provider number.
	ProviderNumber *string
	// Healthcare Provider Identifier of the individual.
	HpiI *string
	// Whether the practitioner may prescribe Schedule 8 medicines; administrators alone may set it.
	HasSchedule8Authority *bool
	// Last day of that authority; administrators alone may set it.
	Schedule8ExpiresOn *civil.Date
	// Version the changes were made from; another one is a CONFLICT.
	ExpectedVersion *int
}

// SessionStatus is where a session stands at a moment.
type SessionStatus struct {
	// The session.
	Session *ent.Session
	// How the user is counted for timeouts.
	UserType UserType
	// Length of the idle timeout in seconds.
	TimeoutSeconds int
	// Seconds until the session ends unless the user does something; 0 when it has.
	SecondsRemaining int
	// Seconds before the end at which clients should warn.
	WarningThreshold int
	// True from the warning threshold to the end.
	ShowWarning bool
	// True when the session has ended.
	IsExpired bool
}

// UserType is how a user is counted for timeouts.
type UserType string

// The user types.
const (
	TypeAdmin   UserType = "ADMIN"
	TypeStaff   UserType = "STAFF"
	TypePatient UserType = "PATIENT"
)

// SessionState is a state of sessions to filter by.
type SessionState string

// The session states.
const (
	StateActive     SessionState = "ACTIVE"
	StateExpired    SessionState = "EXPIRED"
	StateSuspicious SessionState = "SUSPICIOUS"
)
