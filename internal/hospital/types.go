package hospital

import (
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
)

// BedBoard are the beds of a ward at an instant.
type BedBoard struct {
	OccurredAt time.Time
	WardID     uuid.UUID
	Places     []BedPlace // by number
}

// BedPlace is a bed and who lies in it.
type BedPlace struct {
	Bed    *ent.Bed
	Stay   *ent.Stay // nil when nobody does
	IsFree bool      // in use and empty
}

// ChargePlan is what is charged daily for an admission from the next date on.
type ChargePlan struct {
	DailyRate       money.Amount // on the date
	FirstChargeDate civil.Date   // that is still to come
	IsExempt        bool         // on the date
	AdmissionFee    money.Amount
	Summary         string
}

// SkipReason is why an admission owes nothing for a date.
type SkipReason string

// The reasons.
const (
	NHIAExempt     SkipReason = "NHIA_EXEMPT"
	NoBed          SkipReason = "NO_BED"
	ZeroRate       SkipReason = "ZERO_RATE"
	AlreadyCharged SkipReason = "ALREADY_CHARGED"
	NotAdmitted    SkipReason = "NOT_ADMITTED"
)

// ChargeEntry is one daily charge, posted or to be.
type ChargeEntry struct {
	AdmissionID, PatientID uuid.UUID
	ChargeDate             civil.Date
	Amount                 money.Amount // above zero
	WardID                 uuid.UUID
	Reference              string
}

// ChargeSkip is an admission that owes nothing for a date.
type ChargeSkip struct {
	AdmissionID, PatientID uuid.UUID
	ChargeDate             civil.Date
	Reason                 SkipReason
}

// ChargeFailed is a charge that could not be posted.
type ChargeFailed struct {
	AdmissionID uuid.UUID
	ChargeDate  civil.Date
	Attempts    int
	Error       string
}

// ChargeTotals are what a run came to.
type ChargeTotals struct {
	Processed, Charged, Exempt, Skipped, Failed int
	Amount                                      money.Amount
}
