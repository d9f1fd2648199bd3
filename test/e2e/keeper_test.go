package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestKeeper_WorkerKilled: while data are written and read through the image and the loop device the worker is killed again
// and again. Nobody notices.
func TestKeeper_WorkerKilled(t *testing.T) {
	for _, loop := range []bool{true, false} {
		dev := harness.Mount(t, harness.Options{Disksize: "32M", Loop: loop})
		name := dev.Image
		if loop {
			name = dev.Loop
		}
		fd := open(t, name, unix.O_RDWR|unix.O_DIRECT)
		buf := aligned(t, int(8*mib))
		stop, killed := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			for ; ; n++ {
				select {
				case <-stop:
					killed <- n
					return
				case <-time.After(150 * time.Millisecond):
					if pid := workerOf(dev.Dir); pid > 0 {
						_ = unix.Kill(pid, unix.SIGKILL)
					}
				}
			}
		}()
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
			data := mixed(int64(len(buf)), newSeed(t))
			copy(buf, data)
			pwrite(t, fd, buf, 8*mib)
			expectBytes(t, name, pread(t, fd, len(buf), 8*mib), data)
		}
		close(stop)
		if n := <-killed; n < 3 {
			t.Errorf("only %d kills", n)
		}
		shut(t, fd)
		harness.Run(t, harness.Bin(), "check", dev.Dir)
		dev.PID = dev.Status().WorkerPID
		dev.Umount()
	}
}

// TestKeeper_Killed: without the keeper nothing hangs and nothing stays: users get errors, and the mount, the loop device
// and all processes go.
func TestKeeper_Killed(t *testing.T) {
	for _, busy := range []bool{false, true} {
		dev := harness.Mount(t, harness.Options{Disksize: "16M", Loop: true, KernelErrors: true})
		var image, loop int
		p := aligned(t, page)
		if busy {
			image, loop = open(t, dev.Image, unix.O_RDWR), open(t, dev.Loop, unix.O_RDWR|unix.O_DIRECT)
			pwrite(t, image, p, 0)
		}
		st := dev.Status()
		if err := unix.Kill(*st.KeeperPID, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if !harness.WaitGone(*st.KeeperPID, patience) || !harness.WaitGone(dev.PID, patience) {
			t.Fatal("the worker stays")
		}
		if dev.Mounted() {
			t.Error("still mounted")
		}
		if busy {
			for name, fd := range map[string]int{"image": image, "loop device": loop} {
				if _, err := unix.Pread(fd, p, 0); err == nil {
					t.Errorf("the %s can still be read", name)
				}
			}
			shut(t, image)
			shut(t, loop)
		}
		soon(t, "the loop device is detached", func() bool { return detached(dev) })
		soon(t, "all processes are gone", func() bool { return len(servants(dev.Dir)) == 0 })
	}
}

// TestKeeper_FailedStart: what the worker says is said once, with its exit code, and nobody stays.
func TestKeeper_FailedStart(t *testing.T) {
	dir := harness.Dir(t)
	for _, args := range [][]string{{"mount"}, {"mount", "--detach", "--log", dir + "/log"}} {
		res := harness.Uzram(t, append(args, "--disksize", "16M", "--set", "mem_limit=x", dir)...)
		if res.Code != 2 || !strings.Contains(res.Stderr, "mem_limit") || strings.Count(res.Stderr, "\nuzram:") > 0 {
			t.Errorf("%q: status %d, %q; want 2 and one sentence", args, res.Code, res.Stderr)
		}
		if got := servants(dir); len(got) != 0 {
			t.Errorf("%q: processes %v stay", args, got)
		}
	}
}

// TestUpgrade: under load from one copy of the program to another and back; a program that is none is refused.
func TestUpgrade(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "32M", Loop: true})
	fd := open(t, dev.Loop, unix.O_RDWR|unix.O_DIRECT)
	buf := aligned(t, int(4*mib))
	other := filepath.Join(harness.Dir(t), "uzram two") // a name with a space
	harness.Run(t, "cp", harness.Bin(), other)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			binary := []string{other, harness.Bin()}[i%2]
			old := dev.Status().WorkerPID
			res := harness.Uzram(t, "upgrade", "--binary", binary, dev.Dir)
			exe, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(dev.Status().WorkerPID), "exe"))
			if res.Code != 0 || res.Stderr != "" || exe != binary || dev.Status().WorkerPID == old {
				t.Errorf("upgrade to %s: status %d, %q; %q serves", binary, res.Code, res.Stderr, exe)
			}
		}
	}()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		data := mixed(int64(len(buf)), newSeed(t))
		copy(buf, data)
		pwrite(t, fd, buf, 0)
		expectBytes(t, "loop device", pread(t, fd, len(buf), 0), data)
	}
	close(stop)
	<-done
	if n := dev.Status().Takeovers; n < 3 {
		t.Errorf("only %d upgrades", n)
	}
	text := filepath.Join(harness.Dir(t), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o700); err != nil {
		t.Fatal(err)
	}
	pid := dev.Status().WorkerPID
	res := harness.Uzram(t, "upgrade", "--binary", text, dev.Dir)
	if res.Code != 1 || !strings.Contains(res.Stderr, "exec format error") || dev.Status().WorkerPID != pid {
		t.Errorf("status %d, %q", res.Code, res.Stderr)
	}
	shut(t, fd)
	dev.PID = pid
	harness.Run(t, harness.Bin(), "check", dev.Dir)
}

// TestKeeper_LogLevel: a level that was set while serving is the next worker's too.
func TestKeeper_LogLevel(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Loop: true})
	const line = `msg="took over"`
	said := 0
	for i, level := range []string{"error", "info", "error", "debug"} {
		dev.Set("debug/control", "log-level "+level)
		pid := dev.Status().WorkerPID
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		soon(t, "another worker", func() bool { return dev.Status().WorkerPID != pid })
		if i%2 == 1 {
			said++
		}
		soon(t, fmt.Sprintf("%d lines of %s", said, line), func() bool {
			text, err := os.ReadFile(dev.Log)
			return err == nil && strings.Count(string(text), line) == said
		})
	}
	dev.PID = dev.Status().WorkerPID
}

// workerOf is a process that serves a mount or is ready to, 0 if there is none; it asks /proc, not the mount.
func workerOf(dir string) int {
	for _, pid := range servants(dir) {
		line, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if strings.Contains(string(line), "\x00worker\x00") {
			return pid
		}
	}
	return 0
}

// servants are the processes that were started for a mount.
func servants(dir string) (all []int) {
	for _, pid := range harness.Processes() {
		line, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if strings.HasSuffix(string(line), "\x00"+dir+"\x00") {
			all = append(all, pid)
		}
	}
	return all
}

// soon waits until something is so that tells nobody.
func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not within %v: %s", patience, what)
			return
		}
	}
}
