package store

import "slices"

// Objects are told apart by size in steps of bucketBytes.
const (
	bucketBytes = 64
	buckets     = PageSize/bucketBytes + 1
)

// sweep lists the slots that a run selects, those with the largest objects first
// and among them those with the highest index, which is the kernel's order. It
// counts them by size, then goes over the table again for as many sizes at a
// time as its list has room for, so that its memory does not grow with what it
// finds. While pages change some may be missed; none comes twice that keeps its
// size.
type sweep struct {
	live    *live
	sel     selector
	byIndex bool
	list    []uint64
	total   int          // slots at the start
	count   [buckets]int // slots not yet listed
	top     int          // buckets above are done
	below   uint64       // and so are slots from here on of bucket top
}

// The list has a place for each sixteenth slot of the disk, within these bounds.
const (
	minList = 1 << 12
	maxList = 1 << 20
)

func newSweep(l *live, sel selector) *sweep {
	return newSweepOf(l, sel, max(minList, min(len(l.table.slots)/16, maxList)))
}

// newSweepOf makes a sweep whose list has at most that many places.
func newSweepOf(l *live, sel selector, places int) *sweep {
	s := &sweep{live: l, sel: sel, top: buckets - 1, below: uint64(len(l.table.slots))}
	s.scan(s.below, func(_ uint64, bucket int) bool {
		s.count[bucket]++
		s.total++
		return true
	})
	s.list = make([]uint64, min(s.total, places))
	return s
}

// goByIndex makes the sweep go over its slots without regard to size: a list's
// worth at a time those with the highest indices, and of these the lowest first.
// What lies side by side in the pool, because it was written side by side, is
// then freed at the same time.
func (s *sweep) goByIndex() {
	s.byIndex, s.top, s.count = true, 0, [buckets]int{s.total}
}

// orderShift is above the bits of a slot's index, indexMask has them.
const (
	orderShift = 56
	indexMask  = 1<<orderShift - 1
)

// next is the next slots in their order, none at the end or when the run is to
// stop. They are valid until the next call.
func (s *sweep) next() []uint64 {
	for s.top >= 0 && len(s.list) > 0 {
		low, n := s.lowest(), 0
		s.scan(s.begin(low), func(i uint64, bucket int) bool {
			if low <= bucket && bucket <= s.top && (bucket < s.top || i < s.below) {
				s.list[n] = uint64(s.top-bucket)<<orderShift | (indexMask - i)
				n++
			}
			return n < len(s.list)
		})
		found := s.list[:n]
		slices.Sort(found)
		for k := range found {
			found[k] = indexMask - found[k]&indexMask
		}
		if n == len(s.list) && n < s.count[s.top] {
			s.count[s.top] -= n
			s.below = found[n-1]
		} else {
			s.top, s.below = low-1, uint64(len(s.live.table.slots))
		}
		if n > 0 {
			if s.byIndex {
				slices.Reverse(found)
			}
			return found
		}
	}
	return nil
}

// lowest is the last of the buckets, from top down, that the list has room for.
func (s *sweep) lowest() int {
	low, sum := s.top, s.count[s.top]
	for low > 0 && sum+s.count[low-1] <= len(s.list) {
		low--
		sum += s.count[low]
	}
	return low
}

// begin is below which slot to look for those of the buckets from top to low.
func (s *sweep) begin(low int) uint64 {
	if low == s.top {
		return s.below
	}
	return uint64(len(s.live.table.slots))
}

// scan calls f for each slot that is selected, descending from the one before
// below, until f returns false or the run is to stop.
func (s *sweep) scan(below uint64, f func(i uint64, bucket int) bool) {
	t := s.live.table
	for below > 0 && !s.live.post.stopped() {
		var from uint64
		for from, below = t.touchedRangeBelow(below); below > from; {
			below--
			slot := &t.slots[below]
			e := entry(slot.word.Load())
			if e.kind() != kindObject || !s.sel.selects(below, e, slot.aux.Load()) {
				continue
			}
			bucket := e.size() / bucketBytes
			if s.byIndex {
				bucket = 0
			}
			if !f(below, bucket) {
				return
			}
		}
	}
}
