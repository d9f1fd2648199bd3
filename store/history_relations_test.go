package store

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// relations are changes to a history, or to what it runs on, that must not
// change what comes out: disk, figures and slots.
var relations = []struct {
	name   string
	change func(*rand.Rand, options, []op) (options, []op)
}{
	{"one worker", func(_ *rand.Rand, o options, h []op) (options, []op) {
		o.workers = 1
		return o, h
	}},
	{"more workers", func(rng *rand.Rand, o options, h []op) (options, []op) {
		o.workers = 7
		return o, each(h, func(x op) []op { x.worker = rng.IntN(7); return []op{x.normal()} })
	}},
	{"asynchronous codec", func(_ *rand.Rand, o options, h []op) (options, []op) {
		o.wrapping = "-waiting"
		return o, h
	}},
	{"compactions between", func(rng *rand.Rand, o options, h []op) (options, []op) {
		return o, each(h, func(x op) []op {
			if rng.IntN(3) > 0 {
				return []op{x}
			}
			return []op{x, {verb: opCompact}}
		})
	}},
	{"discards in two", func(rng *rand.Rand, o options, h []op) (options, []op) {
		return o, each(h, func(x op) []op { return inTwo(rng, x, opDiscard) })
	}},
	{"writes in two", func(rng *rand.Rand, o options, h []op) (options, []op) {
		return o, each(h, func(x op) []op { return inTwo(rng, x, opWrite) })
	}},
	{"reads between", func(rng *rand.Rand, o options, h []op) (options, []op) {
		return o, each(h, func(x op) []op {
			off, n := randomRange(rng, o.pages*PageSize)
			return []op{x, {verb: opRead, off: off, n: n}}
		})
	}},
}

func each(history []op, f func(op) []op) (changed []op) {
	for _, x := range history {
		changed = append(changed, f(x)...)
	}
	return changed
}

// inTwo cuts an op of verb v at a page within it, so that each page is discarded
// or written by one of the two as it was by the whole.
func inTwo(rng *rand.Rand, x op, v verb) []op {
	first := x.off/PageSize + 1 // where it may be cut
	last := (x.off + x.n - 1) / PageSize
	if x.verb != v || first > last {
		return []op{x}
	}
	cut := (first + rng.IntN(last-first+1)) * PageSize
	head, tail := x, x
	head.n = cut - x.off
	tail.off, tail.n = cut, x.off+x.n-cut
	tail.skip = x.skip + head.n
	return []op{head, tail}
}

// outcome is what a history leaves.
type outcome struct {
	disk  []byte
	slots []SlotState
	counts
}

// What a history leaves does not depend on who did its steps, how its requests
// were cut, or what went on between that changes no data. A shadow could be
// wrong in the same way as the device; here two runs of the device are compared.
func TestHistoryRelations(t *testing.T) {
	rng := newRand(t)
	o := options{algorithm: "zstd", secondary: []string{"deflate"}, pages: 40, workers: 3}
	// The reads of a relation take idle marks off.
	history := slices.DeleteFunc(o.generate(rng, *historySteps/2), func(x op) bool { return x.verb == opMarkIdle })
	run := func(o options, history []op) outcome {
		end, err := o.run(history, nil)
		if err != nil {
			t.Fatalf("%+v.run(%s)\n%v", o, printHistory(history), err)
		}
		return end
	}
	want := run(o, history)
	for _, r := range relations {
		other, changed := r.change(rng, o, history)
		t.Run(r.name, func(t *testing.T) {
			got := run(other, changed)
			if !bytes.Equal(got.disk, want.disk) || got.counts != want.counts || !slices.Equal(got.slots, want.slots) {
				t.Errorf("counts %+v, want %+v; slots %+v, want %+v", got.counts, want.counts, got.slots, want.slots)
			}
		})
	}
}
