package fusefs

import (
	"math"
	"sync/atomic"
)

// users counts who uses something that may go away. It is made by newUsers.
type users struct {
	n       atomic.Int64
	closing chan struct{} // closed when nobody may enter any more
	idle    chan struct{} // closed when nobody uses it any more either
}

// shut is added when nobody may enter any more.
const shut = math.MinInt64 / 2

func newUsers() users { return users{closing: make(chan struct{}), idle: make(chan struct{})} }

// enter tells whether the caller may use it, until leave.
func (u *users) enter() bool {
	for {
		n := u.n.Load()
		if n < 0 {
			return false
		}
		if u.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (u *users) leave() {
	if u.n.Add(-1) == shut {
		close(u.idle)
	}
}

// close keeps everybody out from now on. It is called once.
func (u *users) close() {
	close(u.closing)
	if u.n.Add(shut) == shut {
		close(u.idle)
	}
}

// shutOut tells whether nobody may enter any more.
func (u *users) shutOut() bool { return u.n.Load() < 0 }

// wait returns when nobody uses it any more.
func (u *users) wait() { <-u.idle }
