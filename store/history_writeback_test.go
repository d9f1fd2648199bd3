package store

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// writebackRequests are what opWriteback chooses from.
var writebackRequests = []WritebackRequest{
	{}, {Idle: true}, {Huge: true}, {Idle: true, Huge: true}, {Incompressible: true},
	{Pages: []PageRange{{0, 0}}}, {Pages: []PageRange{{2, 2}, {0, 1}, {1, 2}}}, {Pages: []PageRange{{1, 40}}},
}

// openBacking gives the device of a trial a backing device again, which a reset
// took.
func (t *trial) openBacking() error {
	if t.options.blocks == 0 {
		return nil
	}
	t.backing = newMemBacking(t.options.blocks)
	t.backing.rng, t.backing.rate = rand.New(rand.NewPCG(3, uint64(t.steps))), t.backingRate
	t.dev.openFile = func(string) (Backing, error) { return t.backing, nil }
	t.dev.SetMemoryLocked(true)
	return errors.Join(
		t.dev.SetCompressedWriteback(t.options.compressed), t.dev.SetWritebackPack(t.options.pack),
		t.dev.SetWritebackChecksum(t.options.checksum), t.dev.SetWritebackEncryption(t.options.encrypt),
		t.dev.SetBackingDev("/memory"),
	)
}

func (t *trial) setBackingRate(o op) error {
	t.backingRate = o.n
	if t.backing != nil {
		t.backing.rate = o.n
	}
	return nil
}

func (t *trial) setBudget(o op) error {
	t.dev.SetWritebackLimit(uint64(max(0, o.n)))
	t.dev.SetWritebackLimited(o.n >= 0)
	t.budget = o.n
	return nil
}

func (t *trial) writeBack(o op) error {
	r, sh := writebackRequests[o.n%len(writebackRequests)], t.shadow
	got, err := t.dev.Writeback(r)
	switch {
	case sh.disk == nil || t.options.blocks == 0:
		if err == nil {
			return fmt.Errorf("written back by a device that cannot: %+v", got)
		}
		return nil
	case r.check(uint64(len(sh.pages))) != nil:
		if err == nil {
			return fmt.Errorf("%+v of %d pages did %+v", r, len(sh.pages), got)
		}
		return nil
	case t.rate > 0 || t.short || t.backingRate > 0:
		t.adoptWrittenBack(r)
		return nil
	}
	chosen := sh.writtenBack(r)
	if t.packs() {
		// How full the blocks get is not for a shadow to say.
		t.adoptWrittenBack(r)
		if full := errors.Is(err, ErrBackingFull) || errors.Is(err, ErrBudget); !full && (err != nil || got.Written != uint64(len(chosen))) ||
			got.Blocks > got.Written {
			return fmt.Errorf("%+v of %d pages did %+v, %v", r, len(chosen), got, err)
		}
		return nil
	}
	n, stop := len(chosen), error(nil)
	if free := t.options.blocks - int(sh.total().blocks); free < n {
		n, stop = free, ErrBackingFull
	}
	if t.budget >= 0 && t.budget < len(chosen) && t.budget <= n {
		n, stop = t.budget, ErrBudget
	}
	if t.budget >= 0 {
		t.budget -= n
	}
	want := WritebackResult{Tried: uint64(n), Written: uint64(n), Blocks: uint64(n)}
	for _, i := range chosen[:n] {
		want.Freed += uint64(sh.pages[i].size)
		sh.pages[i].writeBack()
	}
	sh.blockWrites += uint64(n)
	if got != want || !errors.Is(err, stop) {
		return fmt.Errorf("%+v did %+v, %v; want %+v, %v", r, got, err, want, stop)
	}
	if t.budget >= 0 && t.dev.WritebackLimit() != uint64(t.budget) {
		return fmt.Errorf("%d blocks left of the limit, want %d", t.dev.WritebackLimit(), t.budget)
	}
	return nil
}

// packs reports whether several pages share a block, so that their number does
// not tell how many blocks are in use.
func (o options) packs() bool { return o.compressed && o.pack }

// writtenBack are the pages of a run, in its order.
func (sh *shadow) writtenBack(r WritebackRequest) (chosen []int) {
	for i, p := range sh.pages {
		if p.kind == kindObject && r.wants(uint64(i), p) {
			chosen = append(chosen, i)
		}
	}
	slices.SortFunc(chosen, func(a, b int) int {
		return cmp.Or(cmp.Compare(sh.pages[b].size/bucketBytes, sh.pages[a].size/bucketBytes), cmp.Compare(b, a))
	})
	return chosen
}

func (r *WritebackRequest) wants(i uint64, p shadowPage) bool {
	if len(r.Pages) > 0 {
		return slices.ContainsFunc(r.Pages, func(x PageRange) bool { return x.First <= i && i <= x.Last })
	}
	return (r.Idle || r.Huge || r.Incompressible) &&
		(!r.Idle || p.idle) && (!r.Huge || p.size == PageSize) && (!r.Incompressible || p.incompressible)
}

func (p *shadowPage) writeBack() {
	p.kind, p.wasHuge, p.size, p.idle = kindBlock, p.size == PageSize, 0, false
}

// adoptWrittenBack follows a run of which any page may have failed.
func (t *trial) adoptWrittenBack(r WritebackRequest) {
	sh := t.shadow
	for _, i := range sh.writtenBack(r) {
		slot := &t.dev.live.Load().table.slots[i]
		if entry(slot.word.Load()).kind() == kindBlock {
			sh.pages[i].writeBack()
		} else if slot.aux.Load()&idleMark == 0 {
			sh.pages[i].idle = false
		}
	}
	sh.blockWrites = t.dev.Stats().BackingWrites
	if t.budget >= 0 {
		t.budget = int(t.dev.WritebackLimit())
	}
}
