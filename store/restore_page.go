package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"

	"uzram/alloc"
	"uzram/internal/failpoint"
	"uzram/internal/snapshot"
)

// load reads all pages.
func (r *restore) load(file *snapshot.Reader) error {
	for {
		p, err := file.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = r.page(&p)
		}
		if err != nil {
			return err
		}
		if len(r.back) == slotsPerStretch {
			r.writeBack()
		}
	}
	r.writeBack()
	return nil
}

// page stores one page.
func (r *restore) page(p *snapshot.Page) error {
	failpoint.Hit(failpoint.RestoreChunk)
	i := p.Slot
	if i >= uint64(len(r.table.slots)) || r.table.load(i) != 0 {
		return fmt.Errorf("%w: page %d is there twice, or past the disk's end", snapshot.ErrDamaged, i)
	}
	err := r.table.touch(i)
	var e entry
	if err == nil {
		e, err = r.entryFor(p)
	}
	if err != nil {
		return shortage(i, err)
	}
	aux := r.now - min(r.now, p.Seconds)
	if e.kind() == kindObject {
		if p.Idle {
			aux |= idleMark
		}
		if p.Incompressible {
			e |= incompressibleBit
		}
		if p.OnBacking && r.backing != nil && !r.full {
			r.back = append(r.back, i)
		}
	}
	s := &r.table.slots[i]
	s.aux.Store(aux)
	s.word.Store(uint64(e))
	r.sum.weigh(e, 1)
	return nil
}

// shortage makes ENOMEM of what a request would get as EIO.
func shortage(i uint64, err error) error {
	if errors.Is(err, snapshot.ErrDamaged) || errors.Is(err, ErrCorruptPage) || errors.Is(err, ErrCodec) {
		return err
	}
	return fmt.Errorf("page %d: %w (%v)", i, syscall.ENOMEM, err)
}

// entryFor stores what a record has and returns the word for it.
func (r *restore) entryFor(p *snapshot.Page) (entry, error) {
	switch p.Kind {
	case snapshot.Same:
		return r.prepareSame(binary.LittleEndian.Uint64(p.Data))
	case snapshot.Lost:
		return lostEntry, nil
	case snapshot.Plain:
		return r.place(&r.scratch, p.Slot, p.Data)
	case snapshot.Object:
		if p.Priority > 0 && len(r.readers[p.Priority]) == 0 {
			return 0, fmt.Errorf("%w: page %d is compressed by an algorithm that it does not name", snapshot.ErrDamaged, p.Slot)
		}
		if len(p.Data) >= alloc.HugeThreshold {
			return r.placeAgain(p)
		}
	}
	h, err := r.pool.Alloc(r.scratch.id, len(p.Data), p.Slot)
	if err != nil {
		return 0, err
	}
	copy(r.pool.Bytes(h, len(p.Data)), p.Data)
	return packedEntry(h, len(p.Data), p.Priority), nil
}

// placeAgain is for an object for which other versions had a size class.
func (r *restore) placeAgain(p *snapshot.Page) (entry, error) {
	if err := r.decompress(&r.scratch, p.Priority, r.scratch.page, p.Data); err != nil {
		return 0, fmt.Errorf("page %d: %w", p.Slot, err)
	}
	return r.place(&r.scratch, p.Slot, r.scratch.page)
}

// writeBack moves the pages that lay on the backing device there again. One that
// does not go there stays in memory, and so do all that follow.
func (r *restore) writeBack() {
	if len(r.back) == 0 {
		return
	}
	unlimited := &writebackSettings{state: newState(1)}
	unlimited.batch.Store(uint64(r.head.Writeback.Batch))
	run := &writeback{live: r.live, settings: unlimited, compressed: r.device.writing.compressed.Load()}
	for _, i := range r.back {
		run.request.Pages = append(run.request.Pages, PageRange{i, i})
	}
	run.request.Pages = merged(run.request.Pages)
	if err := r.device.mayWriteBack(nil); err != nil {
		r.full, r.back = true, r.back[:0]
		return
	}
	for slots := r.back; len(slots) > 0; {
		n, err := r.onePass(slots, run.stretch)
		if err != nil || n == 0 {
			r.full = true
			break
		}
		slots = slots[n:]
	}
	r.full = r.full || run.failure != nil
	r.back = r.back[:0]
}
