package hospital_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/stay"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// requireTidy checks what holds of all stays: those of an admission follow each other without a gap, from its beginning to its end; no bed has two patients at
// one instant, and no patient two beds.
func requireTidy(t *testing.T, h *house) {
	t.Helper()
	all, err := h.db.Client.Stay.Query().Order(stay.ByFromAt(), stay.ByID()).All(testkit.System(t))
	require.NoError(t, err)
	admissions, err := h.db.Client.Admission.Query().All(testkit.System(t))
	require.NoError(t, err)
	for _, a := range admissions {
		end := &a.AdmittedAt
		for _, s := range all {
			if s.AdmissionID == a.ID {
				require.NotNil(t, end, "a stay after one that goes on")
				require.True(t, end.Equal(s.FromAt), "a gap")
				end = s.ToAt
			}
		}
		require.Equal(t, a.Status == admission.StatusADMITTED, a.DischargedAt == nil)
		if a.DischargedAt == nil {
			require.Nil(t, end)
		} else {
			require.True(t, a.DischargedAt.Equal(*end))
		}
	}
	for i, s := range all {
		for _, other := range all[i+1:] {
			isEmpty := s.ToAt != nil && s.ToAt.Equal(s.FromAt) || other.ToAt != nil && other.ToAt.Equal(other.FromAt)
			if !isEmpty && (s.BedID == other.BedID || s.PatientID == other.PatientID) {
				require.False(t, (other.ToAt == nil || s.FromAt.Before(*other.ToAt)) && (s.ToAt == nil || other.FromAt.Before(*s.ToAt)), "two at once")
			}
		}
	}
}

// modelStay is a stay as the model knows it.
type modelStay struct {
	patient, bed, admission uuid.UUID
	from                    time.Time
	to                      *time.Time
}

// meets tells whether the stay holds an instant from then on.
func (s modelStay) meets(from time.Time) bool {
	return s.to == nil || s.to.After(from) && s.to.After(s.from)
}

// walk is one random way through a small hospital, beside a model of it in memory.
type walk struct {
	*house
	t        *testing.T
	dice     *rand.Rand
	patients []*ent.Patient
	beds     []*ent.Bed
	model    []modelStay
	log      []string
}

func (w *walk) story() string { return fmt.Sprint(w.log) }

// open is the stay of the model in which the patient lies; nil when in none.
func (w *walk) open(p uuid.UUID) *modelStay {
	for i := range w.model {
		if w.model[i].patient == p && w.model[i].to == nil {
			return &w.model[i]
		}
	}
	return nil
}

// isBedFree tells whether the bed is free from an instant on.
func (w *walk) isBedFree(bed uuid.UUID, from time.Time) bool {
	return !slices.ContainsFunc(w.model, func(s modelStay) bool { return s.bed == bed && s.meets(from) })
}

// past is now, or late paperwork's time.
func (w *walk) past() (given *time.Time, at time.Time) {
	at = w.clk.Now()
	if w.dice.IntN(2) == 0 {
		at = at.Add(-time.Duration(w.dice.IntN(72*60)) * time.Minute)
		given = &at
	}
	return given, at
}

func (w *walk) admit(ctx context.Context) {
	p, b := w.patients[w.dice.IntN(len(w.patients))], w.beds[w.dice.IntN(len(w.beds))]
	given, at := w.past()
	wasIn := slices.ContainsFunc(w.model, func(s modelStay) bool { return s.patient == p.ID && s.meets(at) })
	may := !wasIn && w.isBedFree(b.ID, at)
	a, _, err := w.AdmitPatient(ctx, hospital.AdmitPatientInput{PatientID: p.ID, BedID: b.ID, Reason: "Pneumonia.", AdmittedAt: given})
	w.did("admit", may, err)
	if err == nil {
		w.model = append(w.model, modelStay{p.ID, b.ID, a.ID, at, nil})
	}
}

func (w *walk) move(ctx context.Context) {
	p, b := w.patients[w.dice.IntN(len(w.patients))], w.beds[w.dice.IntN(len(w.beds))]
	s := w.open(p.ID)
	if s == nil {
		return
	}
	now := w.clk.Now()
	may := s.bed != b.ID && w.isBedFree(b.ID, now)
	_, _, err := w.TransferPatient(ctx, hospital.TransferPatientInput{AdmissionID: s.admission, BedID: b.ID})
	w.did("transfer", may, err)
	if err == nil {
		next := modelStay{p.ID, b.ID, s.admission, now, nil}
		s.to = &now
		w.model = append(w.model, next)
	}
}

func (w *walk) leave(ctx context.Context) {
	s := w.open(w.patients[w.dice.IntN(len(w.patients))].ID)
	if s == nil {
		return
	}
	given, at := w.past()
	if w.dice.IntN(4) == 0 { // it was a mistake: the patient was never here
		given, at = &s.from, s.from
	}
	_, err := w.DischargePatient(ctx, hospital.DischargePatientInput{AdmissionID: s.admission, DischargedAt: given})
	w.did("discharge", !at.Before(s.from), err)
	if err == nil {
		s.to = &at
	}
}

// did compares an outcome with what the model expects; an outcome that is none of the contract's fails the walk.
func (w *walk) did(what string, may bool, err error) {
	w.t.Helper()
	w.log = append(w.log, fmt.Sprintf("%s %s: %v", w.clk.Now().Format(time.DateTime), what, err))
	if err != nil {
		_, known := fault.All(err)
		require.True(w.t, known, w.story())
	}
	require.Equal(w.t, may, err == nil, "%v %s", err, w.story())
}

// compare holds the stored stays against the model: they are the same, so none was rewritten.
func (w *walk) compare() {
	w.t.Helper()
	all, err := w.db.Client.Stay.Query().All(testkit.System(w.t))
	require.NoError(w.t, err)
	got := make([]string, len(all))
	for i, s := range all {
		got[i] = modelStay{s.PatientID, s.BedID, s.AdmissionID, s.FromAt, s.ToAt}.text()
	}
	want := make([]string, len(w.model))
	for i, s := range w.model {
		want[i] = s.text()
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(w.t, want, got, w.story())
}

func (s modelStay) text() string {
	text := fmt.Sprint(s.patient, s.bed, s.admission, s.from.UnixMicro())
	if s.to != nil {
		text += fmt.Sprint(" ", s.to.UnixMicro())
	}
	return text
}

const (
	steps     = 60
	manyWalks = 60
	someWalks = 4
)

// Whatever is entered, in time or late: the bed of every instant is known, and it is what was entered.
func TestStays_AreNeverRewritten(t *testing.T) {
	t.Parallel()
	walks := someWalks
	if testkit.IsLong() {
		walks = manyWalks
	}
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		for n := range walks {
			seed := uint64(n + 1)
			w := &walk{house: newHouse(t, db, clk), t: t, dice: rand.New(rand.NewPCG(seed, 7))} // #nosec G404 -- a walk that can be repeated
			for range 3 {
				w.patients = append(w.patients, testkit.Record(t, db))
				w.beds = append(w.beds, testkit.Bed(t, db, w.ward))
			}
			others, err := db.Client.Stay.Query().All(testkit.System(t))
			require.NoError(t, err)
			for _, s := range others { // of the walks before
				w.model = append(w.model, modelStay{s.PatientID, s.BedID, s.AdmissionID, s.FromAt, s.ToAt})
			}
			nurse := testkit.As(t, w.nurse)
			for range steps {
				clk.Advance(time.Duration(1+w.dice.IntN(24*60)) * time.Minute)
				actions := []func(context.Context){w.admit, w.admit, w.move, w.leave}
				actions[w.dice.IntN(len(actions))](nurse)
			}
			w.goHome(nurse)
			w.compare()
			requireTidy(t, w.house)
			requireBooks(t, w)
		}
	})
}

// goHome discharges who is still there.
func (w *walk) goHome(ctx context.Context) {
	for _, p := range w.patients {
		if s := w.open(p.ID); s != nil {
			now := w.clk.Now()
			_, err := w.DischargePatient(ctx, hospital.DischargePatientInput{AdmissionID: s.admission})
			w.did("discharge", true, err)
			s.to = &now
		}
	}
}

// requireBooks checks that what stands in the wallets is what the model owes: a day's rate for each midnight in a bed.
func requireBooks(t *testing.T, w *walk) {
	t.Helper()
	zone := zoneOf(t, testkit.Zone)
	for _, p := range w.patients {
		want := int64(0)
		for _, s := range w.model {
			year, month, day := s.from.In(zone).Date()
			for at := time.Date(year, month, day, 0, 0, 0, 0, zone); s.patient == p.ID && at.Before(*s.to); at = at.AddDate(0, 0, 1) {
				if !at.Before(s.from) {
					want -= dailyMinor
				}
			}
		}
		account, err := w.db.Client.Wallet.Query().Where(entwallet.PatientID(p.ID)).Only(testkit.System(t))
		if ent.IsNotFound(err) {
			require.Zero(t, want, w.story())
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, account.BalanceMinor, w.story())
	}
}
