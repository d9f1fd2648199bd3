package alloc

import (
	"uzram/internal/failpoint"
	"uzram/internal/invariants"
)

// allocHuge takes a page for one object. No class lock: the zspage is the
// object's alone.
func (p *Pool) allocHuge(l *local, owner uint64) (Handle, error) {
	page, err := p.runs.get(1, l)
	if err != nil {
		return 0, ErrNoMemory
	}
	failpoint.Hit(failpoint.PoolHuge)
	z := &p.zspages[page]
	*z = zspage{class: hugeIndex, inuse: 1, state: groupFull}
	z.setHugeOwner(owner)
	p.pages.Add(1)
	p.huge.Add(1)
	return handleAt(runOffset(page)), nil
}

func (p *Pool) freeHuge(l *local, page uint32) {
	z := &p.zspages[page]
	if invariants.Enabled && z.inuse != 1 {
		panic("alloc: freeing a huge object that is free")
	}
	p.erase(runOffset(page), PageSize)
	z.inuse = 0
	p.pages.Add(-1)
	p.huge.Add(-1)
	p.runs.put(page, 1, l)
}
