package soak

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"

	"uzram/store"
)

// setBacking gives the disk a backing device of some size, or none. The settings
// of writeback outlive a reset, so each is made anew.
func (l *landlord) setBacking(next *life) {
	dev, flip := l.home.dev, func() bool { return l.rng.IntN(2) == 0 }
	compressed, pack := flip(), flip()
	err := errors.Join(
		dev.SetCompressedWriteback(compressed), dev.SetWritebackPack(pack),
		dev.SetWritebackChecksum(flip()), dev.SetWritebackEncryption(l.rng.IntN(3) == 0),
		dev.SetWritebackBatch(l.rng.Uint32N(100)+1),
	)
	if l.rng.IntN(4) > 0 {
		pages := uint64(next.size) / store.PageSize
		next.blocks = l.rng.Uint64N(pages*5/4) + 1
		next.packed = compressed && pack
		err = errors.Join(err, os.Truncate(l.home.file, int64(next.blocks)*store.PageSize), dev.SetBackingDev(l.home.file))
	}
	if err != nil {
		l.fail("%s: backing device of %d blocks: %v", l.home.name, next.blocks, err)
	}
}

// writeBack asks for a writeback of pages of some kind, at times with a limit.
func (s *soak) writeBack(r *rand.Rand, d *disk) error {
	l := d.life.Load()
	if l.began.Load() == 0 || l.blocks == 0 {
		return nil
	}
	if r.IntN(3) == 0 {
		d.dev.SetWritebackLimit(r.Uint64N(1000))
		d.dev.SetWritebackLimited(r.IntN(2) == 0)
	}
	request := store.WritebackRequest{Idle: r.IntN(2) == 0, Huge: r.IntN(3) == 0, Incompressible: r.IntN(8) == 0}
	if r.IntN(3) == 0 {
		for range r.IntN(4) {
			first := r.Uint64N(uint64(len(l.pages)))
			request.Pages = append(request.Pages, store.PageRange{First: first, Last: first + r.Uint64N(uint64(len(l.pages))-first)})
		}
	}
	d.altering.RLock()
	defer d.altering.RUnlock()
	begin, failures := s.now(), d.failures()
	result, err := d.dev.Writeback(request)
	s.counts.written.Add(result.Written)
	s.counts.late.Add(result.Overtaken)
	if result.Tried != result.Written+result.Overtaken+result.Failed || result.Blocks > result.Tried {
		return fmt.Errorf("%+v", result)
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	switch {
	case errors.Is(err, store.ErrBackingFull), errors.Is(err, store.ErrBudget):
		s.counts.full.Add(1)
		return nil
	case errors.Is(err, store.ErrResetting), errors.Is(err, store.ErrNoBacking), errno == syscall.EINVAL, errno == syscall.ERANGE:
		if !l.steady(begin) { // reset meanwhile, perhaps set up in another way
			return nil
		}
	case errors.Is(err, syscall.ENOMEM) && s.shortage.touched(begin),
		errors.Is(err, store.ErrCorruptPage) && d.failures() != failures:
		return nil
	}
	return err
}
