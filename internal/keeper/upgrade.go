package keeper

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// upgradeTime is how long a new program may take to be ready.
	upgradeTime = 30 * time.Second
	// retireTime is how long the old worker may take to end what is under way.
	retireTime = 10 * time.Second
)

// upgrade is a change of programs that is under way, or how the last one went.
//
//	child starts ──> stands by, can read the format ──> becomes the standby; the worker retires ──> the worker is killed
//	      └──> dies, takes too long, cannot read it: refused, all stays as it is         │                └──> does not serve: old program
//	                                              dies meanwhile: the worker goes on <───┘
//
// A worker that takes too long to retire is killed too: then it is a death like any other.
type upgrade struct {
	token   string
	path    string
	program int    // -1: none under way
	child   *child // until it is the standby
	at      time.Duration
	handing bool   // the old worker is told or dead, the new one does not serve yet
	retire  uint32 // how many were told to retire
	done    string // token of the last one that was done
	refused []byte // why the last one was not
}

// upgradeTo begins an upgrade to the program behind fd, which stays the caller's.
func (k *keeper) upgradeTo(token, path string, fd int) {
	u := &k.upgrade
	k.worker.asking = true
	switch {
	case token != "" && token == u.done:
		k.verdict(0, "")
		return
	case u.program >= 0 && token != "" && token == u.token:
		return // asked by a worker that has died meanwhile; this one gets the answer
	case u.program >= 0:
		k.verdict(unix.EBUSY, "another upgrade is under way")
		return
	}
	if why := distrust(fd); why != "" {
		u.path, u.token = path, token
		k.refuse(unix.EACCES, why)
		return
	}
	program, err := highFD(fd)
	if err == nil {
		u.token, u.path, u.program, u.refused = token, path, program, nil
		k.show()
		u.child, err = k.spawn(program, false)
	}
	if err != nil {
		k.refuse(unix.EINVAL, err.Error())
		return
	}
	u.at = k.now() + upgradeTime
}

// distrust says why a program must not be started with the keeper's rights: somebody else could have written it. "" if it
// may be.
func distrust(fd int) string {
	var st unix.Stat_t
	switch err := unix.Fstat(fd, &st); {
	case err != nil:
		return err.Error()
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return "it is not a regular file"
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return fmt.Sprintf("it belongs to user %d, not to root or the keeper's user", st.Uid)
	case st.Mode&(unix.S_IWGRP|unix.S_IWOTH) != 0:
		return "its group or others may write to it"
	}
	return ""
}

// upgradeStands goes on when the new program is ready.
func (k *keeper) upgradeStands() {
	u := &k.upgrade
	c := u.child
	if f := c.formats; k.format < f.Min || k.format > f.Max {
		u.child = nil
		k.discard(c)
		k.refuse(unix.EINVAL, fmt.Sprintf("it can take over formats %d to %d, and this mount has %d", f.Min, f.Max, k.format))
		return
	}
	if k.worker == nil || !k.worker.serving {
		u.child = nil
		k.discard(c)
		k.refuse(unix.EAGAIN, "the worker died meanwhile")
		return
	}
	if k.standby != nil {
		k.discard(k.standby)
	}
	k.standby, u.child = c, nil
	u.handing, u.at = true, k.now()+retireTime
	u.retire++
	k.verdict(0, "")
	k.tell(k.worker, message{kind: kindRetire, code: u.retire, fd: -1})
}

// upgradeRetired replaces a worker that has nothing under way any more.
func (k *keeper) upgradeRetired(c *child, number uint32) {
	if u := &k.upgrade; u.handing && number == u.retire {
		k.replace(c)
	}
}

// replace kills the worker for the one that stands by.
func (k *keeper) replace(c *child) {
	k.upgrade.at = 0
	c.replaced = true
	c.kill()
}

// upgradeDue is called when the time of a step is over.
func (k *keeper) upgradeDue() {
	u := &k.upgrade
	u.at = 0
	switch {
	case u.child != nil:
		c := u.child
		u.child = nil
		k.discard(c)
		k.refuse(unix.ETIMEDOUT, fmt.Sprintf("it was not ready within %v", upgradeTime))
	case u.handing && k.worker != nil && k.worker.serving:
		k.o.Log.Warn("the worker does not end what is under way", "pid", k.worker.pid, "within", retireTime)
		k.replace(k.worker)
	}
}

// upgradeDied is told of each worker's death; false if it was meant to be.
func (k *keeper) upgradeDied(c *child, how string) bool {
	u := &k.upgrade
	if !u.handing {
		return true
	}
	u.at = 0
	if c.serving { // the old one
		return !c.replaced
	}
	k.refuse(unix.EINVAL, fmt.Sprintf("it could not take over: %s", how))
	return false
}

// upgradeServes is told of each worker that serves.
func (k *keeper) upgradeServes() {
	u := &k.upgrade
	if !u.handing {
		return
	}
	unix.Close(k.program)
	k.program, u.program = u.program, -1
	u.done, u.handing, u.refused = u.token, false, nil
	k.o.Log.Info("upgraded", "binary", u.path)
	k.verdict(0, "") // to a request that was made again before this
}

// refuse ends an upgrade that cannot be.
func (k *keeper) refuse(errno syscall.Errno, why string) {
	u := &k.upgrade
	if u.program >= 0 {
		unix.Close(u.program)
	}
	if c := k.worker; u.handing && c != nil && c.serving && !c.replaced {
		k.tell(c, message{kind: kindResume, fd: -1})
	}
	u.program, u.handing, u.at = -1, false, 0
	why = fmt.Sprintf("%s: %s", u.path, why)
	if len(why) > maxText {
		why = why[:maxText]
	}
	u.refused = []byte(why)
	k.o.Log.Error("upgrade refused", "reason", why)
	k.show()
	k.verdict(errno, why)
}

// verdict answers the worker if it has asked: one that comes unasked would be taken for the answer to its next request.
func (k *keeper) verdict(errno syscall.Errno, why string) {
	if k.worker != nil && k.worker.asking {
		k.worker.asking = false
		k.tell(k.worker, message{kind: kindUpgraded, code: uint32(errno), text: []byte(why), fd: -1})
	}
}

// discard kills a child that nobody needs; it is waited for as an orphan.
func (k *keeper) discard(c *child) {
	c.failed = true
	c.kill()
	c.close()
}
