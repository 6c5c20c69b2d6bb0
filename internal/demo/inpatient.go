package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/wallet"
)

// onDay is the instant at which the practice's clocks show the time, so many days from today; never later than the present.
func (s *Seeder) onDay(day int, local civil.LocalTime) time.Time {
	instant, _ := civil.Resolve(civil.DateOf(s.now, s.Zone).AddDays(day), local, s.Zone)
	return instant
}

// inpatient is the script of one admission and the wallet that pays it.
type inpatient struct {
	s       *Seeder
	patient string
	n       int // of payments, for keys

	id   uuid.UUID // once admitted
	last uuid.UUID // the last transaction made by hand
}

func (s *Seeder) inpatient(patient string) *inpatient { return &inpatient{s: s, patient: patient} }

func (p *inpatient) happens(at time.Time, what string, do func(ctx context.Context) error) {
	p.s.happens(at, what+" of "+p.patient, do)
}

// key names the next act that moves money.
func (p *inpatient) key() *string {
	p.n++
	key := fmt.Sprintf("demo-%s-%d", p.patient, p.n)
	return &key
}

// isAdmitted enters an admission; came is when the patient came, if not now.
func (p *inpatient) isAdmitted(at time.Time, bed, doctor, reason, diagnosis string, came ...time.Time) {
	p.happens(at, "admission", func(ctx context.Context) error {
		in := hospital.AdmitPatientInput{PatientID: p.s.patients[p.patient], BedID: p.s.beds[bed], Reason: reason, AttendingID: &p.s.practitioners[doctor].ID}
		if diagnosis != "" {
			in.Diagnosis = &diagnosis
		}
		if len(came) > 0 {
			in.AdmittedAt = &came[0]
		}
		made, _, err := p.s.Hospital.AdmitPatient(p.s.as(ctx, nurseKey), in)
		if err == nil {
			p.id = made.ID
		}
		return err
	})
}

func (p *inpatient) isMoved(at time.Time, bed string) {
	p.happens(at, "transfer", func(ctx context.Context) error {
		_, _, err := p.s.Hospital.TransferPatient(p.s.as(ctx, nurseKey), hospital.TransferPatientInput{AdmissionID: p.id, BedID: p.s.beds[bed]})
		return err
	})
}

// isDischarged enters a discharge; left is when the patient left, if not now.
func (p *inpatient) isDischarged(at time.Time, notes string, left ...time.Time) {
	p.happens(at, "discharge", func(ctx context.Context) error {
		in := hospital.DischargePatientInput{AdmissionID: p.id, Notes: &notes}
		if len(left) > 0 {
			in.DischargedAt = &left[0]
		}
		_, err := p.s.Hospital.DischargePatient(p.s.as(ctx, nurseKey), in)
		return err
	})
}

func (p *inpatient) dies(at time.Time, doctor, notes string) {
	p.happens(at, "death", func(ctx context.Context) error {
		_, err := p.s.Hospital.RecordDeath(p.s.as(ctx, doctor), hospital.RecordDeathInput{AdmissionID: p.id, Notes: &notes})
		return err
	})
}

// isMember registers the patient for the national scheme, from so many days before today on.
func (p *inpatient) isMember(at time.Time, number string, day int) {
	p.happens(at, "membership", func(ctx context.Context) error {
		from := civil.DateOf(p.s.now, p.s.Zone).AddDays(day)
		_, _, err := p.s.Hospital.RegisterNhia(p.s.as(ctx, nurseKey), hospital.RegisterNhiaInput{
			PatientID: p.s.patients[p.patient], RegistrationNumber: number, RegisteredOn: &from,
		})
		return err
	})
}

func (p *inpatient) isMemberNoMore(at time.Time) {
	p.happens(at, "end of the membership", func(ctx context.Context) error {
		_, _, err := p.s.Hospital.DeactivateNhia(p.s.as(ctx, nurseKey), hospital.DeactivateNhiaInput{PatientID: p.s.patients[p.patient]})
		return err
	})
}

func (p *inpatient) pays(at time.Time, amount string, method wallet.PaymentMethod) {
	key := p.key()
	p.happens(at, "payment", func(ctx context.Context) error {
		t, _, err := p.s.Wallets.TopUp(p.s.as(ctx, billerKey), wallet.TopUpWalletInput{
			PatientID: p.s.patients[p.patient], Amount: amount, Method: method, IdempotencyKey: key,
		})
		if err == nil {
			p.last = t.ID
		}
		return err
	})
}

// isCharged is something beside the bed.
func (p *inpatient) isCharged(at time.Time, what, amount string) {
	key := p.key()
	p.happens(at, "charge", func(ctx context.Context) error {
		t, _, err := p.s.Hospital.AddAdmissionCharge(p.s.as(ctx, billerKey), hospital.AddAdmissionChargeInput{
			AdmissionID: p.id, Description: what, Amount: amount, IdempotencyKey: key,
		})
		if err == nil {
			p.last = t.ID
		}
		return err
	})
}

// isAdjusted corrects the balance; by names how money is paid back.
func (p *inpatient) isAdjusted(at time.Time, amount, reason string, by *wallet.PaymentMethod) {
	key := p.key()
	p.happens(at, "adjustment", func(ctx context.Context) error {
		_, _, err := p.s.Wallets.Adjust(p.s.as(ctx, billerKey), wallet.AdjustWalletInput{
			PatientID: p.s.patients[p.patient], Amount: amount, Reason: reason, RefundBy: by, IdempotencyKey: key,
		})
		return err
	})
}

// isReversed takes the last transaction that was made by hand back.
func (p *inpatient) isReversed(at time.Time, reason string) {
	key := p.key()
	p.happens(at, "reversal", func(ctx context.Context) error {
		_, _, err := p.s.Wallets.ReverseTransaction(p.s.as(ctx, billerKey), wallet.ReverseWalletTransactionInput{
			TransactionID: p.last, Reason: reason, IdempotencyKey: key,
		})
		return err
	})
}
