package keeper

import (
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// keeper is the state of the loop. All is its thread's alone.
type keeper struct {
	o       Options
	begin   time.Time
	program int // what workers are started from
	fds     table
	format  uint32 // of what is held; known once served
	signals signals

	worker, standby *child // nil: none
	workerAt        time.Duration
	standbyAt       time.Duration // not before these
	workerBackoff   backoff
	standbyBackoff  backoff
	lookAt          time.Duration // at the worker, whether it is stuck
	deathAt         time.Duration // of the last worker
	owed            uint64        // signals for a worker that does not serve yet
	takeovers       uint64
	lastTakeover    time.Duration
	served          bool // a worker has, ever
	settled         bool // a death is no failed start any more
	upgrade         upgrade
	done            bool
	code            int
	err             error
	in, out         wire
	message         message
	polls           [1 + 2*maxChildren]unix.PollFd
	polled          [maxChildren]*child
	scratch         [4096]byte
}

// readTime is how long a standby may take to read a message.
const readTime = 5 * time.Second

// maxChildren: worker, standby, and what is to be upgraded to.
const maxChildren = 3

// Run starts a worker and goes on starting the next one until one says that the work is over. It returns that one's exit
// code, 0 or the code of the first worker if it never served; err is what nobody has told the user yet. It stays on the
// thread that it is called on, and must not be run twice.
func Run(o Options) (code int, err error) {
	runtime.LockOSThread()
	k, err := newKeeper(o)
	if err != nil {
		return 1, err
	}
	if err := k.signals.open(); err != nil {
		return 1, fmt.Errorf("eventfd: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 1, fmt.Errorf("become the reaper of what workers start: %w", err)
	}
	for !k.done {
		k.start()
		if !k.done {
			k.turn()
		}
	}
	k.shutDown()
	return k.code, k.err
}

func newKeeper(o Options) (*keeper, error) {
	k := &keeper{o: o, begin: time.Now(), fds: makeTable(o.Held)}
	k.upgrade.program = -1
	limit := o.Deaths
	switch {
	case limit == 0:
		limit = deathLimit
	case limit < 0:
		limit = 0
	}
	k.workerBackoff.limit, k.standbyBackoff.limit = limit, limit
	var err error
	k.program, err = program("/proc/self/exe")
	return k, err
}

func (k *keeper) now() time.Duration { return time.Since(k.begin) }

// turn waits for something to happen and deals with it.
func (k *keeper) turn() {
	k.poll()
	set := k.signals.take(k.scratch[:])
	dead := set&(1<<unix.SIGCHLD) != 0
	for i, c := range k.polled {
		if c == nil {
			break
		}
		dead = dead || k.polls[1+2*i].Revents != 0
		if k.polls[2+2*i].Revents&unix.POLLOUT != 0 {
			k.flush(c)
		}
		if k.polls[2+2*i].Revents&^unix.POLLOUT != 0 {
			k.listen(c)
		}
	}
	k.owed |= set &^ (1 << unix.SIGCHLD)
	if k.worker != nil && (k.worker.serving && !k.upgrade.handing || !k.settled) { // one that is replaced could not obey
		forward(k.owed, k.worker.pid)
		k.owed = 0
	}
	if dead {
		k.reap()
	}
	k.clock()
}

// poll waits for a signal, a death, a message, or the next thing that is due.
func (k *keeper) poll() {
	k.polls[0] = unix.PollFd{Fd: int32(k.signals.fd), Events: unix.POLLIN}
	n := 0
	for _, c := range [...]*child{k.worker, k.standby, k.upgrade.child} {
		if c != nil {
			k.polled[n] = c
			k.polls[1+2*n] = unix.PollFd{Fd: int32(c.pidfd), Events: unix.POLLIN}
			k.polls[2+2*n] = unix.PollFd{Fd: int32(c.socket), Events: unix.POLLIN}
			if len(c.queue) > 0 {
				k.polls[2+2*n].Events |= unix.POLLOUT
			}
			if c.failed { // its end is all that is still to come
				k.polls[2+2*n].Fd = -1
			}
			n++
		}
	}
	clear(k.polled[n:])
	timeout := unix.NsecToTimespec(int64(k.next()))
	if _, err := unix.Ppoll(k.polls[:1+2*n], &timeout, nil); err != nil {
		for i := range k.polls {
			k.polls[i].Revents = 0
		}
	}
}

// next is how long it is until something is due.
func (k *keeper) next() time.Duration {
	now, at := k.now(), time.Duration(1<<62)
	switch {
	case k.worker == nil:
		at = k.workerAt
	default:
		at = k.lookAt
		if k.worker.serving && k.o.Standby && k.standby == nil {
			at = min(at, k.standbyAt)
		}
	}
	if k.upgrade.at != 0 {
		at = min(at, k.upgrade.at)
	}
	for _, c := range [...]*child{k.worker, k.standby, k.upgrade.child} {
		at = min(at, c.unreadAt())
	}
	for _, c := range [...]*child{k.standby, k.upgrade.child} {
		if c.unread() {
			at = min(at, c.pingedAt+readTime)
		}
	}
	return min(max(at-now, 0), time.Hour)
}

// clock does what is due.
func (k *keeper) clock() {
	now := k.now()
	if c := k.worker; c != nil && now >= k.lookAt {
		switch {
		case !c.pinged:
			k.ping(c)
			k.lookAt = now + stuckEvery
		case k.look(c):
			k.bury(c, "killed, but waits for itself")
		case c.stuck > 0:
			k.lookAt = now + stuckAgain
		default:
			k.lookAt = now + stuckEvery
		}
	}
	for _, c := range [...]*child{k.worker, k.standby, k.upgrade.child} {
		if now >= c.unreadAt() {
			k.fail(c, errUnread)
		}
	}
	for _, c := range [...]*child{k.standby, k.upgrade.child} {
		if c.unread() && now >= c.pingedAt+readTime {
			k.fail(c, fmt.Errorf("it has not read its messages within %v", readTime))
		}
	}
	if k.upgrade.at != 0 && now >= k.upgrade.at {
		k.upgradeDue()
	}
}

// start starts what has to run by now.
func (k *keeper) start() {
	now := k.now()
	if k.worker == nil && now >= k.workerAt {
		k.startWorker()
	}
	if k.worker != nil && k.worker.serving && k.o.Standby && k.standby == nil && now >= k.standbyAt {
		c, err := k.spawn(k.program, false)
		if err != nil {
			k.standbyAt = now + max(k.standbyBackoff.died(now, 0), firstPause)
			k.o.Log.Error("no standby", "reason", err)
			return
		}
		k.standby = c
	}
}

// startWorker tells the standby to go; if there is none, it starts a worker.
func (k *keeper) startWorker() {
	c := k.standby
	k.standby = nil
	if c != nil && c.failed {
		k.discard(c)
		c = nil
		if k.upgrade.handing {
			k.refuse(unix.EINVAL, "it ended before it could take over")
		}
	}
	if c == nil {
		var err error
		if c, err = k.spawn(k.program, !k.served); err != nil {
			if !k.served {
				k.finish(1, err)
				return
			}
			k.workerAt = k.now() + max(k.workerBackoff.died(k.now(), 0), firstPause)
			k.o.Log.Error("no worker: I/O waits", "reason", err)
			return
		}
	}
	k.worker, k.lookAt = c, k.now()+stuckEvery // one that does not serve yet may be stuck too: it uses the mount
	if !k.served && k.o.Started != nil {
		k.o.Started()
	}
	c.due = true
	if c.standing {
		k.send(c)
	}
}

// send has a child that stands begin to serve. It knows how things stand beforehand: others may ask it at once.
func (k *keeper) send(c *child) {
	first := uint32(0)
	if !k.served {
		first = 1
	}
	c.due = false
	k.describe(c)
	k.tell(c, message{kind: kindGo, code: first, fd: -1})
}

// stands hands a child that reads its messages all that is held. Before, what is dropped would not be gone until it does.
func (k *keeper) stands(c *child) {
	c.standing = true
	for i := range k.fds.all() {
		h := &k.fds.items[i]
		k.tell(c, message{kind: kindHold, text: h.text(), fd: h.fd})
	}
	if c.due {
		k.send(c)
	}
}

// spawn starts a child.
func (k *keeper) spawn(program int, first bool) (*child, error) {
	c, err := spawn(program, k.o.Command(first))
	if err != nil {
		return nil, err
	}
	c.started = k.now()
	return c, nil
}

// tell sends a message. A child that does not read is of no use.
func (k *keeper) tell(c *child, m message) {
	if c.failed {
		return
	}
	if len(c.queue) > 0 {
		k.enqueue(c, m)
		return
	}
	switch err := k.out.send(c.socket, m, unix.MSG_DONTWAIT); err {
	case nil, ErrLost:
	case unix.EAGAIN:
		k.enqueue(c, m)
	default:
		k.fail(c, err)
	}
}

// fail kills a child that does not do what it should; its death does the rest.
func (k *keeper) fail(c *child, err error) {
	k.o.Log.Error("killing a child", "pid", c.pid, "reason", err)
	c.failed = true
	c.kill()
}

// finish ends the loop.
func (k *keeper) finish(code int, err error) { k.done, k.code, k.err = true, code, err }

// shutDown leaves no child behind.
func (k *keeper) shutDown() {
	for _, c := range [...]*child{k.worker, k.standby, k.upgrade.child} {
		if c == nil {
			continue
		}
		c.kill()
		c.close()
		for {
			if _, err := unix.Wait4(c.pid, nil, 0, nil); err != unix.EINTR {
				break
			}
		}
	}
	k.worker, k.standby, k.upgrade.child = nil, nil, nil
}
