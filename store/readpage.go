package store

import "fmt"

// readPage fills page with slot i's contents, zeros for an empty slot.
func (l *live) readPage(s *Scratch, i uint64, page []byte) error {
	if l.table.load(i).kind() == kindEmpty {
		clear(page)
		return nil
	}
	l.table.rlock(i, s.waiter)
	e := entry(l.table.slots[i].word.Load())
	err := l.decode(s, i, e, page)
	if e.kind() != kindEmpty {
		l.table.access(i, s.now)
	}
	l.table.runlock(i)
	return err
}

// decode fills page with what e says, with slot i locked either way.
func (l *live) decode(s *Scratch, i uint64, e entry, page []byte) error {
	switch e.kind() {
	case kindEmpty:
		clear(page)
	case kindSame:
		element, elsewhere := e.element()
		if elsewhere {
			element = l.elements.get(element)
		}
		fill(page, element)
	case kindObject:
		object := l.pool.Bytes(e.handle(), e.size())
		if e.huge() {
			copy(page, object)
		} else if err := l.streams[s.id].Decompress(page, object); err != nil {
			return fmt.Errorf("page %d: %w (%v)", i, ErrCorruptPage, err)
		}
	default:
		return fmt.Errorf("page %d: %w (word %#x)", i, ErrCorruptPage, uint64(e))
	}
	return nil
}
