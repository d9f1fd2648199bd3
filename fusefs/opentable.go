package fusefs

import (
	"sync/atomic"
	"syscall"

	"uzram/internal/failpoint"
)

// openPlace is an open of an image, if handle is not 0. All else is written
// before handle, so that a process that finds a handle finds what it stands for.
type openPlace struct {
	handle atomic.Uint64
	unique atomic.Uint64 // of the OPEN that made it
	disk   atomic.Uint64 // id
	taken  atomic.Uint64 // who writes the place has it; 0 = free. Handles, too
}

// resent is the bit that the kernel sets in the unique of a request that it sends
// again.
const resent = 1 << 63

func sameRequest(a, b uint64) bool { return (a^b)&^resent == 0 }

// openImage notes an open of a disk's image by the request unique, and returns
// its handle. One that comes again gets the handle that it got. ENFILE: no place;
// or what count says, which is called for an open that there was not.
func (s *connState) openImage(unique, disk uint64, count func() error) (uint64, error) {
	if unique&resent != 0 {
		for i := range s.opens {
			p := &s.opens[i]
			if h := p.handle.Load(); h != 0 && sameRequest(p.unique.Load(), unique) {
				return h, nil
			}
		}
	}
	for i := range s.opens {
		p := &s.opens[i]
		if p.taken.Load() != 0 {
			continue
		}
		handle := s.nextHandle()
		if !p.taken.CompareAndSwap(0, handle) {
			continue
		}
		if err := count(); err != nil {
			p.taken.Store(0)
			return 0, err
		}
		p.unique.Store(unique)
		p.disk.Store(disk)
		p.handle.Store(handle)
		failpoint.Hit(failpoint.OpenCounted)
		return handle, nil
	}
	return 0, syscall.ENFILE
}

// releaseImage ends an open; false if there is none with that handle.
func (s *connState) releaseImage(handle uint64) bool {
	for i := range s.opens {
		p := &s.opens[i]
		if handle != 0 && p.handle.CompareAndSwap(handle, 0) {
			p.taken.Store(0)
			failpoint.Hit(failpoint.OpenReleased)
			return true
		}
	}
	return false
}

// forgetOpen ends the open that a request made, if it got that far.
func (s *connState) forgetOpen(unique uint64) {
	for i := range s.opens {
		p := &s.opens[i]
		if h := p.handle.Load(); h != 0 && sameRequest(p.unique.Load(), unique) {
			s.releaseImage(h)
		}
	}
}

// recoverOpens frees the places that a dead process was still writing, and calls
// count for each open that there is, with its disk's id.
func (s *connState) recoverOpens(count func(disk uint64)) {
	for i := range s.opens {
		p := &s.opens[i]
		if p.handle.Load() == 0 {
			p.taken.Store(0)
			continue
		}
		count(p.disk.Load())
	}
}
