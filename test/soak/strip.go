package soak

import (
	"bytes"
	"fmt"
	"runtime"
)

// stripBytes is the length of a worker's strip: no multiple of a page, so that
// neighbours meet within one.
const stripBytes = 5*4096 + 1357

// strip is what one worker alone writes.
type strip struct {
	off  int64
	want []byte
}

// compare holds what was read at from within the strip against what must be
// there.
func (p *strip) compare(from int, got []byte) error {
	want := p.want[from : from+len(got)]
	if bytes.Equal(got, want) {
		return nil
	}
	i := 0
	for got[i] == want[i] {
		i++
	}
	return fmt.Errorf("strip at %d: byte %d is %#02x, want %#02x; from there %s", p.off, p.off+int64(from+i), got[i], want[i], describe(got[i:]))
}

// within is a range of bytes of the worker's strip.
func (w *worker) within() (p *strip, from, n int) {
	p = &w.life.strips[w.id]
	from = w.rng.IntN(stripBytes)
	return p, from, w.rng.IntN(stripBytes-from) + 1
}

func (w *worker) stripWrite() {
	p, from, n := w.within()
	v := version{w.rng.Uint64(), w.rng.Uint64(), 1}
	for i := 0; i < n; i += cellBytes {
		v.fill(i/cellBytes, w.buf[i:i+cellBytes])
	}
	done, err := w.disk.dev.WriteAt(w.scratch, w.buf[:n], p.off+int64(from))
	copy(p.want[from:], w.buf[:done])
	w.wrote(done, n, err)
}

func (w *worker) stripRead() {
	p, from, n := w.within()
	done, err := w.disk.dev.ReadAt(w.scratch, w.buf[:n], p.off+int64(from))
	switch {
	case err != nil:
		w.life.books[w.id].sure.failedReads++
		w.refusal("strip read", done, err)
	case done != n && (done != 0 || !w.missing()):
		w.fail("%s: read of %d bytes of a strip: %d", w.disk.name, n, done)
	}
	if err := p.compare(from, w.buf[:done]); err != nil {
		w.fail("%s (%s): worker %d: %w", w.disk.name, w.disk.dev.Algorithm(), w.id, err)
	}
}

// stripDiscard tries until it works, for a discard that failed leaves part of
// its range zeroed, nobody knows which.
func (w *worker) stripDiscard() {
	p, from, n := w.within()
	for !w.isFailed() {
		err := w.disk.dev.Discard(w.scratch, p.off+int64(from), int64(n))
		w.discarded(p.off+int64(from), int64(n), err)
		if err == nil {
			break
		}
		runtime.Gosched()
	}
	clear(p.want[from : from+n])
}
