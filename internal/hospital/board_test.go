package hospital_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/bed"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// watcher looks at the board of a ward.
type watcher struct {
	stream.Feed
	source stream.Source
	woken  chan struct{}
}

func watch(t *testing.T, board *hospital.Board, w *ent.Ward) *watcher {
	t.Helper()
	r := &watcher{woken: make(chan struct{}, 1)}
	var err error
	r.source, err = board.Watch(w.ID)
	require.NoError(t, err)
	r.Feed, err = r.source.Open(t.Context(), func() {
		select {
		case r.woken <- struct{}{}:
		default:
		}
	})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

// isWoken tells whether the watcher was woken since it was asked last.
func (r *watcher) isWoken() bool {
	select {
	case <-r.woken:
		return true
	default:
		return false
	}
}

// next is the newest state; nil when it was read already.
func (r *watcher) next(t *testing.T) (newest *hospital.BedBoard) {
	t.Helper()
	for {
		events, err := r.Next(t.Context())
		require.NoError(t, err)
		if len(events) == 0 {
			return newest
		}
		newest = events[0].Value.(*hospital.BedBoard)
	}
}

// picture shows a board: free, taken or closed for each bed.
func picture(b *hospital.BedBoard) (list []string) {
	for _, p := range b.Places {
		switch {
		case p.IsFree:
			list = append(list, p.Bed.Number+" free")
		case p.Stay != nil:
			list = append(list, p.Bed.Number+" taken")
		default:
			list = append(list, p.Bed.Number+" closed")
		}
	}
	return list
}

func numbered(number string) func(*ent.BedCreate) {
	return func(c *ent.BedCreate) { c.SetNumber(number) }
}

// Every change of stays, beds and the ward wakes who looks, whoever makes it: no poll runs here. A rollback wakes nobody, and another ward's change neither.
func TestBoard(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		board := hospital.NewBoard(db, stream.New(db, nil, quiet))
		w := testkit.Ward(t, db)
		one, two := testkit.Bed(t, db, w, numbered("1")), testkit.Bed(t, db, w, numbered("2"))
		nurse := testkit.As(t, h.nurse)
		r := watch(t, board, w)
		require.Equal(t, []string{"1 free", "2 free"}, picture(r.next(t)), "the first state at once")
		require.Nil(t, r.next(t))

		step := func(what string, want []string, err error) {
			t.Helper()
			require.NoError(t, err, what)
			require.True(t, r.isWoken(), what)
			require.Equal(t, want, picture(r.next(t)), what)
			require.Nil(t, r.next(t), what)
			r.isWoken()
		}
		a, _, err := h.AdmitPatient(nurse, hospital.AdmitPatientInput{PatientID: h.patient.ID, BedID: one.ID, Reason: "Pneumonia."})
		step("admitted", []string{"1 taken", "2 free"}, err)
		clk.Advance(time.Minute)
		_, _, err = h.TransferPatient(nurse, hospital.TransferPatientInput{AdmissionID: a.ID, BedID: two.ID})
		step("moved", []string{"1 free", "2 taken"}, err)
		_, err = h.UpdateBed(nurse, hospital.UpdateBedInput{ID: one.ID, Number: ptr("3")})
		step("renamed", []string{"2 taken", "3 free"}, err)
		_, err = h.UpdateBed(nurse, hospital.UpdateBedInput{ID: one.ID, IsActive: ptr(false)})
		step("taken out of use", []string{"2 taken"}, err)
		_, err = h.AddBed(nurse, hospital.AddBedInput{WardID: w.ID, Number: "4"})
		step("added", []string{"2 taken", "4 free"}, err)
		_, err = h.DischargePatient(nurse, hospital.DischargePatientInput{AdmissionID: a.ID})
		step("discharged", []string{"2 free", "4 free"}, err)
		_, err = h.UpdateWard(nurse, hospital.UpdateWardInput{ID: w.ID, IsActive: ptr(false)})
		step("closed", []string{"2 closed", "4 closed"}, err)

		h.admit(t)
		require.False(t, r.isWoken(), "another ward")
		failed := errors.New("no")
		require.ErrorIs(t, db.WithTx(testkit.System(t), func(ctx context.Context) error {
			return errors.Join(db.Client.Bed.UpdateOneID(two.ID).SetNumber("9").Exec(ctx), failed)
		}), failed)
		require.False(t, r.isWoken(), "nothing was committed")
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Bed.Update().Where(bed.ID(two.ID)).SetNumber("9").Exec(ctx)
		})
		step("many at once", []string{"4 closed", "9 closed"}, nil)
	})
}

// Each reader is shown the stays that the policy lets him see, with the patients.
func TestBoard_As(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		h.admit(t)
		testkit.Bed(t, db, h.ward, numbered("Z"))
		board := hospital.NewBoard(db, stream.New(db, nil, quiet))
		shared := watch(t, board, h.ward).next(t)
		shown, err := board.As(testkit.As(t, h.biller), *shared)
		require.NoError(t, err)
		require.Len(t, shown.Places, 2)
		require.Equal(t, h.patient.ID, shown.Places[0].Stay.Edges.Patient.ID)
		require.Nil(t, shown.Places[1].Stay)
		hidden, err := board.As(testkit.As(t, testkit.User(t, db, access.Scheduler)), *shared)
		require.NoError(t, err)
		require.Nil(t, hidden.Places[0].Stay)
		require.False(t, hidden.Places[0].IsFree)
		require.NotNil(t, shared.Places[0].Stay, "others' is as it was")
	})
}

// What hangs on the places is read at once, however many there are.
func TestBoard_InFewStatements(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		for range 7 {
			testkit.Admission(t, db, testkit.Bed(t, db, h.ward), testkit.Record(t, db), clk.Now())
		}
		board := hospital.NewBoard(db, stream.New(db, nil, quiet))
		shared := watch(t, board, h.ward).next(t)
		var trips atomic.Int64
		ctx := store.CountRoundTrips(testkit.As(t, h.biller), &trips)
		shown, err := board.As(ctx, *shared)
		require.NoError(t, err)
		require.Len(t, shown.Places, 8)
		for _, p := range shown.Places {
			of, err := p.Bed.Ward(ctx)
			require.NoError(t, err)
			require.Equal(t, h.ward.ID, of.ID)
			if p.Stay == nil {
				continue
			}
			patient, err := p.Stay.Patient(ctx)
			require.NoError(t, err)
			require.Equal(t, p.Stay.PatientID, patient.ID)
			a, err := p.Stay.Admission(ctx)
			require.NoError(t, err)
			require.Equal(t, p.Stay.AdmissionID, a.ID)
			in, err := p.Stay.Bed(ctx)
			require.NoError(t, err)
			require.Equal(t, p.Stay.BedID, in.ID)
			of, err = p.Stay.Ward(ctx)
			require.NoError(t, err)
			require.Equal(t, h.ward.ID, of.ID)
		}
		require.LessOrEqual(t, trips.Load(), int64(4))
	})
}

// The board is for who works with beds, of wards that there are; that is looked at again for every event.
func TestBoard_Access(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		h.admit(t)
		board := hospital.NewBoard(db, stream.New(db, nil, quiet))
		source, err := board.Watch(h.ward.ID)
		require.NoError(t, err)
		for _, who := range []any{h.nurse, h.biller, h.admin, h.doctor} {
			require.NoError(t, source.Check(testkit.As(t, who)))
		}
		for _, who := range []any{h.patient, testkit.User(t, db, access.Scheduler), testkit.User(t, db, access.Clinician)} {
			require.ErrorIs(t, source.Check(testkit.As(t, who)), fault.ErrForbidden)
		}
		require.ErrorIs(t, source.Check(t.Context()), fault.ErrForbidden, "nobody is signed in")
		none, err := board.Watch(unknown)
		require.NoError(t, err)
		refused(t, none.Check(testkit.As(t, h.nurse)), "NOT_FOUND", "wardId")
		require.False(t, source.IsOrdered())
	})
}
