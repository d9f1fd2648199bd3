package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// stock is what a process has.
type stock struct {
	goroutines, arenas int
	heap               uint64 // bytes
}

// What may be more after a run: the crew's buffers are never given back, and the
// heap keeps what pools of packages keep.
const (
	crewArenas = 1
	heapSlack  = 32 << 20
)

func takeStock() (s stock, err error) {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.goroutines, s.heap = runtime.NumGoroutine(), m.HeapAlloc
	s.arenas, err = arenas()
	return s, err
}

// arenas counts the arenas that are open; under the race detector there are none.
func arenas() (n int, err error) {
	links, err := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if to, _ := os.Readlink(link); strings.HasPrefix(to, "/memfd:uzram-") {
			n++
		}
	}
	return n, err
}

// compare waits for the stock to fall back to what it was.
func (before stock) compare() error {
	var now stock
	var err error
	for range 100 {
		if now, err = takeStock(); err != nil {
			return err
		}
		if now.goroutines <= before.goroutines && now.arenas <= before.arenas+crewArenas && now.heap <= before.heap+heapSlack {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return fmt.Errorf("left over: before %+v, now %+v\n%s", before, now, stacks)
}
