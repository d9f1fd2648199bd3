package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sys/unix"
)

// bar shows how far a run is, if somebody looks at a terminal. It may be nil, and shows nothing then.
type bar struct {
	live  *progressbar.ProgressBar
	total uint64
}

// newBar makes a bar for so many pages on w, nil if w is no terminal or there is nothing to show. It is not drawn before
// the first set.
func newBar(w io.Writer, what string, total uint64) *bar {
	f, ok := w.(*os.File)
	if !ok || total == 0 || !isTerminal(f) {
		return nil
	}
	return &bar{total: total, live: progressbar.NewOptions64(int64(total),
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetItsString("pages"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(40),
		progressbar.OptionThrottle(100*time.Millisecond))}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// set says that so many pages are done.
func (b *bar) set(done uint64) {
	if b != nil {
		_ = b.live.Set64(int64(min(done, b.total))) // a bar that cannot be drawn is no reason to stop
	}
}

// clear takes the bar away, so that the line is free for words.
func (b *bar) clear() {
	if b != nil {
		_ = b.live.Clear()
	}
}
