package patient

import (
	"context"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/linkcode"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/onetime"
)

const linkLifetime = 30 * time.Minute

// sendLinkCode mails a code for the record on behalf of staff, in their transaction.
func (s *Service) sendLinkCode(ctx context.Context, p *ent.Patient) error {
	switch {
	case access.From(ctx).Has(access.Patient):
		return errNotStaff
	case s.Mail == nil:
		return fault.ErrUnavailable
	case p.UserID != nil:
		return errLinked
	case p.Email == "":
		return errNoAddress
	}
	ctx = access.System(ctx, "mail a link code")
	wait, err := s.wait(ctx, p)
	if err == nil && wait > 0 {
		err = fault.ErrThrottled.After(wait).With(limit.Exceeded{Limit: "link codes per hour and address"})
	}
	if err != nil {
		return err
	}
	return s.mailLinkCode(ctx, p)
}

// OfferLink mails a code to a patient whose address has just been proved, where exactly one record without an account has that address: of a family
// that shares one the practice has to say whose record it is. Once too many codes have gone to the address, none goes. ctx is the system's, in a transaction.
func (s *Service) OfferLink(ctx context.Context, address string) error {
	if s.Mail == nil {
		return nil
	}
	found, err := s.DB.Client.Patient.Query().Where(patient.EmailEqualFold(address), patient.UserIDIsNil()).Limit(2).All(ctx)
	if err != nil || len(found) != 1 {
		return err
	}
	if wait, err := s.wait(ctx, found[0]); err != nil || wait > 0 {
		return err
	}
	return s.mailLinkCode(ctx, found[0])
}

// wait tells how long no further code goes to the record's address; 0 when one may. Others who ask wait until the transaction ends.
func (s *Service) wait(ctx context.Context, p *ent.Patient) (time.Duration, error) {
	address := strings.ToLower(p.Email)
	if err := s.DB.LockName(ctx, "link codes "+address); err != nil {
		return 0, err
	}
	now := s.DB.Now()
	sent, err := s.DB.Client.LinkCode.Query().Where(linkcode.Address(address), linkcode.CreatedAtGT(now.Add(-time.Hour))).
		Order(linkcode.ByCreatedAt(sql.OrderDesc())).Limit(s.LinkMailsPerHour).All(ctx)
	if err != nil || len(sent) < s.LinkMailsPerHour {
		return 0, err
	}
	return sent[len(sent)-1].CreatedAt.Add(time.Hour).Sub(now), nil
}

// mailLinkCode makes a code, and earlier ones for the record worthless. The mail names nobody: an address may be shared, or wrong.
func (s *Service) mailLinkCode(ctx context.Context, p *ent.Patient) error {
	now := s.DB.Now()
	if err := s.DB.Client.LinkCode.Update().Where(linkcode.PatientID(p.ID), linkcode.UsedAtIsNil()).SetUsedAt(now).Exec(ctx); err != nil {
		return err
	}
	code := onetime.New()
	row, err := s.DB.Client.LinkCode.Create().SetPatientID(p.ID).SetAddress(strings.ToLower(p.Email)).SetCodeHash(onetime.Hash(code)).
		SetExpiresAt(now.Add(linkLifetime)).Save(ctx)
	if err != nil {
		return err
	}
	return s.Mail(ctx, Mail{
		Kind: "LINK_CODE", To: p.Email, SubjectID: p.ID, Occurrence: row.ID.String(),
		Subject: s.PracticeName + ": your record and your account",
		Body: s.PracticeName + " has a record with this address that no account belongs to yet.\n\n" +
			"To see it in your account, sign in within 30 minutes and enter this code:\n" + code + "\n\n" +
			"If you know of no such record, do nothing, and give the code to nobody.\n",
	})
}
