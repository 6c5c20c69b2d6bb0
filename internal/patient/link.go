package patient

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/linkcode"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/onetime"
	"github.com/caregraph/caregraph/internal/store"
)

// Link joins the record that the code was mailed for to the account of a user, in one transaction with what tell does, and returns the record that the
// account has then. Where the account has a record already, the two become one: that without a history is merged into the other and dropped. Package
// identity calls it for a signed-in patient. Errors: TOKEN_INVALID, ILLEGAL_STATUS (both have a history, or tell of different people).
func (s *Service) Link(ctx context.Context, userID uuid.UUID, code string, tell func(context.Context) error) (record uuid.UUID, err error) {
	for _, dropsOld := range []bool{false, true} {
		err = s.DB.WithTx(access.System(ctx, "linkPatientAccount"), func(ctx context.Context) error {
			record, err = s.link(ctx, userID, code, dropsOld)
			if err != nil {
				return err
			}
			return tell(ctx)
		})
		if !store.IsReferenced(err) { // else the record that was to be dropped has a history: the database says so
			return record, err
		}
	}
	return uuid.Nil, errNotOne
}

// link uses the code up. Of two records it drops the account's own, or, where that has a history, the one the code was mailed for.
func (s *Service) link(ctx context.Context, userID uuid.UUID, code string, dropsOld bool) (uuid.UUID, error) {
	if err := s.DB.Lock(ctx, user.Table, userID); err != nil { // one code at a time
		return uuid.Nil, err
	}
	token, old, err := s.useLinkCode(ctx, code)
	if err != nil {
		return uuid.Nil, err
	}
	own, err := s.DB.Client.Patient.Query().Where(patient.UserID(userID)).Only(ctx)
	if ent.IsNotFound(err) {
		return old.ID, s.DB.Client.Patient.UpdateOneID(old.ID).SetUserID(userID).Exec(ctx)
	}
	if err != nil {
		return uuid.Nil, err
	}
	if err := s.DB.Lock(ctx, patient.Table, own.ID); err != nil {
		return uuid.Nil, err
	}
	if areDifferent(old, own) {
		return uuid.Nil, errNotOne
	}
	kept, dropped := old, own
	if dropsOld {
		kept, dropped = own, old
	}
	if _, err := s.DB.Client.LinkCode.Delete().Where(linkcode.PatientID(dropped.ID), linkcode.IDNEQ(token.ID)).Exec(ctx); err != nil {
		return uuid.Nil, err
	}
	if dropsOld { // the code goes with its record
		if err := s.DB.Client.LinkCode.DeleteOneID(token.ID).Exec(ctx); err != nil {
			return uuid.Nil, err
		}
	}
	if err := s.DB.Client.Patient.DeleteOneID(dropped.ID).Exec(ctx); err != nil {
		return uuid.Nil, err
	}
	return kept.ID, s.absorb(ctx, kept, dropped, userID)
}

// useLinkCode uses a code up and returns its record, locked. A code is worthless once the record has an account, or another address.
func (s *Service) useLinkCode(ctx context.Context, code string) (*ent.LinkCode, *ent.Patient, error) {
	token, err := s.DB.Client.LinkCode.Query().Where(linkcode.CodeHash(onetime.Hash(code))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil, ErrTokenInvalid
	}
	if err != nil {
		return nil, nil, err
	}
	if err := s.DB.Lock(ctx, patient.Table, token.PatientID); err != nil {
		return nil, nil, err
	}
	now := s.DB.Now()
	err = s.DB.Client.LinkCode.UpdateOneID(token.ID).Where(linkcode.UsedAtIsNil(), linkcode.ExpiresAtGT(now)).SetUsedAt(now).Exec(ctx)
	if ent.IsNotFound(err) {
		return nil, nil, ErrTokenInvalid
	}
	if err != nil {
		return nil, nil, err
	}
	record, err := s.DB.Client.Patient.Get(ctx, token.PatientID)
	if err == nil && (record.UserID != nil || strings.ToLower(record.Email) != token.Address) {
		err = ErrTokenInvalid
	}
	return token, record, err
}

// areDifferent tells whether two records cannot be of one person. Names change, and prove nothing.
func areDifferent(a, b *ent.Patient) bool {
	return a.BirthDate != nil && b.BirthDate != nil && *a.BirthDate != *b.BirthDate ||
		differ(a.Ihi, b.Ihi) || differ(a.MedicareNumber, b.MedicareNumber) || a.MedicareNumber != nil && b.MedicareNumber != nil && a.MedicareIrn != b.MedicareIrn
}

func differ(a, b *string) bool { return a != nil && b != nil && *a != *b }

// absorb gives a record the account, and what the dropped one said and it did not. What both said stays as it is; the audit keeps the other's.
func (s *Service) absorb(ctx context.Context, kept, dropped *ent.Patient, userID uuid.UUID) error {
	update := s.DB.Client.Patient.UpdateOneID(kept.ID).SetUserID(userID)
	text := func(present, other string, set func(string) *ent.PatientUpdateOne) {
		if present == "" && other != "" {
			set(other)
		}
	}
	text(kept.Email, dropped.Email, update.SetEmail)
	text(kept.Phone, dropped.Phone, update.SetPhone)
	if kept.AddressLine == "" && kept.Suburb == "" && kept.State == "" && kept.Postcode == "" { // an address is one thing
		text("", dropped.AddressLine, update.SetAddressLine)
		text("", dropped.Suburb, update.SetSuburb)
		text("", dropped.State, update.SetState)
		text("", dropped.Postcode, update.SetPostcode)
	}
	if kept.BirthDate == nil && dropped.BirthDate != nil {
		update.SetBirthDate(*dropped.BirthDate)
	}
	if kept.Gender == patient.GenderUNKNOWN {
		update.SetGender(dropped.Gender)
	}
	if kept.Type == patient.TypeREGULAR {
		update.SetType(dropped.Type)
	}
	if kept.Ihi == nil && dropped.Ihi != nil {
		update.SetIhi(*dropped.Ihi)
	}
	if kept.MedicareNumber == nil && dropped.MedicareNumber != nil {
		update.SetMedicareNumber(*dropped.MedicareNumber).SetMedicareIrn(dropped.MedicareIrn).SetMedicareExpiry(dropped.MedicareExpiry)
	}
	return clash(update.Exec(ctx))
}
