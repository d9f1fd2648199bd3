package store

import "fmt"

// Check verifies the invariants of the package comment over the whole slot
// table and those of the pool, and names the first that does not hold. No I/O
// may run meanwhile.
func (d *Device) Check() error {
	return d.withLive(func(l *live) error {
		var sum tally
		owner := map[uint64]uint64{}
		var cells uint64
		for i := range l.table.slots {
			i := uint64(i)
			e := l.table.load(i)
			sum.weigh(e, 1)
			if l.table.isTouched(i) && l.table.slots[i].lock.Load() != 0 {
				return fmt.Errorf("slot %d is locked at rest: %#x", i, l.table.slots[i].lock.Load())
			}
			switch e.kind() {
			case kindSame:
				if _, elsewhere := e.element(); elsewhere {
					cells++
				}
			case kindObject:
				if n := e.size(); n < 1 || n > PageSize {
					return fmt.Errorf("S3: slot %d has an object of %d bytes", i, n)
				}
				if other, taken := owner[uint64(e.handle())]; taken {
					return fmt.Errorf("S2: slots %d and %d name the object %#x", other, i, e.handle())
				}
				owner[uint64(e.handle())] = i
			case kindBlock:
				return fmt.Errorf("S1: slot %d is on a backing device that there is not: %#x", i, uint64(e))
			}
		}
		var used uint64
		for _, c := range l.pool.Classes() {
			used += c.Used
		}
		if used != uint64(len(owner)) {
			return fmt.Errorf("S2: %d objects in the pool, %d named by slots", used, len(owner))
		}
		if cells != l.elements.used {
			return fmt.Errorf("S4: %d element cells in use, %d named by slots", l.elements.used, cells)
		}
		got := l.total()
		if got.orig != sum.orig || got.same != sum.same || got.huge != sum.huge || got.compr != sum.compr {
			return fmt.Errorf("S4: counted are %+v, the table says %+v", got, sum)
		}
		return l.pool.Check()
	})
}
