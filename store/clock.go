package store

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Seconds since boot, suspended time included, at the price of a monotonic
// clock read: the distance between the two clocks changes only by a suspend, so
// it is measured anew once a minute.
var (
	started    = time.Now()
	bootOffset atomic.Int64 // nanoseconds from started's clock to CLOCK_BOOTTIME
	bootMinute atomic.Int64 // minute of the measurement, plus 1
)

func bootSeconds() uint32 {
	elapsed := int64(time.Since(started))
	if minute := elapsed/int64(time.Minute) + 1; bootMinute.Load() != minute {
		var ts unix.Timespec
		if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) == nil {
			bootOffset.Store(ts.Nano() - elapsed)
		}
		bootMinute.Store(minute)
	}
	return uint32((elapsed+bootOffset.Load())/int64(time.Second)) & secondsMask
}
