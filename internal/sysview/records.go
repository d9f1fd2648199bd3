package sysview

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// recordMark is in each record of udev's that a view made.
const recordMark = "E:UZRAM_VIEW=1"

// coverRecords sees to it that there is a directory for udev's records of devices. Where udev does not run, it is the
// view's own.
func (v *View) coverRecords() error {
	udev := v.path("run/udev")
	if _, err := os.Lstat(filepath.Join(udev, "control")); err == nil || !v.o.CopyDev {
		return makeDirs(filepath.Join(udev, "data"))
	}
	if err := makeDirs(udev); err != nil {
		return err
	}
	return v.cover(udev, 0o755, func(stage string) error {
		if err := os.CopyFS(stage, os.DirFS(udev)); err != nil && !errors.Is(err, os.ErrInvalid) { // something that is no file
			return err
		}
		return os.MkdirAll(filepath.Join(stage, "data"), 0o755)
	})
}

func (v *View) record(d Device) string {
	return v.path("run/udev/data", "b"+d.number())
}

// makeRecord writes what udev writes of a device that it has seen, unless it has.
func (v *View) makeRecord(d Device) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	f, err := os.OpenFile(v.record(d), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "I:%d\n%s\n", now.Nano()/int64(time.Microsecond), recordMark)
	return errors.Join(err, f.Close())
}

// removeRecord removes a record that a view made.
func (v *View) removeRecord(d Device) {
	if text, err := os.ReadFile(v.record(d)); err == nil && strings.Contains(string(text), recordMark) {
		os.Remove(v.record(d))
	}
}
