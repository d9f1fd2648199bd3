package fusefs

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// faultyConn is a connection at which the process stops, from some moment on: with
// requests taken and not served (hold), or only those that end an open (hold releases),
// or served and not answered (mute).
type faultyConn struct {
	conn
	options Options      // of the mount
	mode    atomic.Int32 // faultHold, faultMute
	taken   atomic.Int64 // requests since
}

const (
	faultHold = 1 + iota
	faultMute
	faultRelease
)

func (c *faultyConn) wrap(real conn) conn {
	c.conn = real
	return c
}

func (c *faultyConn) set(mode string) {
	c.mode.Store(map[string]int32{"hold": faultHold, "mute": faultMute, "hold releases": faultRelease}[mode])
}

func (c *faultyConn) read(p []byte) (int, error) {
	n, err := c.conn.read(p)
	if mode := c.mode.Load(); err == nil && (mode == faultHold || mode == faultRelease) {
		if h, ok := parseHeader(p[:n]); mode == faultHold || ok && h.opcode == opRelease {
			c.taken.Add(1)
			select {}
		}
	}
	return n, err
}

func (c *faultyConn) write(p []byte) error {
	if c.mode.Load() == faultMute {
		c.taken.Add(1)
		select {}
	}
	return c.conn.write(p)
}

// adoptInPlace takes over from a mount of this process, all of whose workers hold
// a request each.
func adoptInPlace(m *Mount, faults *faultyConn) (*Mount, error) {
	for i := range m.state.opens {
		if m.state.opens[i].handle.Load() != 0 {
			m.devices.first().dev.Close() // it is counted again
		}
	}
	o := faults.options
	o.wrap = nil
	return adopt(o, left{m.conn, m.state.arena, m.devices.arena, m.buffers, nil})
}

// note adds a line to a file.
func note(name string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, "done")
	return err
}

// vaultSocket is a vault at the other end of a socket.
type vaultSocket int

func (v vaultSocket) Hold(name string, fd int) error {
	return v.ask("hold "+name, unix.UnixRights(fd))
}

func (v vaultSocket) Drop(name string) { _ = v.ask("drop "+name, nil) }

func (v vaultSocket) ask(what string, rights []byte) error {
	if err := unix.Sendmsg(int(v), []byte(what), rights, nil, 0); err != nil {
		return err
	}
	var b [8]byte
	if n, err := unix.Read(int(v), b[:]); err != nil || n == 0 {
		return syscall.EPIPE
	}
	return nil
}

// await receives what a successor takes over, until it is told to go.
func (v vaultSocket) await() (map[string]int, error) {
	held := map[string]int{}
	for {
		var b [64]byte
		rights := make([]byte, unix.CmsgSpace(4))
		n, rn, _, _, err := unix.Recvmsg(int(v), b[:], rights, unix.MSG_CMSG_CLOEXEC)
		if err != nil || n == 0 {
			return nil, syscall.EPIPE
		}
		name := string(b[:n])
		if name == "go" {
			return held, nil
		}
		messages, err := unix.ParseSocketControlMessage(rights[:rn])
		if err != nil {
			return nil, err
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil {
			return nil, err
		}
		held[name] = fds[0]
	}
}
