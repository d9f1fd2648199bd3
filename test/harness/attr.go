package harness

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// WriteFile opens a file with the flags, O_WRONLY unless they have O_RDWR, and hands text to it in one write call, as a
// command is to be given to an attribute. It returns what the call said.
func WriteFile(path, text string, flags int) (n int, err error) {
	if flags&unix.O_RDWR == 0 {
		flags |= unix.O_WRONLY
	}
	fd, err := unix.Open(path, unix.O_CLOEXEC|flags, 0o644)
	if err != nil {
		return 0, err
	}
	n, err = unix.Write(fd, []byte(text))
	return n, errors.Join(err, unix.Close(fd))
}

// ReadFile reads a file as cat does, from offset 0 to its end.
func ReadFile(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	var all []byte
	buf := make([]byte, 128<<10)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			return string(all), err
		}
		if n == 0 {
			return string(all), nil
		}
		all = append(all, buf[:n]...)
	}
}

// Errno returns the errno in an error, 0 for nil. Another kind of error is -1.
func Errno(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &errno):
		return errno
	}
	return ^syscall.Errno(0)
}

// ErrnoName returns "EBUSY" and the like, "ok" for 0.
func ErrnoName(e syscall.Errno) string {
	switch e {
	case 0:
		return "ok"
	case unix.EOPNOTSUPP: // has two names
		return "EOPNOTSUPP"
	}
	if name := unix.ErrnoName(e); name != "" {
		return name
	}
	return strconv.Itoa(int(e))
}

// Path returns the path of an attribute.
func (d *Dev) Path(attr string) string { return filepath.Join(d.Dir, attr) }

// Write gives a command to an attribute in one write call.
func (d *Dev) Write(attr, command string) error {
	_, err := WriteFile(d.Path(attr), command, 0)
	return err
}

// Set gives a command that must work to an attribute.
func (d *Dev) Set(attr, command string) {
	d.t.Helper()
	if err := d.Write(attr, command); err != nil {
		d.t.Fatalf("%s <- %q: %v", attr, command, err)
	}
}

// Get returns an attribute without the newline at its end.
func (d *Dev) Get(attr string) string {
	d.t.Helper()
	text, err := ReadFile(d.Path(attr))
	if err != nil {
		d.t.Fatalf("read %s: %v", attr, err)
	}
	return strings.TrimSuffix(text, "\n")
}

// Numbers returns the numbers in an attribute.
func (d *Dev) Numbers(attr string) []int64 {
	d.t.Helper()
	var all []int64
	for _, f := range strings.Fields(d.Get(attr)) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			d.t.Fatalf("%s: %v", attr, err)
		}
		all = append(all, n)
	}
	return all
}

// MM is mm_stat.
type MM struct {
	Orig, Compr, Used, Limit, Max  int64 // bytes
	Same, Compacted, Huge, HugeAll int64 // pages
}

// MM reads mm_stat.
func (d *Dev) MM() MM {
	d.t.Helper()
	n := d.Numbers("mm_stat")
	if len(n) != 9 {
		d.t.Fatalf("mm_stat has %d fields, want 9", len(n))
	}
	return MM{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]}
}

// Status is what DIR/debug/status and uzram status --json say. It is declared here a second time on purpose: users' tools
// rely on these names.
type Status struct {
	Version     string            `json:"version"`
	WorkerPID   int               `json:"worker_pid"`
	KeeperPID   *int              `json:"keeper_pid"`
	Standby     bool              `json:"standby"`
	Takeovers   int               `json:"takeovers"`
	Dir         string            `json:"dir"`
	Image       string            `json:"image"`
	Loop        *string           `json:"loop"`
	Transport   string            `json:"transport"`
	Disksize    int64             `json:"disksize"`
	Initialised bool              `json:"initialised"`
	Algorithm   string            `json:"algorithm"`
	Workers     int               `json:"workers"`
	Guards      []Guard           `json:"guards"`
	Stats       map[string]uint64 `json:"stats"`
	Runtime     struct {
		Mallocs     uint64 `json:"mallocs"`
		HeapBytes   uint64 `json:"heap_bytes"`
		GCCycles    uint64 `json:"gc_cycles"`
		Goroutines  uint64 `json:"goroutines"`
		MinorFaults int64  `json:"minor_faults"`
		MajorFaults int64  `json:"major_faults"`
	} `json:"runtime"`
}

// Guard is one safety measure of the daemon.
type Guard struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Reason string `json:"reason"`
}

// Status reads DIR/debug/status.
func (d *Dev) Status() Status {
	d.t.Helper()
	text, err := ReadFile(d.Path("debug/status"))
	if err != nil {
		d.t.Fatalf("read debug/status: %v", err)
	}
	var s Status
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		d.t.Fatalf("debug/status: %v in %q", err, text)
	}
	return s
}

// DropCaches writes dirty pages out and has the kernel forget all that it has cached.
func (d *Dev) DropCaches() {
	d.t.Helper()
	unix.Sync()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		d.t.Fatal(err)
	}
}
