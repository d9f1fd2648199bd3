package store

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

// contest is a crew that does I/O on a few hot pages, in rounds.
type contest struct {
	dev     *Device
	disk    target
	crew    *Workers
	pages   int
	failing bool // the codec fails now and then
	seed    uint64
	start   time.Time
	stamp   atomic.Uint32 // the last one given out
	rounds  uint64

	operations, overlaps int
}

// maxRound bounds how many operations of one page are checked as one history,
// whose cost grows with the square of that.
const maxRound = 600

// round lets each worker do its share of the operations and checks what they
// saw, from what the pages had before to what they have afterwards.
func (c *contest) round(operations int) error {
	c.rounds++
	history, err := c.atRest(pageBegin)
	if err != nil {
		return err
	}
	shares := make([][]porcupine.Operation, c.crew.Len())
	errs := make([]error, c.crew.Len())
	var wg sync.WaitGroup
	for id := range shares {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(c.seed+c.rounds, uint64(id)))
			for range operations / len(shares) {
				c.churn(rng, id)
				var o porcupine.Operation
				if o, errs[id] = c.call(rng, id); errs[id] != nil {
					return
				}
				shares[id] = append(shares[id], o)
			}
		})
	}
	wg.Wait()
	for id := range shares {
		if errs[id] != nil {
			return errs[id]
		}
		history = append(history, shares[id]...)
	}
	after, err := c.atRest(pageRead)
	if err != nil {
		return err
	}
	return c.check(append(history, after...))
}

// coldPages are behind the hot ones, and nobody looks at them.
const coldPages = 200

// churn writes or discards a cold page, one in two times, so that compaction
// always finds a place where a hot one could go.
func (c *contest) churn(rng *rand.Rand, id int) {
	s, off := c.crew.Scratch(id), int64(c.pages+rng.IntN(coldPages))*PageSize
	switch rng.IntN(4) {
	case 0:
		var page [PageSize]byte
		fillSectors(page[:], 0, sectors, rng.Uint32()&^7|2) // compresses
		c.dev.WriteAt(s, page[:], off)
	case 1:
		c.dev.Discard(s, off, PageSize)
	}
}

// check judges a round's history, page by page.
func (c *contest) check(history []porcupine.Operation) error {
	for page, part := range byPage(history, c.pages) {
		slices.SortFunc(part, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		c.operations += len(part)
		c.overlaps += overlapping(part)
		if !porcupine.CheckOperations(pageModel, part) {
			return fmt.Errorf("round %d: page %d is not linearizable:%s", c.rounds, page, describe(part))
		}
	}
	return nil
}

// describe is the end of a history as text.
func describe(history []porcupine.Operation) (s string) {
	const most = 60
	for i := max(0, len(history)-most); i < len(history); i++ {
		o := history[i]
		s += fmt.Sprintf("\n\t%9d-%9d ns worker %d: %v", o.Call, o.Return, o.ClientId, o.Input)
	}
	return s
}

// atRest reads every page with no worker about.
func (c *contest) atRest(what pageVerb) (history []porcupine.Operation, err error) {
	for page := range c.pages {
		o, err := c.do(0, pageCall{what: what, page: page, to: sectors})
		for tries := 0; err == nil && o.Input.(pageCall).failed; tries++ {
			if tries == 1000 {
				return nil, fmt.Errorf("page %d cannot be read", page)
			}
			o, err = c.do(0, pageCall{what: what, page: page, to: sectors})
		}
		if err != nil {
			return nil, err
		}
		history = append(history, o)
	}
	return history, nil
}

// call does one operation of a worker.
func (c *contest) call(rng *rand.Rand, id int) (porcupine.Operation, error) {
	x := pageCall{page: rng.IntN(c.pages), to: sectors}
	if rng.IntN(3) == 0 {
		x.from = rng.IntN(sectors)
		x.to = x.from + 1 + rng.IntN(sectors-x.from)
	}
	switch n := rng.IntN(16); {
	case n < 7:
		x.what = pageRead
	case n < 14:
		x.what, x.stamp = pageWrite, c.stamp.Add(1)
	case n < 15:
		x.what = pageDiscard
	default:
		x = pageCall{what: pageHint, page: x.page, to: sectors}
	}
	return c.do(id, x)
}

// do makes a call and notes when. A torn sector is an error at once, as is a
// failure that no codec is to blame for.
func (c *contest) do(id int, x pageCall) (o porcupine.Operation, err error) {
	s := c.crew.Scratch(id)
	off := int64(x.page*PageSize + x.from*sectorSize)
	var room [PageSize]byte
	buf := room[:(x.to-x.from)*sectorSize]
	if x.what == pageWrite {
		fillSectors(buf, x.from, x.to, x.stamp)
	}
	o.ClientId = id
	o.Call = int64(time.Since(c.start))
	switch x.what {
	case pageWrite:
		_, err = c.disk.WriteAt(s, buf, off)
	case pageDiscard:
		err = c.disk.Discard(s, off, int64(len(buf)))
	case pageHint:
		x.failed = !c.disk.FreeHint(s, uint64(x.page))
	default:
		_, err = c.disk.ReadAt(s, buf, off)
	}
	o.Return = int64(time.Since(c.start))
	if err != nil {
		x.failed, err = true, excuse(err, c.failing)
	} else if x.what.reads() {
		if x.got, err = readStamps(buf, x.from, x.to); err != nil {
			err = fmt.Errorf("page %d: %w", x.page, err)
		}
	}
	o.Input = x
	return o, err
}
