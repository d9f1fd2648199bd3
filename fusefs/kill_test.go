//go:build !race

package fusefs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// keeping is a mount whose servers die; the test keeps its descriptors.
//
// Successors are started beforehand: a process that starts another one closes its
// files of the mount in the child, which waits for the mount to be served.
type keeping struct {
	*server
	standbys []standby
	dead     []*os.Process

	mu   sync.Mutex
	held map[string]int // guarded by mu
}

type standby struct {
	*server
	socket int // the test's end
}

// kept mounts with a vault, and can be killed that many times. No copy of the
// connection may stay behind in the test when the mount ends.
func kept(t *testing.T, c serverConfig, kills int) *keeping {
	t.Helper()
	k := &keeping{held: map[string]int{}}
	for range kills {
		k.standbys = append(k.standbys, launched(t, c, true))
	}
	first := launched(t, c, false)
	k.server = first.server
	t.Cleanup(k.bury)
	go k.keep(first.socket)
	k.ready()
	return k
}

// launched starts a server at the end of a socket.
func launched(t *testing.T, c serverConfig, asStandby bool) standby {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "vault")
	defer theirs.Close()
	c.Vault, c.Standby = 3, asStandby
	s := &server{t: t, dir: c.Dir}
	s.launch(c, theirs)
	return standby{s, pair[0]}
}

// bury ends what there is still of the mount. After a failure somebody may wait
// for ever, so it is ended by force.
func (k *keeping) bury() {
	for _, s := range k.standbys {
		unix.Close(s.socket)
		_ = s.process.Kill()
		_, _ = s.process.Wait()
		s.in.Close()
		s.pipe.Close()
	}
	if k.t.Failed() {
		_ = k.process.Kill()
		_ = unix.Unmount(k.dir, unix.MNT_FORCE)
		_ = unix.Unmount(k.dir, unix.MNT_DETACH)
		k.gone = true
	}
	k.finish()
	for _, p := range k.dead {
		if _, err := p.Wait(); err != nil {
			k.t.Error(err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, fd := range k.held {
		unix.Close(fd)
	}
}

// keep does what the server asks for.
func (k *keeping) keep(socket int) {
	defer unix.Close(socket)
	for {
		var b [64]byte
		rights := make([]byte, unix.CmsgSpace(4))
		n, rn, _, _, err := unix.Recvmsg(socket, b[:], rights, unix.MSG_CMSG_CLOEXEC)
		if err != nil || n == 0 {
			return
		}
		what, name, _ := strings.Cut(string(b[:n]), " ")
		k.mu.Lock()
		if old, ok := k.held[name]; ok {
			unix.Close(old)
			delete(k.held, name)
		}
		if what == "hold" {
			messages, _ := unix.ParseSocketControlMessage(rights[:rn])
			fds, err := unix.ParseUnixRights(&messages[0])
			if err != nil {
				k.t.Error(err)
			}
			k.held[name] = fds[0]
		}
		k.mu.Unlock()
		if _, err := unix.Write(socket, []byte("ok")); err != nil {
			return
		}
	}
}

// kill kills the server, and has another one take over.
func (k *keeping) kill() {
	k.t.Helper()
	if err := k.process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	// A thread that waits for the mount itself ends only once a successor answers.
	dead := k.process
	eventually(k.t, "no thread of the server can run", func() bool { return !runs(dead.Pid) })
	k.dead = append(k.dead, dead)
	k.in.Close()
	k.pipe.Close()
	next := k.standbys[0]
	k.standbys = k.standbys[1:]
	k.mu.Lock()
	for name, fd := range k.held {
		if err := unix.Sendmsg(next.socket, []byte(name), unix.UnixRights(fd), nil, 0); err != nil {
			k.t.Error(err)
		}
	}
	k.mu.Unlock()
	if _, err := unix.Write(next.socket, []byte("go")); err != nil {
		k.t.Error(err)
	}
	k.server = next.server
	go k.keep(next.socket)
	k.ready()
}

// runs tells whether a thread of a process that was killed has not ended and does
// not wait in the kernel for good.
func runs(pid int) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(text), ") ")
		if !strings.ContainsAny(after[:1], "ZXD") {
			return true
		}
	}
	return false
}

// Requests of all kinds are under way when the server is killed: taken and not
// served, or served and not answered. None of them fails and none is done twice.
func TestAdopt_NothingIsLostOrDoneTwice(t *testing.T) {
	for _, fault := range []string{"hold", "mute"} {
		t.Run(fault, func(t *testing.T) {
			k := kept(t, serverConfig{Dir: t.TempDir(), Workers: 8}, 2)
			notes := noteFile(t)
			k.set("disksize", "4M")
			image := k.open("image", unix.O_RDWR)
			status := k.open("debug/status", unix.O_RDONLY)
			control := k.open("debug/control", unix.O_WRONLY)
			listing := k.open("debug/block_state", unix.O_RDONLY)
			dir := k.open("", unix.O_RDONLY|unix.O_DIRECTORY)
			for page := range 20 {
				if err := pwrite(image, page, 1); err != nil {
					t.Fatal(err)
				}
			}
			lines := pread(t, listing, 4096, 0)
			entries := make([]byte, 200)
			first, err := unix.Getdents(dir, entries)
			if err != nil {
				t.Fatal(err)
			}
			k.command(fault)
			flights := map[string]<-chan error{
				"write":   inFlight(func() error { return pwrite(image, 3, 2) }),
				"partial": inFlight(func() error { _, err := unix.Pwrite(image, []byte("some bytes"), 5*4096+100); return err }),
				"read":    inFlight(func() error { _, err := unix.Pread(image, make([]byte, 4096), 0); return err }),
				"open": inFlight(func() error {
					fd, err := unix.Open(k.path("image"), unix.O_RDWR, 0)
					unix.Close(fd)
					return err
				}),
				"verb":   inFlight(func() error { _, err := unix.Write(control, []byte("note "+notes)); return err }),
				"status": inFlight(func() error { _, err := unix.Pread(status, make([]byte, 8192), 0); return err }),
			}
			k.taken(len(flights))
			k.kill()
			for what, ended := range flights {
				if err := <-ended; err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			if text, _ := os.ReadFile(notes); string(text) != "done\n" {
				t.Errorf("the verb left %q", text)
			}
			k.command(fault)
			punch := inFlight(func() error { return unix.Fallocate(image, punchHole, 7*4096, 4096) }) // shuts writes out
			k.taken(1)
			k.kill()
			if err := <-punch; err != nil {
				t.Errorf("punch: %v", err)
			}
			checkPage(t, image, 0, 1)
			checkPage(t, image, 3, 2)
			if got := pread(t, image, 10, 5*4096+100); got != "some bytes" {
				t.Errorf("the partial write left %q", got)
			}
			if got := pread(t, image, 4096, 7*4096); got != string(make([]byte, 4096)) {
				t.Error("the discard left something")
			}
			if got := pread(t, listing, 80, int64(len(lines))); !strings.HasPrefix(got, "") || strings.Contains(lines, got) && got != "" {
				t.Errorf("a listing goes on with %q", got)
			}
			rest, err := unix.Getdents(dir, make([]byte, 8192))
			if err != nil || first+rest < 1000 {
				t.Errorf("a listing of the directory goes on with %d bytes behind %d, %v", rest, first, err)
			}
			if st := k.status(); st.WorkerPID != k.pid || !st.Resend {
				t.Errorf("%+v", st)
			}
			if n, _ := k.status().Stats.Get("write_ios"); n < 21 {
				t.Errorf("%d writes counted", n)
			}
			if err := k.try("reset", "1"); err != unix.EBUSY {
				t.Errorf("reset with the image open: %v", err)
			}
			for _, fd := range []int{image, status, control, listing, dir} {
				unix.Close(fd)
			}
			k.set("reset", "1")
		})
	}
}

// A set-up that was done and not answered is done, and one that nobody began is
// not: the kernel knows the size either way.
func TestAdopt_SetUpUnderWay(t *testing.T) {
	for _, loop := range []bool{false, true} {
		for _, fault := range []string{"hold", "mute"} {
			k := kept(t, serverConfig{Dir: t.TempDir(), Loop: loop}, 1)
			image := k.open("image", unix.O_RDWR)
			disksize := k.open("disksize", unix.O_WRONLY)
			k.command(fault)
			sizing := inFlight(func() error { _, err := unix.Write(disksize, []byte("3000000")); return err })
			k.taken(1)
			k.kill()
			if err := <-sizing; err != nil {
				t.Errorf("%s: %v", fault, err)
			}
			if err := pwrite(image, 2, 1); err != nil {
				t.Error(err)
			}
			if err := k.try("disksize", "3000000"); err != unix.EBUSY {
				t.Errorf("again: %v", err)
			}
			if loop && capacity(t, k.loop) != 3002368 {
				t.Errorf("the loop device has %d bytes", capacity(t, k.loop))
			}
			unix.Close(image)
			unix.Close(disksize)
		}
	}
}

// Closes and opens under way leave the count of opens right, however often the
// server dies.
func TestAdopt_OpensAreCounted(t *testing.T) {
	for _, env := range []string{"", "1"} {
		t.Setenv(noResendEnv, env)
		for _, fault := range []string{"hold", "mute"} {
			k := kept(t, serverConfig{Dir: t.TempDir()}, 2)
			k.set("disksize", "1M")
			first, second := k.open("image", unix.O_RDWR), k.open("image", unix.O_RDWR)
			k.command(fault)
			closing := inFlight(func() error { return unix.Close(first) })
			opening := inFlight(func() error {
				fd, err := unix.Open(k.path("image"), unix.O_RDWR, 0)
				if err == nil {
					unix.Close(fd)
				}
				return err
			})
			k.taken(2)
			k.kill()
			want := map[string]error{"": nil, "1": unix.EIO}[env]
			if err := <-opening; err != want {
				t.Errorf("%s, no resend %q: open: %v, want %v", fault, env, err, want)
			}
			if err := <-closing; err != want {
				t.Errorf("%s, no resend %q: close: %v, want %v", fault, env, err, want)
			}
			k.kill()
			if err := k.try("reset", "1"); err != unix.EBUSY {
				t.Errorf("%s, no resend %q: reset with an image open: %v", fault, env, err)
			}
			unix.Close(second)
			if err := k.try("reset", "1"); err != nil {
				t.Errorf("%s, no resend %q: reset with no image open: %v", fault, env, err)
			}
		}
	}
}

// The end of an open that a server has taken and not carried out is carried out, and
// one that it has not taken too: nobody waits for either, and none may be lost.
func TestAdopt_Releases(t *testing.T) {
	for _, env := range []string{"", "1"} {
		t.Setenv(noResendEnv, env)
		k := kept(t, serverConfig{Dir: t.TempDir(), Workers: 2}, 1)
		k.set("disksize", "1M")
		var images [4]int // more than there are workers
		for i := range images {
			images[i] = k.open("image", unix.O_RDWR)
		}
		k.command("hold releases")
		for _, fd := range images[:3] {
			inFlight(func() error { return unix.Close(fd) })
		}
		k.taken(2)
		k.kill()
		if err := k.try("reset", "1"); err != unix.EBUSY {
			t.Errorf("no resend %q: reset with an image open: %v", env, err)
		}
		unix.Close(images[3])
		eventually(t, "the image is closed", func() bool { return k.try("reset", "1") == nil })
	}
}

// Where the kernel does not send requests again those under way fail, what was
// done is answered, and the rest goes on.
func TestAdopt_WithoutResend(t *testing.T) {
	t.Setenv(noResendEnv, "1")
	for _, fault := range []string{"hold", "mute"} {
		k := kept(t, serverConfig{Dir: t.TempDir(), Workers: 4}, 1)
		notes := noteFile(t)
		k.set("disksize", "1M")
		image := k.open("image", unix.O_RDWR)
		control := k.open("debug/control", unix.O_WRONLY)
		for page := range 10 {
			if err := pwrite(image, page, 1); err != nil {
				t.Fatal(err)
			}
		}
		k.command(fault)
		write := inFlight(func() error { return pwrite(image, 3, 2) })
		read := inFlight(func() error { _, err := unix.Pread(image, make([]byte, 4096), 0); return err })
		verb := inFlight(func() error { _, err := unix.Write(control, []byte("note "+notes)); return err })
		k.taken(3)
		k.kill()
		for what, ended := range map[string]<-chan error{"write": write, "read": read} {
			if err := <-ended; err != unix.EIO {
				t.Errorf("%s, %s: %v, want EIO", fault, what, err)
			}
		}
		text, _ := os.ReadFile(notes)
		if err := <-verb; fault == "mute" && (err != nil || string(text) != "done\n") || fault == "hold" && (err != unix.EIO || len(text) != 0) {
			t.Errorf("%s, verb: %v; it left %q", fault, err, text)
		}
		checkPage(t, image, 5, 1)
		if err := pwrite(image, 3, 3); err != nil {
			t.Error(err)
		}
		checkPage(t, image, 3, 3)
		if k.status().Resend {
			t.Error("status promises a resend")
		}
		unix.Close(image)
		unix.Close(control)
	}
}
