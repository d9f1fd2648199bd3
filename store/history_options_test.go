package store

import (
	"fmt"
	"math/rand/v2"

	"uzram/compress"
	"uzram/compress/codectest"
	"uzram/internal/invariants"
)

// options is what a history runs on, and what it may contain.
type options struct {
	algorithm string   // of package compress
	wrapping  string   // "", "-waiting", "-slow", "-failing": see codectest
	secondary []string // algorithms for recompression, from priority 1 up; wrapped the same
	pages     int
	workers   int
	limits    bool // the history changes the memory limit
	resets    bool // it resets and sets up
	blocks    int  // of the backing device; 0 = none
	badBlocks bool // which fails now and then

	compressed, pack, checksum, encrypt bool // of writeback
	shortages                           bool // it makes memory short, which has effect in checking builds only
	takeovers                           bool // processes die
}

func (o options) String() string {
	s := fmt.Sprintf("%s%s/pages=%d/workers=%d", o.algorithm, o.wrapping, o.pages, o.workers)
	for _, name := range o.secondary {
		s += "/secondary=" + name
	}
	for _, extra := range []struct {
		name string
		on   bool
	}{
		{"limits", o.limits}, {"resets", o.resets}, {"shortages", o.shortages}, {"takeovers", o.takeovers},
		{fmt.Sprint("blocks=", o.blocks), o.blocks > 0}, {"bad", o.badBlocks}, {"compressed", o.compressed},
		{"pack", o.pack}, {"checksum", o.checksum}, {"encrypt", o.encrypt},
	} {
		if extra.on {
			s += "/" + extra.name
		}
	}
	return s
}

// algorithms are the primary one and the secondary ones.
func (o options) algorithms() []string { return append([]string{o.algorithm}, o.secondary...) }

// codecs are o's algorithms, wrapped as o says.
func (o options) codecs(seed uint64) (codecs []compress.Codec) {
	for i, name := range o.algorithms() {
		codec, _ := compress.Lookup(name)
		switch o.wrapping {
		case "-waiting":
			codec = codectest.Waiting(codec)
		case "-slow":
			codec = codectest.Slow(codec, seed+uint64(i))
		case "-failing":
			codec = codectest.NewFailing(codec, seed+uint64(i))
		}
		codecs = append(codecs, codec)
	}
	return codecs
}

// setRate makes those of the codecs that can fail do so.
func setRate(codecs []compress.Codec, perMille int) {
	for _, codec := range codecs {
		if f, ok := codec.(*codectest.Failing); ok {
			f.SetRate(perMille)
		}
	}
}

// optionSets goes through every algorithm and every wrapping, with the rest at
// random.
func optionSets(rng *rand.Rand) (sets []options) {
	for i, algorithm := range compress.Names() {
		for _, wrapping := range []string{"", "-waiting", "-slow", "-failing"} {
			if i > 1 && wrapping == "-slow" {
				continue // two algorithms are enough of that
			}
			o := options{
				algorithm: algorithm,
				wrapping:  wrapping,
				pages:     []int{1, 3, 64, 150}[rng.IntN(4)],
				workers:   1 + rng.IntN(4),
				limits:    rng.IntN(2) == 0,
				resets:    rng.IntN(3) == 0,
				shortages: invariants.Enabled && rng.IntN(3) == 0,
				takeovers: rng.IntN(3) == 0,
			}
			if rng.IntN(3) > 0 {
				o.blocks = 1 + rng.IntN(o.pages+o.pages/4)
				o.badBlocks, o.compressed, o.pack = rng.IntN(3) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0
				o.checksum, o.encrypt = rng.IntN(3) == 0, rng.IntN(3) == 0
			}
			for range rng.IntN(3) {
				o.secondary = append(o.secondary, compress.Names()[rng.IntN(len(compress.Names()))])
			}
			sets = append(sets, o)
		}
	}
	return sets
}

// weights says how often a verb comes among others; a verb that o does not allow
// never does.
func (o options) weights() map[verb]int {
	w := map[verb]int{opWrite: 40, opRead: 24, opDiscard: 16, opFreeHint: 6, opCompact: 3, opMarkIdle: 3}
	if len(o.secondary) > 0 {
		w[opRecompress] = 4
	}
	if o.blocks > 0 {
		w[opWriteback], w[opBudget] = 8, 2
	}
	if o.badBlocks {
		w[opBadBlocks] = 3
	}
	if o.resets {
		w[opSetUp] = 1
	}
	if o.limits {
		w[opMemLimit] = 3
	}
	if o.wrapping == "-failing" {
		w[opFailRate] = 3
	}
	if o.takeovers {
		w[opTakeOver] = 3
	}
	if o.shortages {
		w[opShortage] = 4
	}
	return w
}

// generate makes a history of steps ops for o.
func (o options) generate(rng *rand.Rand, steps int) []op {
	var deck []verb
	for v := range verb(len(verbs)) {
		for range o.weights()[v] {
			deck = append(deck, v)
		}
	}
	size := o.pages * PageSize
	history := make([]op, steps)
	for i := range history {
		x := op{verb: deck[rng.IntN(len(deck))], worker: rng.IntN(8), fill: rng.IntN(fills), seed: rng.Uint64()}
		x.off, x.n = randomRange(rng, size)
		switch x.verb {
		case opWrite, opRead, opDiscard:
			if rng.IntN(50) == 0 { // across the end of the disk, or past it
				x.off += size - min(size, rng.IntN(4*PageSize))
			}
		case opRecompress:
			x.n = rng.IntN(len(recompressRequests))
		case opWriteback:
			x.n = rng.IntN(len(writebackRequests))
		case opBudget:
			x.n = rng.IntN(o.pages+1) - 1
			if rng.IntN(2) == 0 {
				x.n = -1
			}
		case opBadBlocks:
			x.n = rng.IntN(2) * rng.IntN(300)
		case opSetUp:
			x.n = (1 + rng.IntN(o.pages)) * PageSize
		case opMemLimit:
			x.n = rng.IntN(o.pages+1) * PageSize * rng.IntN(3) / 2
		case opFailRate:
			x.n = []int{0, 0, 50, 300, codectest.AllCalls}[rng.IntN(5)]
		case opShortage:
			x.n = max(-1, rng.IntN(6)-3)
		}
		history[i] = x.normal()
	}
	return history
}

func randomRange(rng *rand.Rand, size int) (off, n int) {
	if rng.IntN(2) == 0 { // whole pages
		off = rng.IntN(size/PageSize) * PageSize
		return off, min(size-off, (1+rng.IntN(5))*PageSize)
	}
	off = rng.IntN(size)
	return off, min(size-off, 1+rng.IntN(3*PageSize))
}
