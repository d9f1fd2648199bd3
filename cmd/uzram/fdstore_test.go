package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fdStorePatience is far longer than anything takes here.
const fdStorePatience = 20 * time.Second

// fdStore stands in for systemd: it keeps descriptors and hands them to the service's next process.
type fdStore struct {
	t      *testing.T
	name   string
	socket int
	names  []string
	fds    []int
	took   int
}

func newFDStore(t *testing.T) *fdStore {
	t.Helper()
	s := &fdStore{t: t, name: filepath.Join(t.TempDir(), "notify")}
	var err error
	if s.socket, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err == nil {
		err = unix.Bind(s.socket, &unix.SockaddrUnix{Name: s.name})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.drop(""); unix.Close(s.socket) })
	return s
}

// drop closes what is kept under a name; "" is any.
func (s *fdStore) drop(name string) {
	for i := len(s.fds) - 1; i >= 0; i-- {
		if name == "" || s.names[i] == name {
			unix.Close(s.fds[i])
			s.fds = append(s.fds[:i], s.fds[i+1:]...)
			s.names = append(s.names[:i], s.names[i+1:]...)
		}
	}
}

// until takes messages until so says that it is enough.
func (s *fdStore) until(what string, so func(text string) bool) {
	s.t.Helper()
	data, oob := make([]byte, 4096), make([]byte, 256)
	for end := time.Now().Add(fdStorePatience); time.Now().Before(end); {
		n, c, _, _, err := unix.Recvmsg(s.socket, data, oob, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR || err == unix.EAGAIN {
			if so("") {
				return
			}
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.take(string(data[:n]), oob[:c])
		if so(string(data[:n])) {
			return
		}
	}
	s.t.Fatalf("not within %v: %s", fdStorePatience, what)
}

func (s *fdStore) take(text string, oob []byte) {
	s.took++
	var fds []int
	if all, err := unix.ParseSocketControlMessage(oob); err == nil && len(all) == 1 {
		fds, _ = unix.ParseUnixRights(&all[0])
	}
	_, name, _ := strings.Cut(text, "FDNAME=")
	switch {
	case strings.HasPrefix(text, "FDSTORE=1") && len(fds) == 1:
		s.names, s.fds = append(s.names, name), append(s.fds, fds[0])
		return
	case strings.HasPrefix(text, "FDSTOREREMOVE=1"):
		s.drop(name)
	}
	for _, fd := range fds { // a barrier's
		unix.Close(fd)
	}
}

// start starts the service's next process and returns when it is ready.
func (s *fdStore) start(dir string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	s.t.Helper()
	cmd, stderr = s.launch("--disksize", "16M", dir)
	s.until("READY", func(text string) bool { return text == "READY=1" })
	return cmd, stderr
}

// launch starts the service's next process. The shell knows its process id beforehand.
func (s *fdStore) launch(args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	s.t.Helper()
	cmd = exec.Command("sh", append([]string{"-c", `export LISTEN_PID=$$; exec "$@"`, "sh", binary, "mount", "--fdstore"}, args...)...)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+s.name, "LISTEN_FDS="+strconv.Itoa(len(s.fds)), "LISTEN_FDNAMES="+strings.Join(s.names, ":"))
	for _, fd := range s.fds {
		copied, err := unix.Dup(fd)
		if err != nil {
			s.t.Fatal(err)
		}
		f := os.NewFile(uintptr(copied), "kept")
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("process %d: %s", cmd.Process.Pid, stderr)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, stderr
}

// TestFDStore_DeathInStart: wherever a start dies, the next process makes all of it anew or finds all of it.
func TestFDStore_DeathInStart(t *testing.T) {
	// No loop device: one who dies while he attaches it may wait for his own answer, and only a keeper helps him out.
	settings := []string{"--algorithm", "zstd", "--mem-limit", "8M", "--disksize", "16M"}
	for step, ready := 1, false; !ready; step++ {
		s, dir := newFDStore(t), t.TempDir()
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		args := append(settings, dir)
		cmd, _ := s.launch(args...)
		s.until("the step, or READY", func(text string) bool {
			ready = text == "READY=1"
			return ready || s.took == step
		})
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s.complete(step, dir, args)
	}
}

// TestFDStore_DeathInEnd: wherever an end dies, the next process begins anew.
func TestFDStore_DeathInEnd(t *testing.T) {
	for step, over := 1, false; !over; step++ {
		s, dir := newFDStore(t), t.TempDir()
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		args := []string{"--algorithm", "zstd", "--mem-limit", "8M", "--disksize", "16M", dir}
		cmd, _ := s.launch(args...)
		s.until("READY", func(text string) bool { return text == "READY=1" })
		if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		before := s.took
		s.until("the step, or the end", func(text string) bool {
			over = len(ended) == 1
			return over || s.took-before == step
		})
		_ = cmd.Process.Kill()
		<-ended
		s.complete(step, dir, args)
	}
}

// complete starts the next process, looks whether its mount has all settings, and ends it.
func (s *fdStore) complete(step int, dir string, args []string) {
	s.t.Helper()
	s.until("that all it sent is taken", func(text string) bool { return text == "" })
	cmd, stderr := s.launch(args...)
	s.until("READY", func(text string) bool { return text == "READY=1" })
	for file, want := range map[string]string{"disksize": "16777216", "comp_algorithm": "[zstd]"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(text), want) {
			s.t.Errorf("step %d: %s has %q, %v; want %s", step, file, text, err, want)
		}
	}
	if mm, err := os.ReadFile(filepath.Join(dir, "mm_stat")); err != nil || !strings.Contains(string(mm), " 8388608 ") {
		s.t.Errorf("step %d: mm_stat has %q, %v; want the limit", step, mm, err)
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.until("the end", func(string) bool { return len(ended) == 1 })
	if err := <-ended; err != nil {
		s.t.Errorf("step %d: the end is %v: %s", step, err, stderr)
	}
	if len(s.names) != 0 {
		s.t.Errorf("step %d: the store still has %q", step, s.names)
	}
}

// TestFDStore: with systemd as the keeper a disk outlives the process that serves it, several times, and its end leaves
// nothing in the store.
func TestFDStore(t *testing.T) {
	s, dir := newFDStore(t), t.TempDir()
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	cmd, stderr := s.start(dir)
	size := func() bool {
		out, _, _ := uzram("status", "--json", dir)
		return strings.Contains(out, `"disksize":16777216`)
	}
	set := make(chan bool, 1)
	go func() { // the size is set beside, and takes descriptors to be stored
		ok := false
		for end := time.Now().Add(10 * time.Second); !ok && time.Now().Before(end); ok = size() {
			time.Sleep(5 * time.Millisecond)
		}
		set <- ok
	}()
	s.until("the size", func(string) bool { return len(set) == 1 })
	if !<-set {
		t.Fatalf("no size: %s", stderr)
	}
	page := bytes.Repeat([]byte("uzram fd store"), 300)[:4096]
	if out, err := exec.Command("sh", "-c", `printf %s "$1" | dd of="$2" bs=4096 seek=7 conv=notrunc status=none iflag=fullblock`, "sh",
		string(page), filepath.Join(dir, "image")).CombinedOutput(); err != nil {
		t.Fatalf("write: %v: %s", err, out)
	}
	for range 3 {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		cmd, stderr = s.start(dir)
		got, err := exec.Command("dd", "if="+filepath.Join(dir, "image"), "bs=4096", "skip=7", "count=1", "status=none").Output()
		if err != nil || !bytes.Equal(got, page) {
			t.Fatalf("read: %v, right %v; stderr: %s", err, bytes.Equal(got, page), stderr)
		}
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.until("the end", func(string) bool { return len(ended) == 1 })
	if err := <-ended; err != nil {
		t.Errorf("the last process ends with %v: %s", err, stderr)
	}
	if len(s.names) != 0 {
		t.Errorf("the store still has %q", s.names)
	}
}

func TestFDStore_Refused(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	for _, args := range [][]string{{"--fdstore"}, {"--fdstore", "--detach"}, {"--fdstore", "--keeper"}, {"--keeper=false", "--standby"},
		{"--fdstore", "--swap", "--disksize", "16M"}, {"--fdstore", "--keeper=false", "--swap", "--disksize", "16M"}} {
		_, stderr, code := uzram(append(append([]string{"mount"}, args...), t.TempDir())...)
		if code != exitUsage || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %q", args, code, stderr)
		}
	}
}
