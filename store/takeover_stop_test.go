//go:build !race

package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/blockfile"
	"uzram/internal/offheap"
)

// child is such a process, seen from outside.
type child struct {
	t      *testing.T
	o      childOptions
	cmd    *exec.Cmd
	socket int
	log    childLog
	held   map[string]int
}

func startChild(t *testing.T, o childOptions) *child {
	t.Helper()
	o.Backing = filepath.Join(t.TempDir(), "backing")
	if err := blockfile.New(o.Backing, uint64(o.Pages)*PageSize*3/2); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	log, err := offheap.New(offheap.Scratch, uint64(2*o.Pages*8), 8)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, o: o, socket: pair[0], log: openChildLog(log, o.Pages), held: make(map[string]int)}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	shared, err := unix.FcntlInt(uintptr(log.FD()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	memory := os.NewFile(uintptr(shared), "log")
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), "UZRAM_STORE_TEST_CHILD="+string(text))
	c.cmd.ExtraFiles = []*os.File{theirs, memory}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // stopped or not
	var out bytes.Buffer
	c.cmd.Stderr = &out
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	memory.Close()
	t.Cleanup(func() {
		c.kill()
		for _, fd := range c.held {
			unix.Close(fd)
		}
		unix.Close(c.socket)
		log.Close()
		if t.Failed() {
			t.Logf("the child said: %s", out.String())
		}
	})
	return c
}

func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}

// stop stops the child, at whatever instructions its threads are, and waits until
// it stands.
func (c *child) stop() {
	c.t.Helper()
	pid := c.cmd.Process.Pid
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	for {
		var status unix.WaitStatus
		_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || !status.Stopped() {
			c.t.Fatalf("the child has ended: %v, status %#x", err, status)
		}
		return
	}
}

func (c *child) resume() {
	c.t.Helper()
	if err := unix.Kill(c.cmd.Process.Pid, unix.SIGCONT); err != nil {
		c.t.Fatal(err)
	}
}

// receive takes what the child has sent to its vault.
func (c *child) receive() {
	c.t.Helper()
	buf, rights := make([]byte, 256), make([]byte, unix.CmsgSpace(4))
	for {
		n, more, _, _, err := unix.Recvmsg(c.socket, buf, rights, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if err == unix.EAGAIN || err == nil && n == 0 {
			return
		}
		if err != nil {
			c.t.Fatal(err)
		}
		name := strings.TrimPrefix(string(buf[1:n]), testPrefix)
		if fd, ok := c.held[name]; ok {
			unix.Close(fd)
			delete(c.held, name)
		}
		if buf[0] == '+' {
			list, err := unix.ParseSocketControlMessage(rights[:more])
			if err != nil || len(list) != 1 {
				c.t.Fatalf("%q without a descriptor: %v", buf[:n], err)
			}
			fds, err := unix.ParseUnixRights(&list[0])
			if err != nil {
				c.t.Fatal(err)
			}
			c.held[name] = fds[0]
		}
		if err := unix.Send(c.socket, []byte{1}, 0); err != nil {
			c.t.Fatal(err)
		}
	}
}

// left copies what the child would leave if it died now.
func (c *child) left() *copies {
	c.t.Helper()
	left := &copies{arenas: make(map[string]*offheap.Arena)}
	for name, fd := range c.held {
		var err error
		switch {
		case strings.HasPrefix(name, processPrefix): // stands still
		case strings.HasPrefix(name, "backing."):
			var f *blockfile.File
			f, err = blockfile.Adopt(dupFD(c.t, fd), c.o.Backing, int64(c.o.Pages)*PageSize*3/2)
			left.file = struct{ Backing }{f} // not to be unlocked: the child has it still
		default:
			left.arenas[name], err = copyOf(fd, name, nil)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return left
}

// compare holds a successor against what the child has noted, and the check.
func (c *child) compare(d *Device, s *Scratch) (between int) {
	t := c.t
	t.Helper()
	if a := d.Adoption(); a.Lost > 0 || len(a.Findings) > 0 {
		t.Fatalf("found %+v", a)
	}
	check(t, d)
	disk := make([]byte, d.Size())
	mustRead(t, d, s, disk, 0)
	for page := range c.o.Pages {
		begun, done, got := c.log.begun[page].Load(), c.log.done[page].Load(), disk[page*PageSize:][:PageSize]
		if begun != done {
			between++
		}
		if !bytes.Equal(got, version(page, done)) && !bytes.Equal(got, version(page, begun)) {
			t.Fatalf("page %d is neither version %d nor %d", page, done, begun)
		}
	}
	return between
}

// A process at full load, with every kind of pass beside, is stopped at moments of
// nobody's choice; what it would leave is adopted and compared. At last it is
// killed, and what it really left is.
func TestTakeOverFromAnywhere(t *testing.T) {
	for _, o := range []childOptions{
		{Checksum: true},
		{Compressed: true, Pack: true, Encrypt: true},
	} {
		o.Pages, o.Workers = 600, 2
		t.Run(fmt.Sprintf("pack=%v", o.Pack), func(t *testing.T) {
			c, w, rng := startChild(t, o), newWorkers(t, 3), newRand(t)
			var stops, between int
			for stops < 20 {
				time.Sleep(time.Duration(rng.IntN(8000)) * time.Microsecond)
				c.stop()
				c.receive()
				if len(c.held) >= 6 && c.log.done[0].Load() > 0 {
					next, v, err := c.left().successor(w)
					if err != nil {
						t.Fatal(err)
					}
					between += c.compare(next, w.Scratch(stops%3))
					stops++
					if err := retire(next, v); err != nil {
						t.Fatal(err)
					}
				}
				c.resume()
			}
			t.Logf("%d stops, %d writes under way", stops, between)
			c.kill()
			c.adopt(w)
		})
	}
}

// adopt takes over what a dead child has really left.
func (c *child) adopt(w *Workers) {
	t := c.t
	t.Helper()
	fds := map[string]int{"other": -1}
	v := new(testVault)
	for name, fd := range c.held {
		fds[testPrefix+name] = dupFD(t, fd)
		if err := v.Hold(testPrefix+name, fd); err != nil {
			t.Fatal(err)
		}
	}
	d, err := AdoptDevice(w, v, testPrefix, fds)
	if err != nil {
		t.Fatal(err)
	}
	if len(fds) != 1 {
		t.Errorf("left over: %v", fds)
	}
	s := w.Scratch(1)
	c.compare(d, s)
	if _, err := blockfile.Open(c.o.Backing); err == nil {
		t.Error("the backing file is no longer taken")
	} else {
		wantErrno(t, "the backing file", err, syscall.EBUSY)
	}
	for page := range c.o.Pages {
		if err := c.o.write(d, s, c.log, page); err != nil {
			t.Fatal(err)
		}
	}
	d.Writeback(everyPage(c.o.Pages))
	c.compare(d, s)
	if err := retire(d, v); err != nil {
		t.Error(err)
	}
}
