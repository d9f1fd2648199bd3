package guard

import (
	"bufio"
	"bytes"
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"uzram/internal/status"

	"golang.org/x/sys/unix"
)

// cage is a Confinement whose answers are fields, and which notes what was asked of it.
type cage struct {
	have    uint64
	keepErr error
	dumpErr error
	keeps   []uint64
	noNew   int
}

func (c *cage) Capabilities() (uint64, error)   { return c.have, nil }
func (c *cage) KeepCapabilities(k uint64) error { c.keeps = append(c.keeps, k); return c.keepErr }
func (c *cage) NoNewPrivileges() error          { c.noNew++; return nil }
func (c *cage) NoCoreDump() error               { return c.dumpErr }

func TestConfine(t *testing.T) {
	const all = uint64(1)<<(unix.CAP_LAST_CAP+1) - 1
	left := fmt.Sprintf("%d are left", bits.OnesCount64(kept))
	for _, c := range []struct {
		name  string
		cage  cage
		guard string
		want  status.GuardState
		says  string
	}{
		{"root", cage{have: all}, "capabilities", status.GuardActive, left},
		{"an ordinary user", cage{}, "capabilities", status.GuardActive, "0 are left, none"},
		{"threads cannot be changed", cage{have: all, keepErr: syscall.ENOTSUP}, "capabilities", status.GuardRefused, "cgo"},
		{"root needs no helper", cage{have: all}, "no_new_privs", status.GuardActive, ""},
		{"a user needs the helper", cage{}, "no_new_privs", status.GuardOff, "fusermount3"},
		{"no dumps", cage{}, "no_core_dump", status.GuardActive, ""},
		{"dumps", cage{dumpErr: unix.EPERM}, "no_core_dump", status.GuardRefused, unix.EPERM.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := find(t, Confine(&c.cage), c.guard)
			if g.State != c.want || !strings.Contains(g.Reason, c.says) {
				t.Errorf("%+v, want %s with %q", g, c.want, c.says)
			}
			if c.cage.have == all && (len(c.cage.keeps) != 1 || c.cage.keeps[0] != kept) {
				t.Errorf("asked to keep %#x", c.cage.keeps)
			}
			if c.cage.have == 0 && (len(c.cage.keeps) != 0 || c.cage.noNew != 0) {
				t.Errorf("asked to keep %#x, and %d times for no new privileges", c.cage.keeps, c.cage.noNew)
			}
		})
	}
}

// TestConfineStarter: what a daemon takes from itself or needs for it must be left.
func TestConfineStarter(t *testing.T) {
	c := cage{have: uint64(1)<<(unix.CAP_LAST_CAP+1) - 1}
	for _, g := range ConfineStarter(&c) {
		if g.State != status.GuardActive {
			t.Errorf("%+v", g)
		}
	}
	want := kept | 1<<unix.CAP_SETPCAP | 1<<unix.CAP_SYS_RESOURCE
	if len(c.keeps) != 1 || c.keeps[0] != want || c.noNew != 1 {
		t.Errorf("asked to keep %#x, and %d times for no new privileges; want %#x", c.keeps, c.noNew, want)
	}
}

const confinedEnv = "UZRAM_TEST_CONFINED"

// TestKernel_Confined: a process of its own confines itself, and the kernel says of each of its threads, and of a program
// that it executes, that it is.
func TestKernel_Confined(t *testing.T) {
	if os.Getenv(confinedEnv) != "" {
		confined()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "TestKernel_Confined$")
	cmd.Env = append(os.Environ(), confinedEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	words := strings.Fields(string(out))
	if len(words) > 0 && words[0] == "cgo" {
		return // such a build cannot, and says so
	}
	root := os.Geteuid() == 0
	seen := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		seen++
		n, err := strconv.ParseUint(f[2], 16, 64)
		switch f[1] {
		case "CapInh:", "CapPrm:", "CapEff:", "CapAmb:":
			if err != nil || n&^kept != 0 {
				t.Errorf("%s", line)
			}
		case "CapBnd:":
			if err != nil || root && n&^kept != 0 {
				t.Errorf("%s", line)
			}
		case "NoNewPrivs:":
			if (n == 1) != root {
				t.Errorf("%s", line)
			}
		case "dumpable", "core":
			if err != nil || n != 0 {
				t.Errorf("%s", line)
			}
		}
	}
	if seen < 4*6+2 {
		t.Errorf("said no more than %q", out)
	}
}

// confined confines this process and prints "WHO NAME VALUE" for what the kernel says then.
func confined() {
	ready, end := make(chan bool), make(chan bool)
	for range 3 {
		go func() {
			runtime.LockOSThread()
			ready <- true
			<-end
		}()
		<-ready
	}
	for _, g := range Confine(Kernel{}) {
		if g.State == status.GuardRefused {
			fmt.Println(map[bool]string{true: "cgo", false: "refused"}[strings.Contains(g.Reason, "cgo")], g)
			os.Exit(0)
		}
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/status")
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		printRights(filepath.Base(filepath.Dir(path)), text)
	}
	out, _ := exec.Command("cat", "/proc/self/status").Output()
	printRights("child", out)
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	fmt.Println("process dumpable", or(dumpable, err))
	var core unix.Rlimit
	err = unix.Getrlimit(unix.RLIMIT_CORE, &core)
	fmt.Println("process core", or(int(core.Cur+core.Max), err))
	os.Exit(0)
}

func printRights(who string, text []byte) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "Cap") || strings.HasPrefix(lines.Text(), "NoNewPrivs") {
			fmt.Println(who, lines.Text())
		}
	}
}

// or is n, or an error in one word.
func or(n int, err error) string {
	if err != nil {
		return strings.ReplaceAll(err.Error(), " ", "_")
	}
	return strconv.Itoa(n)
}
