package keeper

import (
	"bytes"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// listen takes all messages that a child has sent.
func (k *keeper) listen(c *child) {
	for !c.failed {
		m := &k.message
		switch err := k.in.receive(c.socket, m, unix.MSG_DONTWAIT); err {
		case nil:
			k.handle(c, m)
		case unix.EAGAIN:
			return
		case ErrLost:
			c.failed = true // it dies, or has closed its socket; either way there is nothing more to hear
			if !c.ended {
				c.kill()
			}
			return
		default:
			k.fail(c, err)
			return
		}
	}
}

// handle does what a message says. Its descriptor, if there is one, is held or closed.
func (k *keeper) handle(c *child, m *message) {
	fd := m.fd
	m.fd = -1
	errno := syscall.Errno(unix.EPROTO)
	switch {
	case m.kind == kindStanding:
		k.stands(c)
		c.formats = Formats{Min: uint32(m.a), Max: uint32(m.b), Makes: uint32(m.c)}
		if c == k.standby {
			k.show()
		}
		if c == k.upgrade.child {
			k.upgradeStands()
		}
		errno = 0
	case m.kind == kindPong:
		k.ponged(c)
		errno = 0
	case c != k.worker: // nobody else may change anything
	case m.kind == kindHold:
		errno = unix.EMFILE // without a descriptor, for which this process has no room
		if fd >= 0 {
			errno = k.hold(m.text, fd)
		}
		k.answer(c, errno)
		if errno == 0 {
			fd = -1
		}
		errno = 0
	case m.kind == kindDrop:
		k.drop(m.text)
		k.answer(c, 0)
		errno = 0
	case m.kind == kindServing:
		k.serves(c)
		errno = 0
	case m.kind == kindSettled:
		k.settle()
		k.answer(c, 0)
		errno = 0
	case m.kind == kindEnded:
		c.ended = true
		k.answer(c, 0)
		errno = 0
	case m.kind == kindRetired:
		k.upgradeRetired(c, m.code)
		errno = 0
	case m.kind == kindUpgrade && fd >= 0:
		token, path, _ := bytes.Cut(m.text, []byte{0})
		k.upgradeTo(string(token), string(path), fd)
		errno = 0
	}
	if fd >= 0 {
		unix.Close(fd)
	}
	if errno == unix.EPROTO {
		k.fail(c, fmt.Errorf("message %d is out of place: %w", m.kind, errno))
	}
}

// hold holds a descriptor, which is the table's unless it fails, in place of what the name stood for.
func (k *keeper) hold(name []byte, fd int) syscall.Errno {
	if old := k.fds.fd(name); old >= 0 {
		k.unqueue(old)
	}
	errno := k.fds.hold(name, fd)
	if errno == 0 {
		k.share(message{kind: kindHold, text: name, fd: fd})
	}
	return errno
}

func (k *keeper) drop(name []byte) {
	if old := k.fds.fd(name); old >= 0 {
		k.unqueue(old)
	}
	k.fds.drop(name)
	k.share(message{kind: kindDrop, text: name, fd: -1})
}

func (k *keeper) answer(c *child, errno syscall.Errno) {
	k.tell(c, message{kind: kindAck, code: uint32(errno), fd: -1})
}

// share lets those who may come next know. They say when they have read it: until then they keep alive what was dropped.
func (k *keeper) share(m message) {
	for _, c := range [...]*child{k.standby, k.upgrade.child} {
		if c == nil || !c.standing {
			continue
		}
		k.tell(c, m)
		if c.pinged {
			c.behind = true
			continue
		}
		k.ping(c)
	}
}

func (k *keeper) ping(c *child) {
	c.pinged, c.pingedAt = true, k.now()
	k.tell(c, message{kind: kindPing, fd: -1})
}

// ponged notes that a child has read all up to the last ping.
func (k *keeper) ponged(c *child) {
	c.pinged, c.stuck = false, 0
	if c.behind {
		c.behind = false
		k.ping(c)
	}
}

// serves notes that the work goes on.
func (k *keeper) serves(c *child) {
	now := k.now()
	c.serving, c.served = true, now
	k.lookAt = now + stuckEvery
	if k.served {
		k.takeovers++
		k.lastTakeover = now - k.deathAt
		k.o.Log.Info("worker took over", "pid", c.pid, "after", k.lastTakeover)
		k.upgradeServes()
	} else {
		k.served, k.format = true, c.formats.Makes
	}
	k.show()
	k.answer(c, 0)
}

// settle notes that the first worker has done all that it was started for.
func (k *keeper) settle() {
	if k.settled {
		return
	}
	k.settled = true
	if k.o.Settled != nil {
		k.o.Settled()
	}
}

// show tells the worker how things stand.
func (k *keeper) show() {
	if k.worker != nil && k.worker.serving {
		k.describe(k.worker)
	}
}

// describe tells a child how things stand.
func (k *keeper) describe(c *child) {
	code := uint32(unix.Getpid()) << stateShift
	if k.standby != nil && k.standby.standing {
		code |= stateStanding
	}
	wait := uint64(0)
	if now := k.now(); k.standby == nil && k.standbyAt > now {
		wait = uint64((k.standbyAt - now).Seconds() + 1)
	}
	k.tell(c, message{
		kind: kindState, code: code, a: k.takeovers, b: uint64(k.lastTakeover.Microseconds()), c: wait,
		text: k.upgrade.refused, fd: -1,
	})
}
