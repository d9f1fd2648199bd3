package store

import (
	"errors"
	"fmt"

	"uzram/internal/failpoint"
)

// readPage fills page with slot i's contents, zeros for an empty slot.
func (l *live) readPage(s *Scratch, i uint64, page []byte) error {
	if l.table.load(i).kind() == kindEmpty {
		clear(page)
		return nil
	}
	l.table.rlock(i, s.waiter)
	failpoint.Hit(failpoint.ReadLocked)
	e := entry(l.table.slots[i].word.Load())
	err := l.decode(s, i, e, page)
	failpoint.Hit(failpoint.ReadDecoded)
	if e.kind() != kindEmpty {
		l.table.access(i, s.now)
	}
	failpoint.Hit(failpoint.ReadAccessed)
	l.table.runlock(i)
	return err
}

// decode fills page with what e says, with slot i locked either way.
func (l *live) decode(s *Scratch, i uint64, e entry, page []byte) error {
	switch e.kind() {
	case kindEmpty:
		clear(page)
	case kindSame:
		if e == lostEntry {
			return fmt.Errorf("page %d: %w", i, ErrLost)
		}
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
			return fmt.Errorf("page %d: %w", i, err)
		}
	case kindBlock:
		if l.backing == nil {
			return fmt.Errorf("page %d: %w", i, corrupt(ErrNoBacking))
		}
		block, err := l.backing.read(s, e.block())
		return l.unpack(s, i, e, page, block, err)
	}
	return nil
}

// unpack fills page from the block that e, of slot i, names; err is what came of
// reading it.
func (l *live) unpack(s *Scratch, i uint64, e entry, page, block []byte, err error) error {
	if err == nil {
		object := block[e.from():][:e.size()]
		if e.size() == PageSize {
			copy(page, object)
			return nil
		}
		err = l.decompress(s, e.priority(), page, object)
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", i, err)
	}
	return nil
}

// decompress fills page by the algorithm of that priority.
func (l *live) decompress(s *Scratch, priority int, page, object []byte) error {
	err := errNoAlgorithm
	if fault := failpoint.Error(failpoint.Decompress); fault != nil {
		err = fault
	} else if priority == 0 {
		err = l.streams[s.id].Decompress(page, object)
	} else if readers := l.readers[priority]; s.id < len(readers) {
		err = readers[s.id].Decompress(page, object)
	}
	if err != nil {
		return corrupt(err)
	}
	return nil
}

// errNoAlgorithm is what becomes ErrCorruptPage for a word that names an
// algorithm which the device has not.
var errNoAlgorithm = errors.New("no such algorithm")
