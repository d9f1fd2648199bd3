package keeper

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// manager stands in for systemd: it stores descriptors, lets go of them, and closes barriers.
type manager struct {
	t      *testing.T
	socket int
	done   sync.WaitGroup

	mu    sync.Mutex
	fds   map[string][]int
	ready int
	said  []string
}

func manage(t *testing.T) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	name := filepath.Join(dir, "sock")
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(socket, &unix.SockaddrUnix{Name: name}); err != nil {
		t.Fatal(err)
	}
	t.Setenv(notifyEnv, name)
	m := &manager{t: t, socket: socket, fds: map[string][]int{}}
	m.done.Go(m.run)
	t.Cleanup(func() {
		out, _ := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		_ = unix.Sendto(out, []byte("QUIT=1"), 0, &unix.SockaddrUnix{Name: name})
		unix.Close(out)
		m.done.Wait()
		unix.Close(socket)
		for _, fds := range m.fds {
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
	})
	return m
}

func (m *manager) run() {
	data, oob := make([]byte, 4096), make([]byte, 256)
	for {
		n, c, _, _, err := unix.Recvmsg(m.socket, data, oob, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			m.t.Error(err)
			return
		}
		fd := -1
		if messages, err := unix.ParseSocketControlMessage(oob[:c]); err == nil && len(messages) == 1 {
			if fds, err := unix.ParseUnixRights(&messages[0]); err == nil && len(fds) == 1 {
				fd = fds[0]
			}
		}
		if string(data[:n]) == "QUIT=1" {
			return
		}
		m.handle(string(data[:n]), fd)
	}
}

func (m *manager) handle(text string, fd int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, text)
	vars := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		key, value, _ := strings.Cut(line, "=")
		vars[key] = value
	}
	name := vars["FDNAME"]
	switch {
	case vars["FDSTORE"] == "1" && fd >= 0 && vars["FDPOLL"] == "0":
		m.fds[name] = append(m.fds[name], fd)
		fd = -1
	case vars["FDSTOREREMOVE"] == "1":
		for _, old := range m.fds[name] {
			unix.Close(old)
		}
		delete(m.fds, name)
	case vars["READY"] == "1":
		m.ready++
	}
	if fd >= 0 { // a barrier's
		unix.Close(fd)
	}
}

func (m *manager) names() (all []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, fds := range m.fds {
		for range fds {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// readies is how often the service has said that it is ready.
func (m *manager) readies(s *Store) int {
	_ = s.barrier()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ready
}

// TestStore: what is held is with systemd when Hold returns, once under each name, and gone at the end.
func TestStore(t *testing.T) {
	m := manage(t)
	s, err := InheritedStore()
	if err != nil {
		t.Fatal(err)
	}
	fds, first, err := s.Await(Formats{})
	if err != nil || !first || len(fds) != 0 {
		t.Fatalf("%v, first %v, %v; want nothing to take over", fds, first, err)
	}
	fd, err := unix.MemfdCreate("x", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 3 {
		for _, name := range []string{"fuse", "d0.state"} {
			if err := s.Hold(name, fd); err != nil {
				t.Fatal(err)
			}
		}
		if got := m.names(); !slices.Equal(got, []string{"d0.state", "fuse"}) {
			t.Errorf("held: %q", got)
		}
	}
	if err := s.Serving(); err != nil || m.readies(s) != 0 {
		t.Fatalf("%v; %d times ready before it is settled", err, m.readies(s))
	}
	if err := s.Settled(); err != nil {
		t.Fatal(err)
	}
	s.Drop("d0.state")
	s.Drop("never held")
	s.Ended()
	if got := m.names(); len(got) != 0 || m.ready != 1 {
		t.Errorf("at the end %q is held; %d times ready", got, m.ready)
	}
}

// TestStore_Inherited: the next process finds the descriptors under their names. It is a child, for their numbers are fixed.
func TestStore_Inherited(t *testing.T) {
	m := manage(t)
	s, err := InheritedStore()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Write(fd, []byte("text of "+name)); err != nil {
			t.Fatal(err)
		}
		if err := s.Hold(name, fd); err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
	if err := s.Settled(); err != nil {
		t.Fatal(err)
	}
	before := m.readies(s)
	var names []string
	var files []*os.File
	m.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(m.fds)) {
		fd, err := unix.Dup(m.fds[name][0])
		if err != nil {
			t.Fatal(err)
		}
		names, files = append(names, name), append(files, os.NewFile(uintptr(fd), name))
	}
	m.mu.Unlock()
	out := runStored(t, files, names)
	if n := m.readies(s) - before; n != 1 {
		t.Errorf("the next process was ready %d times, want once", n)
	}
	for _, f := range files {
		f.Close()
	}
	if want := "false a=text of a b=text of b"; out != want {
		t.Errorf("the next process says %q, want %q", out, want)
	}
}

// TestStore_Misfit: a list that does not fit is refused.
func TestStore_Misfit(t *testing.T) {
	manage(t)
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	for _, c := range []struct{ fds, names string }{{"2", "a"}, {"x", "a"}, {"-1", ""}, {"65", "a"}} {
		t.Setenv("LISTEN_FDS", c.fds)
		t.Setenv("LISTEN_FDNAMES", c.names)
		if _, err := InheritedStore(); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	t.Setenv("LISTEN_PID", "1") // meant for another process
	if s, err := InheritedStore(); err != nil || len(s.fds) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	t.Setenv(notifyEnv, "")
	if _, err := InheritedStore(); err == nil || StoreOffered() {
		t.Error("without systemd there is a store")
	}
}

// runStored runs this program with descriptors from systemd and returns what it says of them.
func runStored(t *testing.T, files []*os.File, names []string) string {
	t.Helper()
	cmd := storedCommand(t)
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), roleEnv+"=stored", "LISTEN_FDS="+strconv.Itoa(len(names)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func storedCommand(t *testing.T) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(exe)
}

// stored is the next process.
func stored() int {
	check(os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))) // systemd knows it when it starts a process
	if filled, settled := StoreFilled(); !filled || !settled {
		return 1
	}
	s, err := InheritedStore()
	check(err)
	fds, first, err := s.Await(Formats{})
	check(err)
	check(s.Serving())
	fmt.Print(first)
	for _, name := range slices.Sorted(maps.Keys(fds)) {
		buf := make([]byte, 64)
		n, err := unix.Pread(fds[name], buf, 0)
		check(err)
		fmt.Printf(" %s=%s", name, buf[:n])
	}
	return 0
}
