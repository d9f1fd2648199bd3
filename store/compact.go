package store

import (
	"sync/atomic"
	"time"

	"uzram/alloc"
	"uzram/internal/failpoint"
)

// Compact empties sparse zspages and gives their pages back. EINVAL before
// set-up.
func (d *Device) Compact() error {
	return d.withLive(func(l *live) error {
		l.compact(new(atomic.Bool))
		return nil
	})
}

// compact makes the pool denser until there is nothing to gain or stop is set.
func (l *live) compact(stop *atomic.Bool) {
	l.passMu.Lock()
	defer l.passMu.Unlock()
	l.compacted.Add(l.pool.Compact(mover{l, stop}))
}

// mover lets the pool move objects whose slot is free at the moment.
type mover struct {
	*live
	stop *atomic.Bool
}

// Move implements alloc.Mover. An object that slot owner does not name is not
// yet committed, or about to be freed: it stays.
func (m mover) Move(owner uint64, from, to alloc.Handle) bool {
	if m.stop.Load() || !m.table.tryLock(owner) {
		return false
	}
	defer m.table.unlock(owner)
	e := entry(m.table.slots[owner].word.Load())
	if e.kind() != kindObject || e.handle() != from {
		return false
	}
	copy(m.pool.Bytes(to, e.size()), m.pool.Bytes(from, e.size()))
	failpoint.Hit(failpoint.CompactCopied)
	m.table.setWord(owner, e.moved(to))
	failpoint.Hit(failpoint.CompactMoved)
	return true
}

// A pool is compacted unasked when it could give back at least wastePages, and
// one in wasteShare of its pages. So at least four objects were freed for three
// that are moved.
const (
	wastePages = 256
	wasteShare = 4
	wasteRest  = time.Second // from one look to the next
)

// compactor compacts a device's pool when it has much to give back.
type compactor struct {
	stop  atomic.Bool
	quit  chan struct{} // nil until started
	ended chan struct{}
}

func (c *compactor) start(l *live) {
	c.quit, c.ended = make(chan struct{}), make(chan struct{})
	rest := time.NewTimer(wasteRest)
	rest.Stop()
	go func() {
		defer close(c.ended)
		for {
			select {
			case <-c.quit:
				return
			case <-l.pool.Wasteful():
			}
			if l.wasteful() {
				l.compact(&c.stop)
			}
			rest.Reset(wasteRest)
			select {
			case <-c.quit:
				return
			case <-rest.C:
			}
		}
	}()
}

// end returns when the compactor has ended, if it ever began.
func (c *compactor) end() {
	if c.quit == nil {
		return
	}
	c.stop.Store(true)
	close(c.quit)
	<-c.ended
}

func (l *live) wasteful() bool {
	waste := l.pool.Freeable()
	return waste >= wastePages && waste*wasteShare >= l.pool.Pages()
}
