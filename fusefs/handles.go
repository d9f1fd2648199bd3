package fusefs

import (
	"sync"
	"syscall"
)

// handles are the control files that are open, by handle. One that is not known
// was opened in a process before this one, and is made when it is used.
type handles struct {
	mu  sync.Mutex
	all map[uint64]*handle // guarded by mu
}

// handle is an open control file.
type handle struct {
	once sync.Once
	file opened
	err  error // why there is no file
}

// open makes an open of f's row under a handle.
func (hs *handles) open(number uint64, f controlFile) error {
	file, err := hs.get(number, f)
	if err != nil {
		hs.take(number)
	}
	if text, ok := file.(*textFile); ok {
		text.here = true
	}
	return err
}

// get is the open with that handle. What opening one takes long for, others do
// not wait for.
func (hs *handles) get(number uint64, f controlFile) (opened, error) {
	hs.mu.Lock()
	h := hs.all[number]
	if h == nil {
		h = &handle{}
		hs.all[number] = h
	}
	hs.mu.Unlock()
	h.once.Do(func() { h.file, h.err = f.row.opened(f.disk) })
	return h.file, h.err
}

// take removes a handle and returns its open, nil if it has none.
func (hs *handles) take(number uint64) opened {
	hs.mu.Lock()
	h := hs.all[number]
	delete(hs.all, number)
	hs.mu.Unlock()
	if h == nil {
		return nil
	}
	h.once.Do(func() { h.err = syscall.EBADF })
	return h.file
}
