//go:build invariants || race

package lockdep

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/petermattis/goid"
)

// maxDepth is how many callers a hold remembers.
const maxDepth = 16

// hold is a lock that a goroutine holds or waits for.
type hold struct {
	rank    Rank
	mode    Mode
	waiting bool
	id      ID
	since   time.Duration // since start; when it was asked for, then when it was got
	depth   int
	stack   [maxDepth]uintptr // callers of who asked for it
}

// goroutine is the locks of one goroutine, in the order in which it asked for
// them: of each rank one at most.
type goroutine struct {
	id    int64 // 0: nobody's
	n     int
	holds [ranks]hold
}

// shard has the goroutines of every 256th number. More than one at a time is
// rare: each mostly locks what is its own.
type shard struct {
	mu         sync.Mutex
	goroutines []goroutine
	_          [32]byte
}

var (
	shards [256]shard
	start  = time.Now()
)

// The library knows where the runtime keeps the number in each release of Go. A
// new release may prove it wrong, so its answer is compared with that of the
// runtime itself, which takes ten thousand times as long.
func init() {
	ids := make(chan [2]int64)
	go func() {
		var buf [64]byte
		ids <- [2]int64{goid.Get(), goid.ExtractGID(buf[:runtime.Stack(buf[:], false)])}
	}()
	if id := <-ids; id[0] != id[1] {
		panic(fmt.Sprintf("lockdep: goroutine %d is told that it is %d: package goid does not know %s", id[1], id[0], runtime.Version()))
	}
}

// self locks the shard of the calling goroutine.
func self() (*shard, int64) {
	id := goid.Get()
	s := &shards[uint64(id)%uint64(len(shards))]
	s.mu.Lock()
	return s, id
}

// find is goroutine id's entry, nil if it has no lock. The shard is locked.
func (s *shard) find(id int64) *goroutine {
	for i := range s.goroutines {
		if g := &s.goroutines[i]; g.id == id {
			return g
		}
	}
	return nil
}

// enter is goroutine id's entry, new if it had no lock. The shard is locked.
func (s *shard) enter(id int64) *goroutine {
	if g := s.find(id); g != nil {
		return g
	}
	g := s.find(0)
	if g == nil {
		s.goroutines = append(s.goroutines, goroutine{})
		g = &s.goroutines[len(s.goroutines)-1]
	}
	g.id = id
	return g
}

// push notes a lock, with the callers from skip frames above push's caller on.
func (g *goroutine) push(r Rank, id ID, m Mode, waiting bool, skip int) {
	h := &g.holds[g.n]
	g.n++
	h.rank, h.id, h.mode, h.waiting, h.since = r, id, m, waiting, time.Since(start)
	h.depth = runtime.Callers(skip+2, h.stack[:])
}

// have is the note of a lock, nil if there is none.
func (g *goroutine) have(id ID) *hold {
	if g == nil {
		return nil
	}
	for i := range g.n {
		if h := &g.holds[i]; h.id == id {
			return h
		}
	}
	return nil
}

// drop forgets a lock that g has.
func (g *goroutine) drop(h *hold) {
	g.n--
	for i := range g.n {
		if &g.holds[i] == h {
			copy(g.holds[i:g.n], g.holds[i+1:g.n+1])
			break
		}
	}
	if g.n == 0 {
		g.id = 0
	}
}
