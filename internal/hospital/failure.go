package hospital

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chargefailure"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/notify"
)

const (
	failureAlert  = "CHARGE_FAILED"
	failurePage   = 500
	alertsPerRun  = 20 // more new failures than that have one cause, and the summary counts them
	failureLength = 500
)

// fail writes down that an admission could not be charged, and tells administrators when it is new, or had been resolved. The next runs try it again.
func (c *charging) fail(ctx context.Context, into *ChargeResult, d civil.Date, one candidate, cause error) error {
	failed := ChargeFailed{AdmissionID: one.id, ChargeDate: d, Attempts: chargeTries, Error: describe(cause)}
	defer func() { into.addFailed(failed) }()
	if c.IsDry {
		return nil
	}
	nth := int64(0) // of those that this run has opened
	return c.DB.WithTx(ctx, func(ctx context.Context) error {
		if err := c.DB.LockName(ctx, "charge failure "+one.id.String()); err != nil { // another run may find the same
			return err
		}
		row, err := c.DB.Client.ChargeFailure.Query().Where(chargefailure.AdmissionID(one.id), chargefailure.ChargeDate(d), c.DB.ForUpdate).Only(ctx)
		isOpen := err == nil && row.ResolvedAt == nil
		if ent.IsNotFound(err) {
			row, err = c.DB.Client.ChargeFailure.Create().SetAdmissionID(one.id).SetPatientID(one.patient).SetChargeDate(d).
				SetAttempts(chargeTries).SetError(failed.Error).SetLastTriedAt(c.DB.Now()).Save(ctx)
		} else if err == nil {
			row, err = c.DB.Client.ChargeFailure.UpdateOne(row).SetAttempts(row.Attempts + chargeTries).SetError(failed.Error).
				SetLastTriedAt(c.DB.Now()).ClearResolvedAt().Save(ctx)
		}
		if err != nil {
			return fmt.Errorf("write down a charge that failed: %w", err)
		}
		if failed.Attempts = row.Attempts; isOpen {
			return nil
		}
		if nth == 0 {
			nth = c.opened.Add(1)
		}
		if nth > alertsPerRun {
			return nil
		}
		return c.alert(ctx, row)
	})
}

// describe says what a charge failed of by codes and fixed texts alone: the cause, which may tell of patients, is for the log.
func describe(err error) string {
	list, known := fault.All(err)
	if !known {
		if errors.Is(err, errPanicked) {
			return "The program made a mistake; the log has more."
		}
		return "An unknown error; the log has more."
	}
	var codes []string
	for _, e := range list {
		if code := string(e.Code); !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return fmt.Sprintf("%.*s", failureLength, strings.Join(codes, ", "))
}

// alert tells administrators of a charge that could not be posted, once for each time that it was opened, in the app and by mail.
func (s *Service) alert(ctx context.Context, row *ent.ChargeFailure) error {
	admins, err := s.staff(ctx, access.Admin)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("The daily charge of admission %s for %s could not be posted after %d tries: %s Each run tries it again until it is.",
		row.AdmissionID, row.ChargeDate, row.Attempts, sentence(row.Error))
	const title = "A daily charge failed"
	attempt := strconv.Itoa(row.Attempts)
	notices, mails := make([]notify.Notice, len(admins)), make([]notify.Mail, len(admins))
	for i, admin := range admins {
		notices[i] = notify.Notice{Kind: failureAlert, UserID: admin.ID, SubjectID: row.ID, Occurrence: attempt, Title: title, Text: text}
		mails[i] = notify.Mail{Kind: failureAlert, UserID: &admin.ID, To: admin.Email, SubjectID: row.ID, Occurrence: attempt, Subject: title, Body: text + "\n"}
	}
	if err := s.Notify.Notices(ctx, notices...); err != nil {
		return err
	}
	return s.Notify.Mails(ctx, mails...)
}

// sentence ends a text with a full stop.
func sentence(text string) string { return strings.TrimSuffix(text, ".") + "." }

// staff are the active users with one of the roles.
func (s *Service) staff(ctx context.Context, roles ...access.Role) ([]*ent.User, error) {
	list, err := s.DB.Client.User.Query().Where(user.IsActive(true), func(q *sql.Selector) {
		any := make([]*sql.Predicate, len(roles))
		for i, role := range roles {
			any[i] = sqljson.ValueContains(user.FieldRoles, string(role))
		}
		q.Where(sql.Or(any...))
	}).Order(user.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find staff: %w", err)
	}
	return list, nil
}

// retryOpen tries again what failed for other dates, the oldest failures first, and notes whether there is something to resolve.
func (c *charging) retryOpen(ctx context.Context, into *ChargeResult) error {
	var last uuid.UUID
	for {
		rows, err := c.DB.Client.ChargeFailure.Query().Where(chargefailure.ResolvedAtIsNil(), chargefailure.IDGT(last)).
			Order(chargefailure.ByID()).Limit(failurePage).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		c.hasOpen = true
		for _, row := range rows {
			if last = row.ID; row.ChargeDate == c.Date { // comes with the date
				continue
			}
			if err := c.batch(ctx, into, row.ChargeDate, []candidate{{row.AdmissionID, row.PatientID}}); err != nil {
				return err
			}
		}
	}
}

// resolve marks the failures of the date that have become charges, or turned out not to be owed, in the transaction of that.
func (c *charging) resolve(ctx context.Context, d civil.Date, list []candidate) error {
	if !c.hasOpen {
		return nil
	}
	ids := make([]uuid.UUID, len(list))
	for i, one := range list {
		ids[i] = one.id
	}
	return c.DB.Client.ChargeFailure.Update().Where(chargefailure.ChargeDate(d), chargefailure.AdmissionIDIn(ids...), chargefailure.ResolvedAtIsNil()).
		SetResolvedAt(c.DB.Now()).Exec(ctx)
}
