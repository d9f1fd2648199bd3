package soak

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// actor is somebody who does one thing after another.
type actor struct {
	name  string
	since atomic.Int64 // when the present thing began; 0 = between two
	_     [64]byte
}

func (s *soak) newActor(name string) *actor {
	a := &actor{name: name}
	s.mu.Lock()
	s.actors = append(s.actors, a)
	s.mu.Unlock()
	return a
}

// enter begins a thing and returns its time, which is not before the one that
// others see.
func (s *soak) enter(a *actor) int64 {
	a.since.Store(s.now())
	return s.now()
}

func (a *actor) leave() { a.since.Store(0) }

// oldest is a time before which no request began that is under way or will come.
func (s *soak) oldest() int64 {
	t := s.now()
	for _, w := range s.workers {
		if since := w.io.since.Load(); since != 0 {
			t = min(t, since)
		}
	}
	return t
}

// quiet waits until all requests under way have ended.
func (s *soak) quiet() {
	for _, w := range s.workers {
		since := w.io.since.Load()
		for since != 0 && w.io.since.Load() == since {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// watch prints a line now and then, and ends the process with all stacks when
// somebody does not come on. The function it returns ends that.
func (s *soak) watch() (end func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		line, look := time.NewTicker(lineEvery), time.NewTicker(time.Second)
		defer line.Stop()
		defer look.Stop()
		for {
			select {
			case <-quit:
				return
			case <-line.C:
				fmt.Fprintln(s.Out, s.line())
			case <-look.C:
				s.lookAround()
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

func (s *soak) lookAround() {
	s.mu.Lock()
	actors := s.actors
	s.mu.Unlock()
	now := s.now()
	for _, a := range actors {
		since := a.since.Load()
		if since == 0 || now-since < int64(hung) {
			continue
		}
		stacks := make([]byte, 16<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		fmt.Fprintf(s.Out, "%s\n\n%s", s.line(), stacks)
		panic(fmt.Sprintf("soak: %s has hung for %v (seed %#x)", a.name, time.Duration(now-since), s.Seed))
	}
}
