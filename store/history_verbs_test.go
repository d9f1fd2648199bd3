package store

import (
	"bytes"
	"errors"
	"fmt"
)

func (t *trial) write(o op) error {
	buf, sh := o.contents(), t.shadow
	n, err := t.disk.WriteAt(t.scratch(o), buf, int64(o.off))
	if o.off >= len(sh.disk) {
		if n != 0 || !errors.Is(err, ErrPastEnd) {
			return fmt.Errorf("%d bytes written past the end, %v", n, err)
		}
		return nil
	}
	buf = buf[:min(len(buf), len(sh.disk)-o.off)]
	switch {
	case err == nil && n != len(buf):
		return fmt.Errorf("%d of %d bytes written", n, len(buf))
	case err != nil && (n >= len(buf) || n > 0 && (o.off+n)%PageSize != 0):
		return fmt.Errorf("%d of %d bytes written before %w", n, len(buf), err)
	case err != nil:
		rest := buf[n:]
		sure := false
		if (o.off+n)%PageSize == 0 && len(rest) >= PageSize {
			_, sure = sameFilled(rest[:PageSize])
		}
		if err := t.excuse(err, sure); err != nil {
			return err
		}
		sh.failedWrites++
	}
	sh.store(buf[:n], o.off)
	if used := t.dev.Stats().MemUsedTotal / PageSize; sh.limit > 0 && used > sh.limit && n > 0 && t.needsPool(o.off, n) {
		return fmt.Errorf("S10: %d pages used after a store, the limit is %d", used, sh.limit)
	}
	return nil
}

// needsPool reports whether any page of the n bytes at off is an object.
func (t *trial) needsPool(off, n int) bool {
	for i := off / PageSize; i*PageSize < off+n; i++ {
		if t.shadow.pages[i].kind == kindObject {
			return true
		}
	}
	return false
}

func (t *trial) read(o op) error {
	sh := t.shadow
	buf := bytes.Repeat([]byte{0xee}, o.n)
	n, err := t.disk.ReadAt(t.scratch(o), buf, int64(o.off))
	want := max(0, min(o.n, len(sh.disk)-o.off))
	if err != nil {
		if n >= want || n > 0 && (o.off+n)%PageSize != 0 {
			return fmt.Errorf("%d of %d bytes read before %w", n, want, err)
		}
		p := sh.pages[(o.off+n)/PageSize]
		if err := t.excuse(err, p.kind < kindObject || p.size == PageSize); err != nil {
			return err
		}
		sh.failedReads++
	} else if n != want {
		return fmt.Errorf("%d of %d bytes read", n, want)
	}
	if n > 0 && !bytes.Equal(buf[:n], sh.disk[o.off:o.off+n]) {
		return fmt.Errorf("%d bytes differ", n)
	}
	if want > 0 {
		last := o.off + n // the page that failed, else the last one
		if err == nil {
			last--
		}
		sh.access(o.off/PageSize, last/PageSize)
	}
	return nil
}

func (t *trial) discard(o op) error {
	sh := t.shadow
	err := t.disk.Discard(t.scratch(o), int64(o.off), int64(o.n))
	end := min(o.off+o.n, len(sh.disk))
	if o.off >= end {
		return err
	}
	if err == nil {
		sh.discard(o.off, end, true, true)
		return nil
	}
	if err := t.excuse(err, false); err != nil {
		return err
	}
	// One of the two ends failed: before anything was done, or after all else.
	sh.failedWrites++
	if t.matches(sh) {
		return nil
	}
	t.shadow = sh.clone()
	t.shadow.discard(o.off, end, true, false)
	return nil
}

// matches reports whether the device is as sh says.
func (t *trial) matches(sh *shadow) bool {
	old := t.shadow
	t.shadow = sh
	defer func() { t.shadow = old }()
	_, err := t.readBack()
	return err == nil && sh.compare(t.dev, false) == nil
}

func (t *trial) freeHint(o op) error {
	sh, i := t.shadow, o.off/PageSize
	if i >= len(sh.pages) {
		i = 0
	}
	if sh.disk == nil {
		return nil
	}
	sh.notifyFree++
	if t.disk.FreeHint(t.scratch(o), uint64(i)) {
		sh.empty(i)
	} else {
		sh.missFree++
	}
	return nil
}

func (t *trial) compact(op) error {
	if err := t.dev.Compact(); (err == nil) != (t.shadow.disk != nil) {
		return err
	}
	return nil
}

func (t *trial) markIdle(op) error {
	if err := t.dev.MarkIdle(); (err == nil) != (t.shadow.disk != nil) {
		return err
	}
	for i := range t.shadow.pages {
		p := &t.shadow.pages[i]
		p.idle = p.kind == kindObject
	}
	return nil
}

// setUp resets and sets up a disk of o.n bytes. Where memory is short it may
// fail, and the device is not set up then.
func (t *trial) setUp(o op) error {
	if err := t.dev.Reset(0); err != nil {
		return err
	}
	*t.shadow = shadow{sizes: t.sizes}
	algorithm := t.codecs[0].Name()
	if err := t.dev.SetAlgorithm(algorithm); err != nil {
		return err
	}
	for i := range t.secondary {
		if err := t.dev.SetRecompAlgorithm(i+1, t.codecs[i+1].Name()); err != nil {
			return err
		}
	}
	if err := t.openBacking(); err != nil {
		return err
	}
	err := t.dev.SetDisksize(uint64(o.n))
	if err == nil {
		t.shadow = newShadow(o.n, t.sizes)
	} else if !t.short || t.dev.Initialised() || t.dev.Algorithm() != algorithm {
		return err
	}
	return nil
}
