package store

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
)

var historySteps = flag.Int("store.history-steps", 500, "steps of each random history")

// Random histories of I/O and control verbs, on every algorithm, wrapping and
// worker count, with failing codecs, memory limits, shortages and set-ups
// between. After each step the disk, its invariants and its figures are what a
// plain array says.
func TestHistoryAgainstShadow(t *testing.T) {
	rng := newRand(t)
	for _, o := range optionSets(rng) {
		history := o.generate(rng, *historySteps)
		t.Run(o.String(), func(t *testing.T) { runHistory(t, o, history) })
	}
}

// runHistory runs a history and, if it fails, prints the shortest one found that
// fails too.
func runHistory(t *testing.T, o options, history []op) {
	t.Helper()
	_, err := o.run(history, nil)
	if err == nil {
		return
	}
	t.Errorf("%v", err)
	short := shrink(history, func(h []op) bool {
		_, err := o.run(h, nil)
		return err != nil
	})
	if _, again := o.run(short, nil); again != nil {
		err = again
	}
	t.Errorf("%d of %d steps do:\n%+v.run(%s)\n%v", len(short), len(history), o, printHistory(short), err)
}

// forgetful loses the discard of one page.
type forgetful struct {
	*Device
	page int64
}

func (f forgetful) Discard(s *Scratch, off, n int64) error {
	at := f.page * PageSize
	if off > at || at+PageSize > off+n {
		return f.Device.Discard(s, off, n)
	}
	page := make([]byte, PageSize)
	f.Device.ReadAt(s, page, at)
	err := f.Device.Discard(s, off, n)
	if element, same := sameFilled(page); !same || element != 0 {
		f.Device.WriteAt(s, page, at)
	}
	return err
}

// greedy spoils the last byte of a read of more than two pages that ends in the
// middle of one.
type greedy struct{ *Device }

func (g greedy) ReadAt(s *Scratch, p []byte, off int64) (int, error) {
	n, err := g.Device.ReadAt(s, p, off)
	if n > 2*PageSize && n%PageSize != 0 && p[n-1] != 0 {
		p[n-1]++
	}
	return n, err
}

// A planted bug is found, and what is printed of it is as short as can be.
func TestHistoryFindsAndShrinks(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(*Device) target
		verbs string // of the shrunk history
	}{
		{"a lost discard", func(d *Device) target { return forgetful{d, 5} }, "opWrite opDiscard"},
		{"a wrong last byte", func(d *Device) target { return greedy{d} }, "opWrite opRead"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options{algorithm: "lz4", pages: 16, workers: 2}
			fails := func(h []op) bool {
				_, err := o.run(h, c.plant)
				return err != nil
			}
			history := o.generate(newRand(t), 1500)
			if !fails(history) {
				t.Fatal("not found")
			}
			short := shrink(history, fails)
			var verbNames []string
			for _, x := range short {
				verbNames = append(verbNames, verbs[x.verb].name)
			}
			if got := strings.Join(verbNames, " "); got != c.verbs {
				t.Errorf("shrunk to %s, want %s", printHistory(short), c.verbs)
			}
			if _, err := o.run(short, nil); err != nil {
				t.Errorf("it fails without the bug too: %v", err)
			}
		})
	}
}

// Shrinking drops what does not matter and makes simpler what does.
func TestShrink(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	history := options{algorithm: "lz4", pages: 64, workers: 4}.generate(rng, 200)
	history = append(history, op{verb: opDiscard, worker: 3, off: 5*PageSize + 7, n: 9000})
	short := shrink(history, func(h []op) bool {
		writes := 0
		for _, x := range h {
			if x.verb == opWrite {
				writes++
			}
			if x.verb == opDiscard && writes >= 2 && x.n > PageSize {
				return true
			}
		}
		return false
	})
	want := `[]op{
	{verb: opWrite, n: 1, fill: zeroPage, seed: 0},
	{verb: opWrite, n: 1, fill: zeroPage, seed: 0},
	{verb: opDiscard, n: 8192},
}`
	if got := printHistory(short); got != want {
		t.Errorf("shrunk to %s, want %s", got, want)
	}
}
