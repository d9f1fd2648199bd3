package alloc

import "math/bits"

// sweep gives back the memory behind free runs after an adoption: what was warm,
// cooling, or not yet committed when the process before this one ended.
//
// No run is ever punched that somebody has taken. Of a frame with a zspage, a
// free run that has memory is marked as taken, with runs.mu held, before it is
// punched, so nobody is given it meanwhile; who was given it before marked it
// himself. A frame without is on no list while it is still to be swept: none of
// them was put on one when the pool was made, and one that becomes empty is not
// either (keeps). So nobody can take it, or any of its runs, until it is listed
// behind the punch.
//
// The pages that the runs of a frame leave over at its end never have memory: a
// frame is given a chain length when it comes from the list, where it has none,
// and keeps that until its last run was punched or is swept.
type sweep struct {
	settling *settling // nil where there never was an adoption
	at, end  uint32    // frames that are still to be swept; at guarded by runs.mu
	held     []uint32  // first pages of free runs that are being punched; guarded by runs.mu
}

// stretch is pages [from, to).
type stretch struct{ from, to uint32 }

func (s *sweep) begin(top uint32, work *settling) {
	s.settling, s.at, s.end = work, min(1, top), top
	s.held = make([]uint32, 0, sweepFrames*framePages)
}

// keeps reports whether an empty frame is the sweep's, with runs.mu held.
func (s *sweep) keeps(i uint32) bool { return i >= s.at && i < s.end }

// await waits until the sweep has nothing that could be had, and reports whether
// it had. Who finds no room otherwise calls it.
func (s *sweep) await() bool {
	if s.settling == nil {
		return false
	}
	select {
	case <-s.settling.swept:
		return false
	default:
		s.settling.await(s.settling.swept)
		return true
	}
}

func (p *Pool) sweepAll(s *settling) {
	r := &p.runs
	var free []stretch
	for from := r.sweep.at; from < r.sweep.end; {
		to := min(from+sweepFrames, r.sweep.end)
		free = r.freeIn(free[:0], from, to)
		looked := len(free) > 0
		free = r.hold(r.withMemory(free))
		for _, f := range free {
			r.punch(f.from, int(f.to-f.from))
		}
		r.endSweep(to)
		if from = to; looked && !s.pause() {
			return
		}
	}
}

// freeIn is the free runs and empty frames of frames [from, to), ascending.
func (r *runs) freeIn(list []stretch, from, to uint32) []stretch {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := from; i < to; i++ {
		f := &r.frames[i]
		n := uint32(f.chain)
		if n == 0 {
			list = append(list, stretch{i * framePages, (i + 1) * framePages})
			continue
		}
		for free := ^f.taken & allTaken(f.chain); free != 0; free &= free - 1 {
			page := i*framePages + uint32(bits.TrailingZeros8(free))*n
			list = append(list, stretch{page, page + n})
		}
	}
	return list
}

// allTaken is the bits of all runs of n pages of a frame.
func allTaken(n uint8) uint8 { return 1<<(framePages/n) - 1 }

// withMemory is those of the list, in place, that have memory somewhere.
func (r *runs) withMemory(list []stretch) []stretch {
	var data uint32 // the first page with memory from where it was looked for last
	kept := list[:0]
	for _, l := range list {
		if data < l.from {
			data = uint32(r.arena.DataFrom(runOffset(l.from)) / PageSize)
		}
		if data < l.to {
			kept = append(kept, l)
		}
	}
	return kept
}

// hold takes those of the list that are still free, and returns them, in place,
// with neighbours in one.
func (r *runs) hold(list []stretch) []stretch {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := list[:0]
	for _, l := range list {
		i := l.from / framePages
		f := &r.frames[i]
		if f.chain != 0 { // if it had none it still has none
			bit := uint8(1) << (l.from % framePages / uint32(f.chain))
			if f.taken&bit != 0 {
				continue
			}
			if f.taken |= bit; f.taken == allTaken(f.chain) {
				r.unlink(&r.partial[f.chain], i)
			}
			r.sweep.held = append(r.sweep.held, l.from)
		}
		if last := len(kept) - 1; last >= 0 && kept[last].to == l.from {
			kept[last].to = l.to
		} else {
			kept = append(kept, l)
		}
	}
	return kept
}

// endSweep lets go of what is held, and of the empty frames up to to.
func (r *runs) endSweep(to uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, page := range r.sweep.held {
		r.release(page)
	}
	r.sweep.held = r.sweep.held[:0]
	from := r.sweep.at
	r.sweep.at = to
	for i := to; i > from; i-- { // the lowest will be taken first
		if r.frames[i-1].chain == 0 {
			r.link(&r.empty, i-1)
		}
	}
}
