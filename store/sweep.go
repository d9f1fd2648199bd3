package store

import "slices"

// Objects are told apart by size in steps of bucketBytes.
const (
	bucketBytes = 64
	buckets     = PageSize/bucketBytes + 1
)

// sweep lists the slots that a run selects, those with the largest objects
// first. It counts them by size, then goes over the table again for as many
// sizes at a time as its list has room for, so that its memory does not grow
// with what it finds. While pages change some may be missed; none comes twice
// that keeps its size.
type sweep struct {
	live  *live
	sel   selector
	list  []uint64
	count [buckets]int // slots not yet listed
	top   int          // buckets above are done
	from  uint64       // and so are slots below of bucket top
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
	s := &sweep{live: l, sel: sel, top: buckets - 1}
	total := 0
	s.scan(0, func(_ uint64, bucket int) bool {
		s.count[bucket]++
		total++
		return true
	})
	s.list = make([]uint64, min(total, places))
	return s
}

// orderShift is above the bits of a slot's index.
const orderShift = 56

// next is the next slots in their order, none at the end or when the run is to
// stop. They are valid until the next call.
func (s *sweep) next() []uint64 {
	for s.top >= 0 && len(s.list) > 0 {
		low, n := s.lowest(), 0
		s.scan(s.begin(low), func(i uint64, bucket int) bool {
			if low <= bucket && bucket <= s.top && (bucket < s.top || i >= s.from) {
				s.list[n] = uint64(s.top-bucket)<<orderShift | i
				n++
			}
			return n < len(s.list)
		})
		found := s.list[:n]
		slices.Sort(found)
		for k := range found {
			found[k] &= 1<<orderShift - 1
		}
		if n == len(s.list) && n < s.count[s.top] {
			s.count[s.top] -= n
			s.from = found[n-1] + 1
		} else {
			s.top, s.from = low-1, 0
		}
		if n > 0 {
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

// begin is where to look for slots of the buckets from top to low.
func (s *sweep) begin(low int) uint64 {
	if low == s.top {
		return s.from
	}
	return 0
}

// scan calls f for each slot that is selected, ascending from slot from, until f
// returns false or the run is to stop.
func (s *sweep) scan(from uint64, f func(i uint64, bucket int) bool) {
	t := s.live.table
	for i, end := from, uint64(len(t.slots)); i < end && !s.live.post.stopped(); {
		var to uint64
		for i, to = t.touchedRange(i, end); i < to; i++ {
			e := entry(t.slots[i].word.Load())
			if e.kind() == kindObject && s.sel.selects(e, t.slots[i].aux.Load()) && !f(i, e.size()/bucketBytes) {
				return
			}
		}
	}
}
