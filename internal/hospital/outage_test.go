package hospital_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/testkit"
)

// moments are the script's instants and the first instants of all dates, in order: at one instant the job comes before people.
func moments(acts []act, zone *time.Location, first civil.Date, days int) []act {
	var list []act
	d, i := first.AddDays(1), 0
	for ; d.DaysUntil(first.AddDays(days)) >= 0; d = d.AddDays(1) {
		start := civil.StartOfDay(d, zone)
		for ; i < len(acts) && acts[i].at.Before(start); i++ {
			list = append(list, acts[i])
		}
		list = append(list, act{at: start, kind: "midnight"})
	}
	return append(list, acts[i:]...)
}

// calm is the world in which the job is always on time.
func (w *world) calm(list []act) {
	w.t.Helper()
	for _, m := range list {
		w.clk.Set(m.at)
		if m.kind == "midnight" {
			require.NoError(w.t, w.look(w.desk))
			continue
		}
		require.True(w.t, w.does(w.desk, m))
	}
}

// trouble is a world of three instances that fail.
type trouble struct {
	*world
	dice      *rand.Rand
	instances []instance
	downUntil time.Time // no scheduler is up before
	kills     int
}

// live does the same as calm, with outages, faults at any write, deaths, and clocks that are set back.
func (w *trouble) live(list []act) {
	w.t.Helper()
	for range 3 {
		w.instances = append(w.instances, w.start())
	}
	for _, m := range list {
		if w.clk.Now().Before(m.at) {
			w.clk.Set(m.at)
		}
		if m.kind != "midnight" {
			w.persist(m)
		}
		if w.dice.IntN(40) == 0 {
			w.downUntil = m.at.Add(time.Duration(w.dice.Int64N(int64(12 * 24 * time.Hour))))
		}
		if m.at.Before(w.downUntil) || w.dice.IntN(3) == 0 {
			continue
		}
		if w.dice.IntN(10) == 0 { // a clock is set back, and right again
			w.clk.Set(m.at.Add(-time.Duration(w.dice.Int64N(int64(30 * time.Hour)))))
		}
		w.stop()
		w.clk.Set(m.at)
	}
}

// persist does something until its outcome is known, with faults in the way.
func (w *trouble) persist(m act) {
	w.t.Helper()
	for try := range 20 {
		i := w.dice.IntN(len(w.instances))
		if try < 3 && w.dice.IntN(4) == 0 {
			w.harm(w.instances[i], 12)
		}
		ok := w.does(w.instances[i], m)
		w.heal(i)
		if ok {
			return
		}
	}
	w.t.Fatalf("act %d, %s, never came through", m.n, m.kind)
}

// stop lets some instances look at their jobs at once, with faults.
func (w *trouble) stop() {
	w.t.Helper()
	var up sync.WaitGroup
	for i := range w.instances {
		if w.dice.IntN(3) == 0 {
			continue
		}
		if w.dice.IntN(2) == 0 {
			w.harm(w.instances[i], 40)
		}
		one := w.instances[i]
		up.Go(func() { _ = w.look(one) }) // it fails as it must
	}
	up.Wait()
	for i := range w.instances {
		w.heal(i)
	}
}

// harm makes one of the next writes of an instance go wrong, or a charge.
func (w *trouble) harm(i instance, writes int) {
	n := 1 + w.dice.IntN(writes)
	switch w.dice.IntN(6) {
	case 0:
		i.faults.KillBefore(n)
	case 1:
		i.faults.KillAfter(n)
	case 2:
		i.faults.FailAt(n, fault.ErrUnavailable)
	case 3:
		var mu sync.Mutex
		seed := w.dice.Uint64()
		dice := rand.New(rand.NewPCG(seed, 2))
		i.svc.Spoil(func(hospital.ChargeEntry) error {
			mu.Lock()
			defer mu.Unlock()
			if dice.IntN(3) == 0 {
				return errTrouble
			}
			return nil
		})
	default:
		i.faults.FailAt(n, errTrouble)
	}
}

// heal takes the trouble away, and starts what has died anew.
func (w *trouble) heal(i int) {
	w.t.Helper()
	w.instances[i].svc.Spoil(nil)
	w.instances[i].faults.Watch()
	if w.instances[i].faults.Dead() {
		w.kills++
		require.NoError(w.t, w.instances[i].jobs.Stop())
		_ = w.instances[i].db.Close() // which has a dead connection or two
		w.instances[i] = w.start()
	}
}

// comesToRest lets the job catch up without trouble, at the same instants in every world.
func (w *world) comesToRest(end time.Time) {
	w.t.Helper()
	for range 4 {
		end = end.Add(2 * time.Hour)
		w.clk.Set(end)
		require.NoError(w.t, w.look(w.desk))
	}
	_, err := w.desk.svc.ChargeDate(testkit.System(w.t), hospital.ChargeInput{Date: civil.DateOf(end, w.zone)})
	require.NoError(w.t, err)
}

// Whatever fails and however long nobody runs the job: in the end the books are those of a hospital in which nothing ever failed, row for row.
func TestOutages_BooksAreThoseOfACalmWorld(t *testing.T) {
	t.Parallel()
	days, seeds := 20, 1
	if testkit.IsLong() {
		days, seeds = 400, 3
	}
	if more, err := strconv.Atoi(os.Getenv("CAREGRAPH_SEEDS")); err == nil {
		seeds = more
	}
	for _, engine := range testkit.Engines() {
		for range seeds {
			seed := rand.Uint64()
			if given, err := strconv.ParseUint(os.Getenv("CAREGRAPH_SEED"), 10, 64); err == nil {
				seed = given
			}
			t.Run(engine+"/"+strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				simulate(t, engine, seed, days)
			})
		}
	}
}

func simulate(t *testing.T, engine string, seed uint64, days int) {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	zone := zoneOf(t, zonesOfTests[dice.IntN(len(zonesOfTests))])
	first := day(t, simStart).AddDays(dice.IntN(365))
	acts := script(dice, zone, first, days)
	list := moments(acts, zone, first, days)
	t.Logf("seed %d: %s, %s, %d days, %d acts", seed, zone, first, days, len(acts))
	end := civil.StartOfDay(first.AddDays(days), zone).Add(12 * time.Hour)

	calm := newWorld(t, engine, zone, first)
	calm.calm(list)
	calm.comesToRest(end)
	calm.check()

	troubled := &trouble{world: newWorld(t, engine, zone, first), dice: dice}
	troubled.live(list)
	troubled.comesToRest(end)
	troubled.check()
	t.Logf("%d rows, %d deaths of instances", len(calm.books()), troubled.kills)
	require.Equal(t, calm.outcomes, troubled.outcomes)
	require.Equal(t, calm.books(), troubled.books())
}
