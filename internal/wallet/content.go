package wallet

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/canon"
	"github.com/caregraph/caregraph/internal/ids"
)

// IDOf returns the id of a patient's wallet: the patient's own with the wallet's tag.
func IDOf(patientID uuid.UUID) uuid.UUID {
	id := patientID
	id[len(id)-1] = ids.Tags[ent.TypeWallet]
	return id
}

// contentVersion counts the changes of the list of fields below: rows keep the version that they were written with only as long as this is 1, so who
// raises it stores it in the row too.
const contentVersion = 1

// Content returns the canonical encoding of a transaction: every column but the hash.
func Content(t *ent.WalletTransaction) []byte {
	date, sequence := canon.Null("charge_date"), canon.Null("charge_sequence")
	if t.ChargeDate != nil {
		date = canon.String("charge_date", t.ChargeDate.String())
	}
	if t.ChargeSequence != nil {
		sequence = canon.Int("charge_sequence", int64(*t.ChargeSequence))
	}
	return canon.Encode("wallet_transaction", contentVersion,
		canon.String("id", t.ID.String()), canon.Time("created_at", t.CreatedAt),
		canon.String("wallet_id", t.WalletID.String()), canon.String("patient_id", t.PatientID.String()),
		canon.Int("position", t.Position), canon.String("kind", string(t.Kind)),
		canon.Int("amount_minor", t.AmountMinor), canon.Int("balance_after_minor", t.BalanceAfterMinor), canon.String("currency", t.Currency),
		canon.String("counter_account", string(t.CounterAccount)),
		optional("admission_id", t.AdmissionID), date, sequence,
		canon.String("reference", t.Reference), canon.String("description", t.Description),
		optional("reverses_id", t.ReversesID), optional("actor_id", t.ActorID), canon.String("actor", t.Actor),
	)
}

func optional(name string, id *uuid.UUID) canon.Field {
	if id == nil {
		return canon.Null(name)
	}
	return canon.String(name, id.String())
}

// Hash returns the hash of a transaction that follows the one with the previous hash; "" before the first.
func Hash(previous string, t *ent.WalletTransaction) string {
	h := sha256.New()
	_, _ = h.Write([]byte(previous))
	_, _ = h.Write(Content(t))
	return hex.EncodeToString(h.Sum(nil))
}
