package keeper

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// What a child's socket has no room for waits in a queue: all descriptors of a mount with many devices are more than it
// takes at once.

// queueTime is how long a child may read nothing of what waits for it.
const queueTime = 2 * time.Second

// queueSlack is how many messages may wait beside one for each descriptor.
const queueSlack = 1024

var errUnread = errors.New("it does not read its messages")

// enqueue has a message wait for its turn. Its descriptor stays the table's.
func (k *keeper) enqueue(c *child, m message) {
	if len(c.queue) >= k.fds.n+queueSlack {
		k.fail(c, errUnread)
		return
	}
	if len(c.queue) == 0 {
		c.readAt = k.now()
	}
	m.text = bytes.Clone(m.text)
	c.queue = append(c.queue, m)
}

// flush sends what waits, as far as there is room.
func (k *keeper) flush(c *child) {
	for len(c.queue) > 0 && !c.failed {
		switch err := k.out.send(c.socket, c.queue[0], unix.MSG_DONTWAIT); err {
		case unix.EAGAIN:
			return
		case nil, ErrLost:
			c.queue, c.readAt = c.queue[1:], k.now()
		default:
			k.fail(c, err)
		}
	}
	c.queue = nil
}

// unreadAt is when a child has read nothing for too long of what waits for it, far in the future if nothing waits.
func (c *child) unreadAt() time.Duration {
	if c == nil || c.failed || len(c.queue) == 0 {
		return 1 << 62
	}
	return c.readAt + queueTime
}

// unqueue takes a descriptor that is about to be closed out of all queues; what it stood for is dropped or replaced by a
// message to come.
func (k *keeper) unqueue(fd int) {
	for _, c := range [...]*child{k.worker, k.standby, k.upgrade.child} {
		if c == nil {
			continue
		}
		for i := range c.queue {
			if m := &c.queue[i]; m.kind == kindHold && m.fd == fd {
				m.kind, m.fd = kindDrop, -1
			}
		}
	}
}
