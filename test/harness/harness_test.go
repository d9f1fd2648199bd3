package harness

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(playRole(role))
	}
	os.Exit(m.Run())
}

// TestReaper: what is in the ledger when its writer goes away is undone, last things first, and what was crossed out is
// left alone. It needs root.
func TestReaper(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "fs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("reaped", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	sleeper := func(cwd string) (pid int) {
		cmd := exec.Command("sleep", "600")
		cmd.Dir = cwd
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		reaped := make(chan struct{})
		go func() { // at once, for a zombie counts as there
			cmd.Wait()
			close(reaped)
		}()
		t.Cleanup(func() { cmd.Process.Kill(); <-reaped })
		return cmd.Process.Pid
	}
	victim, survivor := sleeper(dir), sleeper(root) // the victim keeps the mount busy, so the order matters

	var orders, report bytes.Buffer
	enc := json.NewEncoder(&orders)
	for _, th := range []thing{
		{ID: 1, Kind: "mount", Arg: dir},
		{ID: 2, Kind: "process", Arg: processName(survivor)},
		{ID: 3, Kind: "process", Arg: processName(victim)},
		{ID: 2, Gone: true},
	} {
		if err := enc.Encode(th); err != nil {
			t.Fatal(err)
		}
	}
	orders.WriteString(`{"ID": 4, "Ki`) // the writer was killed in the midst of a line
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=reaper", tokenEnv+"="+root)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &orders, &report, &report
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Count(report.String(), "undo") != 2 {
		t.Errorf("reaper: %v, want status 1 for things left over; report:\n%s", err, &report)
	}
	if mountedOn(dir) {
		t.Error("the mount is still there")
	}
	if processName(survivor) == "" {
		t.Error("a process that was crossed out is gone")
	}
	if err := syscall.Kill(survivor, 0); err != nil {
		t.Errorf("survivor: %v", err)
	}
}

func TestProcessName(t *testing.T) {
	name := processName(os.Getpid())
	if name == "" || name != processName(os.Getpid()) {
		t.Errorf("name of this process: %q", name)
	}
	if err := killProcess(strings.Split(name, "@")[0] + "@1"); err != nil {
		t.Errorf("a process of the same number that started at another time: %v", err)
	}
	if got := processName(1 << 30); got != "" {
		t.Errorf("no process: %q", got)
	}
}

func TestKernelTrouble(t *testing.T) {
	for _, tt := range []struct {
		line    string
		trouble bool
	}{
		{"I/O error, dev loop3, sector 0 op 0x0:(READ)", true},
		{"Buffer I/O error on dev loop3, logical block 0, async page read", true},
		{"INFO: task kworker/u8:1:42 blocked for more than 120 seconds.", true},
		{"Read-error on swap-device (7:3:1024)", true},
		{"EXT4-fs error (device loop3): ext4_find_entry", true},
		{"I/O error, dev loop4, sector 0 op 0x0:(READ)", false},
		{"loop3: detected capacity change from 0 to 131072", false},
		{"EXT4-fs (loop3): mounted filesystem", false},
	} {
		if got := kernelTrouble.MatchString(tt.line) && !foreign(tt.line, []string{"/dev/loop3"}); got != tt.trouble {
			t.Errorf("%q: trouble of the owner of loop3: %v, want %v", tt.line, got, tt.trouble)
		}
	}
}

func TestFillPage(t *testing.T) {
	most := map[Content]int{Half: PageSize*6/10 + 100, Random: PageSize + 100, Text: PageSize / 2, Same: 200, Zero: 100}
	least := map[Content]int{Half: PageSize * 4 / 10, Random: PageSize - 100}
	for kind := range Contents {
		a, b, c := make([]byte, PageSize), bytes.Repeat([]byte{1}, PageSize), make([]byte, PageSize)
		FillPage(a, kind, 1)
		FillPage(b, kind, 1)
		FillPage(c, kind, 2)
		if !bytes.Equal(a, b) {
			t.Errorf("%v: equal seeds give different pages", kind)
		}
		if kind != Zero && bytes.Equal(a, c) {
			t.Errorf("%v: different seeds give equal pages", kind)
		}
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, 6)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(a)
		w.Close()
		if n := out.Len(); n > most[kind] || n < least[kind] {
			t.Errorf("%v compresses to %d bytes, want %d to %d", kind, n, least[kind], most[kind])
		}
	}
}

// TestScribbler: on a plain file it finds nothing wrong, and it does find one byte that somebody else changed.
func TestScribbler(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(d time.Duration) (string, error) {
		orders, err := json.Marshal(ScribbleOrders{Image: path, Start: 4096, Size: 512 << 10, Seed: 1, For: d})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		err = scribble(bytes.NewReader(orders), &out)
		return out.String(), err
	}
	const longest = 20 * time.Second
	for d := 300 * time.Millisecond; ; d *= 4 {
		out, err := run(d)
		var r ScribbleReport
		if jerr := json.Unmarshal([]byte(out), &r); err != nil || jerr != nil || r.Refused != 0 {
			t.Fatalf("alone: %v, %v, %+v", err, jerr, r)
		}
		if r.Writes >= 10 && r.Reads >= 10 && r.Holes > 0 {
			break
		}
		if d > longest {
			t.Fatalf("alone for %v: %+v", d, r)
		}
	}

	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for i := int64(0); ; i++ {
			select {
			case <-done:
				return
			default:
				unix.Pwrite(fd, []byte{byte(i)}, 4096+i*4099%(512<<10))
			}
		}
	}()
	if _, err := run(10 * time.Second); err == nil || !strings.Contains(err.Error(), "byte") {
		t.Errorf("with another writer: %v, want the byte that is wrong", err)
	}
}

// TestHog: it does all its rounds, and it notices a page that changes behind its back.
func TestHog(t *testing.T) {
	dir := t.TempDir()
	orders, err := json.Marshal(HogOrders{Bytes: 4 << 20, Rounds: 2, Seed: 7, Cgroup: dir})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := hog(bytes.NewReader(orders), &out); err != nil || strings.Count(out.String(), "\n") != 6 {
		t.Errorf("%v, report:\n%s", err, out.String())
	}
	if text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs")); err != nil || len(text) == 0 {
		t.Errorf("it did not join its control group: %q, %v", text, err)
	}
	h := &hogMemory{mem: make([]byte, 16*PageSize), seed: 7}
	if err := errors.Join(h.write(), h.inOrder(), h.atRandom()); err != nil {
		t.Error(err)
	}
	h.mem[5*PageSize+99] ^= 1
	for _, look := range []func() error{h.inOrder, h.atRandom} {
		if err := look(); err == nil || !strings.Contains(err.Error(), "page 5") {
			t.Errorf("a flipped bit on page 5: %v", err)
		}
	}
}
