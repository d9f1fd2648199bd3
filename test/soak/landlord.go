package soak

import (
	"errors"
	"math"
	"syscall"
	"time"

	"uzram/compress"
	"uzram/store"
)

// landlord sets his disk up, resets it and sets it up in another way: with all
// sessions sent away before, when he finds a moment between them, or under their
// requests.
type landlord struct {
	*worker
	actor *actor
	home  *disk
}

func (l *landlord) run(settled func()) {
	l.actor.since.Store(l.now())
	l.move(l.home.life.Load())
	settled()
	for {
		l.actor.leave()
		if !l.pause(l.rng, longestStay) || l.isFailed() {
			return
		}
		l.actor.since.Store(l.now())
		old := l.home.life.Load()
		switch l.rng.IntN(3) {
		case 0:
			l.clear(old)
		case 1:
			l.intrude(old)
		case 2:
			l.evict(old)
		}
	}
}

// intrude tries a reset while others open and close the image.
func (l *landlord) intrude(old *life) {
	old.ending.begin()
	err := l.home.dev.Reset(0)
	switch {
	case err == nil:
		l.counts.resets.Add(1)
		l.move(old)
	case errors.Is(err, syscall.EBUSY):
		l.counts.resetBusy.Add(1)
		l.quiet()
		if n := old.gone.Load(); n > 0 {
			l.fail("%s: a reset was refused, but %d requests found no disk", l.home.name, n)
		}
		old.ending.end(l.now())
	default:
		l.fail("%s: reset: %v", l.home.name, err)
	}
}

// evict resets the disk as if all opens were the caller's own.
func (l *landlord) evict(old *life) {
	l.home.evicting.Lock()
	defer l.home.evicting.Unlock()
	old.ending.begin()
	if err := l.home.dev.Reset(math.MaxInt); err != nil {
		l.fail("%s: reset by one who has all opens: %v", l.home.name, err)
		return
	}
	l.counts.resets.Add(1)
	l.move(old)
}

// clear sends all sessions away, looks at the disk and resets it, which must
// work.
func (l *landlord) clear(old *life) {
	l.home.closed.Store(true)
	defer l.home.closed.Store(false)
	for l.home.visitors.Load() > 0 {
		time.Sleep(50 * time.Microsecond)
	}
	l.atRest(l.home)
	old.ending.begin()
	if err := l.home.dev.Reset(0); err != nil {
		l.fail("%s: reset of a disk that nobody has open: %v", l.home.name, err)
		return
	}
	l.counts.resets.Add(1)
	l.move(old)
}

// move sets the disk up anew after a reset. Sessions may have begun already.
func (l *landlord) move(old *life) {
	d := l.home
	if st := d.dev.Stats(); d.dev.Size() != 0 || d.dev.Initialised() || st.OrigDataSize != 0 || st.MemUsedTotal != 0 ||
		d.dev.Algorithm() != compress.DefaultName || d.dev.BackingDev() != "" {
		l.fail("%s: after a reset it has %s, %+v", d.name, d.dev.Algorithm(), st)
	}
	next := newLife(mix(old.seed^l.rng.Uint64()), fewestPages+l.rng.Uint64N(mostPages-fewestPages), len(l.workers))
	d.life.Store(next)
	l.quiet() // from now on nobody writes without noting it in next
	d.closed.Store(l.rng.IntN(2) == 0 && d.closed.Load())
	name := d.codes[l.rng.IntN(len(d.codes))]
	if err := d.dev.SetAlgorithm(name); err != nil {
		l.fail("%s: algorithm %s: %v", d.name, name, err)
	}
	l.setSecondary(next)
	l.setBacking(next)
	for !l.isFailed() {
		begin := l.now()
		err := d.dev.SetDisksize(uint64(next.size))
		if err == nil {
			next.began.Store(l.now())
			return
		}
		l.counts.errors[noMemory].Add(1)
		if !errors.Is(err, syscall.ENOMEM) || !l.shortage.touched(begin) {
			l.fail("%s: disksize %d: %v", d.name, next.size, err)
		}
	}
}

// atRest looks at a disk on which no requests are made.
func (w *worker) atRest(d *disk) {
	d.weather.Lock() // codecs work
	defer d.weather.Unlock()
	d.altering.Lock()
	defer d.altering.Unlock()
	w.counts.rests.Add(1)
	w.inspect(d)
	w.checkNow(d)
	w.audit(d)
}

// inspect reads all of it.
func (w *worker) inspect(d *disk) {
	l := d.life.Load()
	for off := int64(0); off < l.shared; off += longest {
		n := int(min(longest, l.shared-off))
		w.readAll(d, off, n)
		w.judge(off, w.buf[:n], w.now())
		w.io.leave()
	}
	for i := range l.strips {
		p := &l.strips[i]
		w.readAll(d, p.off, stripBytes)
		if err := p.compare(0, w.buf[:stripBytes]); err != nil {
			w.fail("%s (%s) at rest: of worker %d: %w", d.name, d.dev.Algorithm(), i, err)
		}
		w.io.leave()
	}
}

func (w *worker) readAll(d *disk, off int64, n int) {
	w.enterDisk(d)
	if done, err := d.dev.ReadAt(w.scratch, w.buf[:n], off); done != n || err != nil {
		w.fail("%s at rest: read of %d bytes at %d: %d, %v", d.name, n, off, done, err)
	}
}

// checkNow is a check that must come to an end some time, whatever else the crew
// does on other disks.
func (w *worker) checkNow(d *disk) {
	for !w.isFailed() && !w.check(d) {
		time.Sleep(time.Millisecond)
	}
}

// audit compares the device's counts with the requests made.
func (w *worker) audit(d *disk) {
	l := d.life.Load()
	var sure, unsure tally
	for i := range l.books {
		sure.add(l.books[i].sure)
		unsure.add(l.books[i].unsure)
	}
	st := d.dev.Stats()
	w.counts.compacted.Add(st.PagesCompacted)
	for _, c := range []struct {
		name             string
		got, least, more uint64
	}{
		{"notify_free", st.NotifyFree, sure.notifyFree, unsure.notifyFree},
		{"miss_free", st.MissFree, sure.missFree, unsure.missFree},
		{"failed_reads", st.FailedReads, sure.failedReads, unsure.failedReads},
		{"failed_writes", st.FailedWrites, sure.failedWrites, unsure.failedWrites},
	} {
		if c.got < c.least || c.got > c.least+c.more {
			w.fail("%s: %s is %d, there were %d, and perhaps %d more", d.name, c.name, c.got, c.least, c.more)
		}
	}
	var slots, same, huge, back uint64
	if err := d.dev.Slots(0, func(s store.SlotState) bool {
		slots++
		if s.Same {
			same++
		}
		switch {
		case s.WrittenBack:
			back++
		case s.Huge:
			huge++
		}
		return true
	}); err != nil {
		w.fail("%s: slots: %v", d.name, err)
	}
	if st.OrigDataSize != slots*store.PageSize || st.SamePages != same || st.HugePages != huge {
		w.fail("%s: %d slots in use, %d same-filled, %d huge, but %+v", d.name, slots, same, huge, st)
	}
	if used := st.BackingUsed; used > back || used < back && (!l.packed || used == 0) || st.BackingBad != 0 {
		w.fail("%s: %d slots written back, but %+v", d.name, back, st)
	}
}

// emptied discards all of the disk, which must give all memory back.
func (w *worker) emptied(d *disk) {
	if err := d.dev.Compact(); err != nil {
		w.fail("%s: compact: %v", d.name, err)
	}
	w.inspect(d)
	w.enterDisk(d)
	if err := d.dev.Discard(w.scratch, 0, w.life.size); err != nil {
		w.fail("%s: discard of all: %v", d.name, err)
	}
	w.io.leave()
	w.checkNow(d)
	if st := d.dev.Stats(); st.OrigDataSize != 0 || st.ComprDataSize != 0 || st.MemUsedTotal != 0 || st.SamePages != 0 || st.HugePages != 0 ||
		st.BackingUsed != 0 {
		w.fail("%s: after a discard of all: %+v", d.name, st)
	}
}
