package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	mountTimeout = 30 * time.Second
	// watchdogTimeout is how long a test may use one mount. No story needs as much by far.
	watchdogTimeout = 4 * time.Minute
)

// Options say how to mount. The zero value is a device without disksize, detached, no loop.
type Options struct {
	Disksize  string
	Algorithm string
	MemLimit  string
	Loop      bool
	Args      []string // further arguments
	// Foreground runs the daemon as a child: Dev.Proc is set.
	Foreground bool
	// KernelErrors allows errors of the loop device in the kernel's log; without it they fail the test.
	KernelErrors bool
	// Stderr is where a daemon in the foreground writes its log; nil = kept and shown when the test fails.
	Stderr *os.File
	// Patient switches the watchdog off, for soaks.
	Patient bool
}

func (o Options) args(dir, log string) []string {
	args := []string{"mount"}
	add := func(name, value string) {
		if value != "" {
			args = append(args, name, value)
		}
	}
	add("--algorithm", o.Algorithm)
	add("--mem-limit", o.MemLimit)
	add("--disksize", o.Disksize)
	if o.Loop {
		args = append(args, "--loop")
	}
	if !o.Foreground {
		args = append(args, "--detach")
		add("--log", log)
	}
	return append(append(args, o.Args...), dir)
}

// Dev is a mounted device.
type Dev struct {
	Dir   string // the mount point, absolute
	Image string // DIR/image
	Loop  string // /dev/loopN of --loop, "" if it has none
	// OwnLoop is a loop device that the test attached itself; errors of it in the kernel's log count.
	OwnLoop string
	PID     int    // the process that serves it
	Proc    *Proc  // that process, if it runs in the foreground
	Log     string // the detached daemon's log
	t       testing.TB
}

// Mount mounts a device for the length of the test.
func Mount(t testing.TB, o Options) *Dev {
	t.Helper()
	dir := Dir(t)
	d := &Dev{Dir: filepath.Join(dir, "dev"), Log: filepath.Join(dir, "log"), t: t}
	d.Image = filepath.Join(d.Dir, "image")
	if err := os.Mkdir(d.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if !o.KernelErrors {
		CheckKernelLog(t, func() []string { return []string{d.Loop, d.OwnLoop} })
	}
	if !o.Patient {
		d.watch()
	}
	t.Cleanup(d.showLog)
	Undo(t, "mount", d.Dir)
	t.Cleanup(d.end)
	if o.Foreground {
		d.startForeground(o)
	} else {
		out := Run(t, append([]string{run.bin}, o.args(d.Dir, d.Log)...)...)
		d.Loop = strings.TrimSuffix(out, "\n")
	}
	d.PID = d.Status().WorkerPID
	if d.PID <= 0 || processName(d.PID) == "" {
		t.Fatalf("status says that process %d serves the mount; there is none", d.PID)
	}
	return d
}

// startForeground returns once the mount stands and its size is set.
func (d *Dev) startForeground(o Options) {
	d.t.Helper()
	cmd := exec.Command(run.bin, o.args(d.Dir, "")...)
	if o.Stderr != nil {
		cmd.Stderr = o.Stderr
	}
	d.Proc = start(d.t, cmd)
	if o.Loop {
		d.Loop = d.Proc.Stdout.Line(d.t, mountTimeout)
		return
	}
	if !waitMounts(mountTimeout, func() bool { return mountedOn(d.Dir) || !d.Proc.Running() }) || !d.Proc.Running() {
		d.t.Fatalf("not mounted within %v: %s", mountTimeout, d.Proc.stderr)
	}
	// Without --loop nothing tells when the settings are made.
	for end := time.Now().Add(mountTimeout); o.Disksize != "" && d.Get("initstate") == "0"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("no disksize within %v", mountTimeout)
		}
	}
}

// end unmounts the device if the test has not done so. What is then still there is a failure of the product, which the
// ledger mends.
func (d *Dev) end() {
	if mountedOn(d.Dir) {
		if res := (&Cmd{Args: []string{run.bin, "umount", d.Dir}, Timeout: mountTimeout}).run(); res.Err != nil {
			d.t.Errorf("umount at the end of the test: %v: %s", res.Err, res.Stderr)
		}
	}
	if d.Loop != "" && ownLoop(d.Loop) {
		d.t.Errorf("%s is still attached after the unmount", d.Loop)
		d.t.Log(detachLoop(d.Loop))
	}
	if d.PID != 0 && !waitGone(d.PID, mountTimeout) {
		d.t.Errorf("process %d still runs after the unmount; processes that see the mount: %v", d.PID, seesMount(d.Dir))
		unix.Kill(d.PID, unix.SIGQUIT) // has it log what it is at
		waitGone(d.PID, time.Second)
		unix.Kill(d.PID, unix.SIGKILL)
	}
}

// watch aborts the connection when the test takes too long: every process that waits for the mount then gets an error.
func (d *Dev) watch() {
	dog := time.AfterFunc(watchdogTimeout, func() {
		d.t.Errorf("watchdog: %s is in use for %v, its connection is aborted (%v)", d.Dir, watchdogTimeout, abortFUSE(d.Dir))
	})
	d.t.Cleanup(func() { dog.Stop() })
}

// Abort ends the mount's connection: whoever waits for an answer gets an error.
func (d *Dev) Abort() error { return abortFUSE(d.Dir) }

// showLog prints what the daemon had to say, if the test failed.
func (d *Dev) showLog() {
	if !d.t.Failed() {
		return
	}
	if text, err := os.ReadFile(d.Log); err == nil && len(text) > 0 {
		d.t.Logf("log of the daemon:\n%s", text[max(0, len(text)-64<<10):])
	}
	if d.Proc != nil {
		d.t.Logf("stderr of the daemon:\n%s", d.Proc.stderr)
	}
}

// Umount unmounts the device, which must work, and waits for the daemon's end.
func (d *Dev) Umount() {
	d.t.Helper()
	Run(d.t, run.bin, "umount", d.Dir)
	if mountedOn(d.Dir) {
		d.t.Fatalf("umount said that it worked, but %s is mounted", d.Dir)
	}
	if !waitGone(d.PID, mountTimeout) {
		d.t.Fatalf("process %d still runs after the unmount", d.PID)
	}
}

// Mounted says whether something is mounted on the device's directory.
func (d *Dev) Mounted() bool { return mountedOn(d.Dir) }

// WaitUnmounted waits until nothing is mounted on the device's directory.
func (d *Dev) WaitUnmounted(limit time.Duration) bool {
	return waitMounts(limit, func() bool { return !mountedOn(d.Dir) })
}

// MountFS mounts a block device on a fresh directory for the length of the test.
func MountFS(t testing.TB, dev string) (dir string) {
	t.Helper()
	dir = filepath.Join(Dir(t), "fs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	Undo(t, "mount", dir)
	Run(t, "mount", dev, dir)
	return dir
}

// Dir makes a directory that goes with the run.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(run.root, "t-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Cgroup makes a control group with a limit of memory (swap not counted) for the length of the test.
func Cgroup(t testing.TB, limit int64) (dir string) {
	t.Helper()
	dir = filepath.Join(MemoryCgroup, fmt.Sprintf("%s-%d", filepath.Base(run.root), time.Now().UnixNano()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	Undo(t, "cgroup", dir)
	if err := os.WriteFile(filepath.Join(dir, "memory.limit_in_bytes"), fmt.Append(nil, limit), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}
