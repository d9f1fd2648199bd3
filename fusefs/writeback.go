package fusefs

import (
	"errors"
	"syscall"

	"uzram/internal/zramabi"
	"uzram/store"
)

func showBackingDev(d *disk, b []byte) ([]byte, error) {
	path := d.dev.BackingDev()
	if path == "" {
		path = "none"
	}
	return append(append(b, path...), '\n'), nil
}

// storeBackingDev succeeds too where the process before us had taken that very
// file for the same write: it is ours now, so nobody can have it.
func storeBackingDev(d *disk, text string, e *journalEntry) error {
	path := zramabi.Word(text)
	err := d.dev.SetBackingDev(path)
	if errors.Is(err, syscall.EBUSY) && e.unique.Load()&resent != 0 && d.dev.HasBackingDev(path) {
		return nil
	}
	return err
}

func showBDStat(d *disk, b []byte) ([]byte, error) {
	s := d.dev.Stats()
	return zramabi.BDStat{Used: s.BackingUsed, Reads: s.BackingReads, Writes: s.BackingWrites}.Append(b), nil
}

func storeWriteback(d *disk, text string) error {
	// The device's state comes before the syntax here, unlike elsewhere.
	if err := d.dev.WritebackReady(); err != nil {
		return err
	}
	w, err := zramabi.ParseWriteback(text, uint64(d.dev.Size())/store.PageSize)
	if err != nil {
		return err
	}
	r := store.WritebackRequest{Idle: w.Idle, Huge: w.Huge, Incompressible: w.Incompressible}
	for _, pages := range w.Ranges {
		r.Pages = append(r.Pages, store.PageRange(pages))
	}
	_, err = d.dev.Writeback(r)
	return err
}

func storeWritebackLimitEnable(d *disk, text string) error {
	n, err := zramabi.ParseU10(text, 64)
	if err != nil {
		return invalid(err)
	}
	d.dev.SetWritebackLimited(n != 0)
	return nil
}

func storeWritebackLimit(d *disk, text string) error {
	n, err := zramabi.ParseU10(text, 64)
	if err != nil {
		return invalid(err)
	}
	d.dev.SetWritebackLimit(n)
	return nil
}

func storeWritebackBatch(d *disk, text string) error {
	n, err := zramabi.ParseU10(text, 32)
	if err != nil {
		return invalid(err)
	}
	return d.dev.SetWritebackBatch(uint32(n))
}

// writebackSwitch is the row of an attribute that is on or off.
func writebackSwitch(id uint64, name string, get func(*store.Device) bool, set func(*store.Device, bool) error) row {
	return attr(id, name, showNumber(func(d *disk) uint64 { return flag(get(d.dev)) }), func(d *disk, text string) error {
		on, err := zramabi.ParseBool(text)
		if err != nil {
			return err
		}
		return set(d.dev, on)
	})
}
