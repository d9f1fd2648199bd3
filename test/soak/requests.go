package soak

import (
	"errors"

	"uzram/store"
)

// request is a row of what workers do.
type request struct {
	name   string
	weight int
	do     func(*worker)
}

// requests is what workers do, and how often.
var requests = [...]request{
	{"read", 30, func(w *worker) { w.read(w.anywhere()) }},
	{"write", 25, func(w *worker) { w.write(w.somePages()) }},
	{"write parts", 15, func(w *worker) { w.write(w.someCells()) }},
	{"discard", 6, func(w *worker) { w.discard(w.someCells()) }},
	{"hint", 4, func(w *worker) { w.hint(w.onePage()) }},
	{"past the end", 1, (*worker).pastEnd},
	{"strip write", 8, (*worker).stripWrite},
	{"strip read", 6, (*worker).stripRead},
	{"strip discard", 2, (*worker).stripDiscard},
}

// hotPages are the first ones, to which half of all requests go.
const hotPages = 8

func (w *worker) onePage() uint64 {
	if w.rng.IntN(2) == 0 {
		return w.rng.Uint64N(hotPages)
	}
	return w.rng.Uint64N(uint64(len(w.life.pages)))
}

// length is a number of bytes: mostly a page or less, seldom much.
func (w *worker) length() int64 {
	switch n := w.rng.IntN(100); {
	case n < 70:
		return w.rng.Int64N(store.PageSize) + 1
	case n < 99:
		return w.rng.Int64N(8*store.PageSize) + 1
	}
	return w.rng.Int64N(longest) + 1
}

// clip keeps a range within the part that all write, and not empty.
func (w *worker) clip(off, n, unit int64) (int64, int) {
	off, n = off/unit*unit, (n+unit-1)/unit*unit
	return off, int(min(n, longest, w.life.shared-off))
}

func (w *worker) anywhere() (int64, int) {
	return w.clip(int64(w.onePage())*store.PageSize+w.rng.Int64N(store.PageSize), w.length(), 1)
}

func (w *worker) someCells() (int64, int) {
	return w.clip(int64(w.onePage())*store.PageSize+w.rng.Int64N(store.PageSize), w.length(), cellBytes)
}

func (w *worker) somePages() (int64, int) {
	return w.clip(int64(w.onePage())*store.PageSize, w.length(), store.PageSize)
}

func (w *worker) read(off int64, n int) {
	p := w.buf[:n]
	got, err := w.disk.dev.ReadAt(w.scratch, p, off)
	end := w.now()
	switch {
	case err != nil:
		w.life.books[w.id].sure.failedReads++
		w.refusal("read", got, err)
	case got != n && (got != 0 || !w.missing()):
		w.fail("%s: read of %d bytes at %d: %d", w.disk.name, n, off, got)
	}
	w.judge(off, p[:got], end)
}

// judge holds what was read at off in the shared part against the shadow.
func (w *worker) judge(off int64, p []byte, end int64) {
	for part := range parts(off, len(p)) {
		w.list = w.life.pages[part.page].copied(w.list[:0])
		v := view{
			version: version{seed: w.life.seed, page: part.page},
			from:    part.from, got: p[part.at : part.at+part.to-part.from], begin: w.begin, end: end,
		}
		if err := v.judge(w.list); err != nil {
			w.fail("%s (%s): worker %d: %w", w.disk.name, w.disk.dev.Algorithm(), w.id, err)
			return
		}
	}
}

// announce notes a write in the shadows of its pages.
func (w *worker) announce(off int64, n int, gen generation) {
	oldest := w.oldest()
	for part := range parts(off, n) {
		w.life.pages[part.page].begin(gen, part.span(), w.begin, oldest)
	}
}

func (w *worker) write(off int64, n int) {
	gen := w.generation(true)
	p := w.buf[:n]
	for part := range parts(off, n) {
		v := version{w.life.seed, part.page, gen}
		for b := part.from; b < part.to; b += cellBytes {
			at := part.at + b - part.from
			v.fill(b/cellBytes, p[at:at+cellBytes])
		}
	}
	w.announce(off, n, gen)
	done, err := w.disk.dev.WriteAt(w.scratch, p, off)
	end := w.now()
	w.wrote(done, n, err)
	for part := range parts(off, n) {
		how := stored
		if length := part.to - part.from; done < part.at+length {
			how = refused
			if done > part.at {
				w.fail("%s: write of %d bytes at %d ended after %d, within a page", w.disk.name, n, off, done)
			}
		}
		w.life.pages[part.page].ended(gen, how, end)
	}
}

// wrote judges and counts the answer to a write of n bytes.
func (w *worker) wrote(done, n int, err error) {
	switch {
	case err == nil && done != n:
		w.fail("%s: %d of %d bytes written, and no error", w.disk.name, done, n)
	case err != nil:
		w.refusal("write", done, err)
		if !errors.Is(err, store.ErrPastEnd) {
			w.life.books[w.id].sure.failedWrites++
		}
	}
}

func (w *worker) discard(off int64, n int) {
	gen := w.generation(false)
	w.announce(off, n, gen)
	err := w.disk.dev.Discard(w.scratch, off, int64(n))
	end := w.now()
	w.discarded(off, int64(n), err)
	how := stored
	if err != nil {
		how = unknown
	}
	for part := range parts(off, n) {
		w.life.pages[part.page].ended(gen, how, end)
	}
}

// discarded judges and counts the answer to a discard.
func (w *worker) discarded(off, n int64, err error) {
	b := &w.life.books[w.id]
	first, last := (off+store.PageSize-1)/store.PageSize, (off+n)/store.PageSize
	whole := uint64(max(0, last-first))
	if err != nil {
		w.refusal("discard", 0, err)
		b.sure.failedWrites++
	}
	if err != nil || !w.life.steady(w.begin) {
		b.unsure.notifyFree += whole
	} else {
		b.sure.notifyFree += whole
	}
}

func (w *worker) hint(page uint64) {
	gen := w.generation(false)
	w.announce(int64(page)*store.PageSize, store.PageSize, gen)
	freed := w.disk.dev.FreeHint(w.scratch, page)
	end := w.now()
	how := stored
	if !freed {
		how = refused
	}
	w.life.pages[page].ended(gen, how, end)
	b := &w.life.books[w.id]
	count := &b.sure
	if !w.life.steady(w.begin) {
		count = &b.unsure
	}
	count.notifyFree++
	if !freed {
		count.missFree++
	}
}

// pastEnd tries what lies past the end of the disk, or crosses it.
func (w *worker) pastEnd() {
	size := w.life.size
	beyond := size + w.rng.Int64N(longest)
	n, err := w.disk.dev.ReadAt(w.scratch, w.buf[:100], beyond)
	if n != 0 || err != nil {
		w.fail("%s: read past the end: %d, %v", w.disk.name, n, err)
	}
	if n, err = w.disk.dev.WriteAt(w.scratch, w.buf[:100], beyond); n != 0 || !errors.Is(err, store.ErrPastEnd) {
		w.fail("%s: write past the end: %d, %v", w.disk.name, n, err)
	}
	if err = w.disk.dev.Discard(w.scratch, beyond, store.PageSize); err != nil {
		w.fail("%s: discard past the end: %v", w.disk.name, err)
	}
	within := w.rng.IntN(store.PageSize) + 1
	n, err = w.disk.dev.ReadAt(w.scratch, w.buf[:2*store.PageSize], size-int64(within))
	switch {
	case err != nil:
		w.life.books[w.id].sure.failedReads++
		w.refusal("read across the end", n, err)
	case n != within && (n != 0 || !w.missing()):
		w.fail("%s: read across the end: %d, want %d", w.disk.name, n, within)
	}
}
