package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"uzram/internal/size"
)

// bar shows progress in bytes on a terminal, and everywhere one line at the end.
type bar struct {
	what         string
	live         *progressbar.ProgressBar // nil if stderr is no terminal
	moved, total int64
	start        time.Time
}

func newBar(what string, total int64) *bar {
	b := &bar{what: what, total: total, start: time.Now()}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		b.live = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(os.Stderr),
			progressbar.OptionSetDescription(fmt.Sprintf("%-8s", what)),
			progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(40),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	return b
}

func (b *bar) add(n int) {
	b.moved += int64(n)
	if b.live != nil {
		_ = b.live.Add(n) // a bar that cannot be drawn is no reason to stop
	}
}

// close takes the bar away, and says what was done if it was done to the end.
func (b *bar) close() {
	if b.live != nil {
		_ = b.live.Clear()
	}
	if b.moved == b.total {
		fmt.Fprintf(os.Stderr, "%-8s %s in %.1f s\n", b.what, size.Format(uint64(b.total)), time.Since(b.start).Seconds())
	}
}
