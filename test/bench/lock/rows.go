package main

import (
	"fmt"
	"time"
)

// row is one way to contend.
type row struct {
	readPercent int
	bytes       int // copied with the lock held
	slots       int
	procs       int // GOMAXPROCS
}

// rows are all combinations, those of one GOMAXPROCS together.
var rows = func() (all []row) {
	for _, procs := range []int{1, 2, 8} {
		for _, slots := range []int{1, 64} {
			for _, readPercent := range []int{0, 90} {
				for _, bytes := range []int{64, pageBytes} {
					all = append(all, row{readPercent, bytes, slots, procs})
				}
			}
		}
	}
	return all
}()

// name says what, how many bytes, slots and processors, as in r90_4k_s64_p8.
func (r row) name() string {
	what, bytes := "write", fmt.Sprint(r.bytes)
	if r.readPercent > 0 {
		what = fmt.Sprintf("r%d", r.readPercent)
	}
	if r.bytes%1024 == 0 {
		bytes = fmt.Sprintf("%dk", r.bytes/1024)
	}
	return fmt.Sprintf("%s_%s_s%d_p%d", what, bytes, r.slots, r.procs)
}

// time is for how long the goroutines contend. On one processor they take turns
// of 10 ms each, and a share tells something only after more than one turn each.
func (r row) time(d time.Duration) time.Duration {
	if r.procs == 1 {
		d *= 4
	}
	return d
}
