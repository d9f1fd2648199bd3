package store

import (
	"errors"
	"fmt"
)

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
		} else if err := l.decompress(s, e.priority(), page, object); err != nil {
			return fmt.Errorf("page %d: %w (%v)", i, ErrCorruptPage, err)
		}
	default:
		return fmt.Errorf("page %d: %w (word %#x)", i, ErrCorruptPage, uint64(e))
	}
	return nil
}

// decompress fills page by the algorithm of that priority.
func (l *live) decompress(s *Scratch, priority int, page, object []byte) error {
	if priority == 0 {
		return l.streams[s.id].Decompress(page, object)
	}
	reader := l.secondaries.reader(priority, s.id)
	if reader == nil {
		return errNoAlgorithm
	}
	return reader.Decompress(page, object)
}

// errNoAlgorithm is what becomes ErrCorruptPage for a word that names an
// algorithm which the device has not.
var errNoAlgorithm = errors.New("no such algorithm")
