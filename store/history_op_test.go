package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// op is one step of a history, a value: a history can be printed, cut and run
// again. A verb looks at those fields only that it has in verbs.
type op struct {
	verb   verb
	worker int    // modulo the crew
	off, n int    // bytes, but for rates, opBudget and opShortage
	fill   int    // what a write writes, see fillPage and below
	seed   uint64 // of its contents
	skip   int    // bytes of the contents left out, which would go before off
}

type verb int

const (
	opWrite    verb = iota // n bytes at off
	opRead                 // n bytes at off
	opDiscard              // n bytes at off
	opFreeHint             // the page at off
	opCompact
	opMarkIdle
	opRecompress // as recompressRequests[n] says
	opWriteback  // as writebackRequests[n] says
	opBudget     // n blocks may be written back; -1: there is no limit
	opBadBlocks  // n of 1000 requests of the backing device fail
	opSetUp      // a reset, then a disk of n bytes
	opMemLimit   // n bytes; 0 = none
	opFailRate   // n of 1000 calls of the codec
	opShortage   // memory runs out after n requests for some; -1: there is enough again
	opTakeOver   // the process dies, another one takes over
)

// verbs says how a verb is called, how it is done, and what it looks at: worker,
// off, n and contents (w, o, n, c).
var verbs = map[verb]struct {
	name, fields string
	do           func(*trial, op) error
}{
	opWrite:      {"opWrite", "wonc", (*trial).write},
	opRead:       {"opRead", "won", (*trial).read},
	opDiscard:    {"opDiscard", "won", (*trial).discard},
	opFreeHint:   {"opFreeHint", "wo", (*trial).freeHint},
	opCompact:    {"opCompact", "", (*trial).compact},
	opMarkIdle:   {"opMarkIdle", "", (*trial).markIdle},
	opRecompress: {"opRecompress", "n", (*trial).recompress},
	opWriteback:  {"opWriteback", "n", (*trial).writeBack},
	opBudget:     {"opBudget", "n", (*trial).setBudget},
	opBadBlocks:  {"opBadBlocks", "n", (*trial).setBackingRate},
	opSetUp:      {"opSetUp", "n", (*trial).setUp},
	opMemLimit:   {"opMemLimit", "n", (*trial).setMemLimit},
	opFailRate:   {"opFailRate", "n", (*trial).setFailRate},
	opShortage:   {"opShortage", "n", (*trial).setShortage},
	opTakeOver:   {"opTakeOver", "", (*trial).takeOver},
}

// Contents beyond the kinds of fillPage.
const (
	nearlySamePage = pageKinds + iota // one word differs
	edgePage                          // compresses to about the huge threshold
	mixedPages                        // each page of a write of another kind
	fills
)

var fillNames = [fills]string{
	"zeroPage", "inlinePage", "oddElementPage", "textPage", "halfPage", "randomPage",
	"nearlySamePage", "edgePage", "mixedPages",
}

func (o op) uses(field byte) bool { return strings.IndexByte(verbs[o.verb].fields, field) >= 0 }

// normal is o with the fields zero that its verb does not look at.
func (o op) normal() op {
	n := op{verb: o.verb}
	if o.uses('w') {
		n.worker = o.worker
	}
	if o.uses('o') {
		n.off = o.off
	}
	if o.uses('n') {
		n.n = o.n
	}
	if o.uses('c') {
		n.fill, n.seed, n.skip = o.fill, o.seed, o.skip
	}
	return n
}

// String is o as it stands in a Go slice of ops.
func (o op) String() string {
	s := "{verb: " + verbs[o.verb].name
	if o.uses('w') && o.worker != 0 {
		s += fmt.Sprintf(", worker: %d", o.worker)
	}
	if o.uses('o') && o.off != 0 {
		s += fmt.Sprintf(", off: %d", o.off)
	}
	if o.uses('n') && o.n != 0 {
		s += fmt.Sprintf(", n: %d", o.n)
	}
	if o.uses('c') {
		s += fmt.Sprintf(", fill: %s, seed: %d", fillNames[o.fill], o.seed)
		if o.skip != 0 {
			s += fmt.Sprintf(", skip: %d", o.skip)
		}
	}
	return s + "}"
}

// printHistory is a history as Go source.
func printHistory(history []op) string {
	var b strings.Builder
	b.WriteString("[]op{\n")
	for _, o := range history {
		fmt.Fprintf(&b, "\t%v,\n", o)
	}
	b.WriteString("}")
	return b.String()
}

// contents is what o writes. Where it covers pages of the disk whole, they are
// of the kind that o.fill says.
func (o op) contents() []byte {
	rng := rand.New(rand.NewPCG(o.seed, 0))
	o.off, o.n = o.off-o.skip, o.n+o.skip
	buf, page := make([]byte, o.n), make([]byte, PageSize)
	for at := 0; at < o.n; {
		kind := o.fill
		if kind == mixedPages {
			kind = rng.IntN(mixedPages)
		}
		switch kind {
		case nearlySamePage:
			fill(page, rng.Uint64())
			page[rng.IntN(PageSize)]++
		case edgePage:
			clear(page)
			randomBytes(rng, page[:3580+rng.IntN(60)])
		default:
			fillPage(rng, kind, page)
		}
		at += copy(buf[at:], page[(o.off+at)%PageSize:])
	}
	return buf[o.skip:]
}
