package store

import "uzram/alloc"

// Compact empties sparse zspages and gives their pages back. EINVAL before
// set-up.
func (d *Device) Compact() error {
	return d.withLive(func(l *live) error {
		l.compacted.Add(l.pool.Compact(mover{l}))
		return nil
	})
}

// mover lets the pool move objects whose slot is free at the moment.
type mover struct{ *live }

// Move implements alloc.Mover. An object that slot owner does not name is not
// yet committed, or about to be freed: it stays.
func (m mover) Move(owner uint64, from, to alloc.Handle) bool {
	if !m.table.tryLock(owner) {
		return false
	}
	defer m.table.unlock(owner)
	word := &m.table.slots[owner].word
	e := entry(word.Load())
	if e.kind() != kindObject || e.handle() != from {
		return false
	}
	copy(m.pool.Bytes(to, e.size()), m.pool.Bytes(from, e.size()))
	word.Store(uint64(e.moved(to)))
	return true
}
