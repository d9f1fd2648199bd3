package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"uzram/internal/zramabi"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// postDev is a mount that can do all of post-processing, by flags of mount alone, with data on its first MiBs.
func postDev(t *testing.T, size int64, recomp string, args ...string) (dev *harness.Dev, data []byte) {
	t.Helper()
	dev = harness.Mount(t, harness.Options{Disksize: "256M", Args: append(args, "--recomp-algorithm", recomp)})
	data = mixed(size, newSeed(t))
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, data, 0)
	shut(t, fd)
	return dev, data
}

// postVerb runs a verb, which must work, and returns what it says of the device.
func postVerb(t *testing.T, dev *harness.Dev, args ...string) string {
	t.Helper()
	says := harness.Run(t, append(append([]string{harness.Bin()}, args...), dev.Dir)...)
	says, named := strings.CutPrefix(strings.TrimSuffix(says, "\n"), dev.Dir+": ")
	if !named || strings.Contains(says, "\n") {
		t.Errorf("uzram %q says %q, want a line that begins with the directory", args, says)
	}
	return says
}

// wantSaid checks a sentence against a pattern in which N is a number and SIZE a size, and returns the numbers.
func wantSaid(t *testing.T, says, pattern string) (numbers []int64) {
	t.Helper()
	pattern = strings.NewReplacer("(", `\(`, ")", `\)`, "N", `(\d+)`, "SIZE", `[\d.]+ (?:B|[KMG]iB)`, "TIME", `[\d.ms]+`).Replace(pattern)
	m := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(says)
	if m == nil {
		t.Fatalf("says %q, want %q", says, pattern)
	}
	for _, text := range m[1:] {
		n, _ := strconv.ParseInt(text, 10, 64)
		numbers = append(numbers, n)
	}
	return numbers
}

// pageStates reads page_state.
func pageStates(t *testing.T, dev *harness.Dev) (list []zramabi.PageState) {
	t.Helper()
	for line := range strings.Lines(dev.Get("debug/page_state")) {
		p, err := zramabi.ParsePageState(line)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func countPages(list []zramabi.PageState, is func(zramabi.PageState) bool) (n int64) {
	for _, p := range list {
		if is(p) {
			n++
		}
	}
	return n
}

// TestPostVerbs: idle, recompress and writeback from the command line. Dry runs foretell what the runs do, and touch
// nothing.
func TestPostVerbs(t *testing.T) {
	file := filepath.Join(harness.Dir(t), "backing")
	dev, data := postDev(t, 8*mib, "1:zstd,level=6", "--backing-dev", file+":32M")
	if st, err := os.Stat(file); err != nil || st.Mode() != 0o600 || st.Size() != 32*mib || dev.Get("backing_dev") != file {
		t.Fatalf("%v, %v; backing_dev is %s", st, err, dev.Get("backing_dev"))
	}
	if used := usedBytes(t, file); used > 64*kib {
		t.Errorf("the new file takes %d bytes: not sparse", used)
	}
	dry := func(pattern string, args ...string) int64 {
		t.Helper()
		before := dev.Get("debug/page_state") + attrState(t, dev)
		says := postVerb(t, dev, append([]string{args[0], "--dry-run"}, args[1:]...)...)
		if after := dev.Get("debug/page_state") + attrState(t, dev); after != before {
			t.Errorf("a dry run of %q changed something:\n%s\nbefore:\n%s", args, after, before)
		}
		return wantSaid(t, says, pattern)[0]
	}
	wantNumber := func(what string, got, want int64) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	inMemory := countPages(pageStates(t, dev), func(p zramabi.PageState) bool { return p.Size > 0 })

	wantNumber("idle pages foretold", dry("would mark N pages as idle, SIZE of data in SIZE of memory", "idle"), inMemory)
	wantNumber("old pages foretold", dry("would mark N pages as idle, .*", "idle", "--age", "60"), 0)
	wantNumber("pages to write back before they are marked", dry("would write N pages back, .*", "writeback"), 0)
	wantNumber("idle pages", wantSaid(t, postVerb(t, dev, "idle"), "N pages are idle, SIZE of data in SIZE of memory")[0], inMemory)
	wantNumber("idle pages by age", wantSaid(t, postVerb(t, dev, "idle", "--age", "60"), "N pages are idle, .*")[0], 0)
	postVerb(t, dev, "idle")

	before := dev.MM()
	wantNumber("a part foretold", dry("would recompress N pages by zstd, .*", "recompress", "--type", "idle", "--max-pages", "7"), 7)
	foretold := dry("would recompress N pages by zstd, SIZE of data in SIZE of memory", "recompress", "--type", "idle")
	wantNumber("pages to recompress", foretold, inMemory)
	says := postVerb(t, dev, "recompress", "--type", "idle", "--algorithm", "zstd")
	done := wantSaid(t, says, "recompressed N pages by zstd, their objects are SIZE smaller, and SIZE of memory came free, in TIME")[0]
	recompressed := countPages(pageStates(t, dev), func(p zramabi.PageState) bool { return p.Priority == 1 })
	if wantNumber("recompressed pages", done, recompressed); done == 0 || done > foretold || dev.MM().Compr >= before.Compr {
		t.Errorf("%d pages recompressed of %d; %d bytes of objects, were %d", done, foretold, dev.MM().Compr, before.Compr)
	}
	wantNumber("pages left to recompress", dry("would recompress N pages by zstd, .*", "recompress"), 0)
	wantData(t, dev, data[:mib])

	postVerb(t, dev, "idle")
	wantNumber("budget foretold", dry("would write N pages back, 40.0 KiB; .*; the budget leaves N pages out", "writeback", "--budget", "43K"), 10)
	says = postVerb(t, dev, "writeback", "--budget", "43K", "--batch", "4")
	wantNumber("pages within the budget", wantSaid(t, says, "wrote N pages back, 40.0 KiB, and SIZE of memory came free, in TIME; the budget is used up")[0], 10)
	if got := dev.Get("writeback_limit") + dev.Get("writeback_limit_enable") + dev.Get("writeback_batch_size"); got != "0032" {
		t.Errorf("the limit, its switch and the batch are %s afterwards, were 0032", got)
	}
	wantNumber("ranges foretold", dry("would write N pages back, .*", "writeback", "--pages", "0-1", "--pages", "1-999", "--pages", "0"),
		countPages(pageStates(t, dev)[:1000], func(p zramabi.PageState) bool { return p.Index < 1000 && p.Size > 0 }))
	foretold = dry("would write N pages back, SIZE; their objects take SIZE of memory", "writeback")
	says = postVerb(t, dev, "writeback", "--type", "idle")
	done = wantSaid(t, says, "wrote N pages back, SIZE, and SIZE of memory came free, in TIME")[0]
	wantNumber("pages written back", done, foretold)
	if bd := dev.Numbers("bd_stat"); bd[0] != inMemory || bd[2] != inMemory || done != inMemory-10 || dev.MM().Compr != 0 {
		t.Errorf("bd_stat is %v, want %d blocks; %d bytes of objects stay", bd, inMemory, dev.MM().Compr)
	}
	fd := open(t, dev.Image, unix.O_RDONLY)
	dev.DropCaches()
	expectBytes(t, "image", pread(t, fd, len(data), 0), data)
	shut(t, fd)
	dev.Umount()
	if st, err := os.Stat(file); err != nil || st.Size() != 32*mib {
		t.Errorf("the backing file after the unmount: %v, %v", st, err)
	}
}

// TestPostVerbs_Packed: what a packed run foretells and says; a full device is an error that names it, after what was done.
func TestPostVerbs_Packed(t *testing.T) {
	file := filepath.Join(harness.Dir(t), "backing")
	dev, data := postDev(t, 4*mib, "2:deflate", "--backing-dev", file+":64K", "--set", "compressed_writeback=1", "--set", "writeback_pack=1")
	says := postVerb(t, dev, "writeback", "--dry-run", "--pages", "0-1023")
	wantSaid(t, says, "would write N pages back, SIZE or more; their objects take SIZE of memory")
	res := harness.Uzram(t, "writeback", "--pages", "0-1023", dev.Dir)
	if res.Code != 1 || !strings.HasSuffix(res.Stderr, ": the backing device is full\n") || strings.Count(res.Stderr, "\n") != 1 {
		t.Errorf("exit %d, %q", res.Code, res.Stderr)
	}
	says, _ = strings.CutPrefix(strings.TrimSpace(res.Stdout), dev.Dir+": ")
	n := wantSaid(t, says, "wrote N pages back, 64.0 KiB, and SIZE of memory came free, in TIME")[0]
	if back := countPages(pageStates(t, dev), func(p zramabi.PageState) bool { return p.WrittenBack }); n != back || n < 16 {
		t.Errorf("%d pages written back, %d are on the device, in 16 blocks", n, back)
	}
	wantData(t, dev, data[:mib])
}

// TestBackingDevFlag: a relative path, a file that is there, in the foreground and in the background, and nothing that
// stays of a mount that failed.
func TestBackingDevFlag(t *testing.T) {
	here := harness.Dir(t)
	file := filepath.Join(here, "mine:1M")
	mount := func(args ...string) (dir string, res harness.Result) {
		t.Helper()
		dir = harness.Dir(t)
		harness.Undo(t, "mount", dir)
		cmd := harness.Cmd{Args: append(append([]string{harness.Bin(), "mount"}, args...), dir), Dir: here}
		return dir, cmd.Try(t)
	}
	dir, res := mount("--detach", "--backing-dev", "mine:1M:2M", "--disksize", "1M")
	if res.Err != nil {
		t.Fatalf("%v: %s", res.Err, res.Stderr)
	}
	if text, err := harness.ReadFile(filepath.Join(dir, "backing_dev")); text != file+"\n" || err != nil {
		t.Errorf("backing_dev is %q, %v; want %s", text, err, file)
	}
	harness.Run(t, harness.Bin(), "umount", dir)

	// Now it exists, colon and all.
	dev := harness.Mount(t, harness.Options{Foreground: true, Disksize: "1M", Args: []string{"--backing-dev", file}})
	if st, err := os.Stat(file); err != nil || st.Size() != 2*mib || dev.Get("backing_dev") != file {
		t.Errorf("%v, %v, backing_dev %s", st, err, dev.Get("backing_dev"))
	}
	for _, how := range [][]string{{"--detach"}, nil} {
		_, res := mount(append(how, "--backing-dev", file+":9M", "--disksize", "1M")...)
		if res.Code != 2 || !strings.Contains(res.Stderr, "something else uses it") {
			t.Errorf("a file in use: exit %d, %s", res.Code, res.Stderr)
		}
		_, res = mount(append(how, "--backing-dev", "new:1M", "--recomp-algorithm", "1:nosuch")...)
		if _, err := os.Stat(filepath.Join(here, "new")); res.Code != 2 || !os.IsNotExist(err) {
			t.Errorf("after a mount that failed with %d (%s): %v", res.Code, res.Stderr, err)
		}
	}
	dev.Umount()
	if st, err := os.Stat(file); err != nil || st.Size() != 2*mib {
		t.Errorf("a file that was there: %v, %v", st, err)
	}
}

// TestPostVerbs_Interrupt: on a terminal there is a bar; Ctrl-C gives the terminal back at once, in order, and the daemon
// goes on.
func TestPostVerbs_Interrupt(t *testing.T) {
	dev, data := postDev(t, 64*mib, "1:zstd,level=22")
	tty := onTerminal(t, harness.Bin(), "recompress", dev.Dir)
	tty.wait(t, "%")
	modes := tty.modes(t)
	tty.write(t, "\x03")
	code := tty.end(t, 10*time.Second)
	tty.wait(t, "uzram: interrupted") // which comes through the terminal
	if modes != tty.modes(t) {
		t.Error("the terminal has other modes afterwards")
	}
	screen := tty.screen()
	last := screen[strings.LastIndexAny(strings.TrimRight(screen, "\r\n"), "\r\n\x1b")+1:]
	if code != 1 || !strings.Contains(last, "uzram: interrupted, but the daemon goes on with the run") {
		t.Errorf("exit %d; the screen ends in %q", code, screen[max(0, len(screen)-400):])
	}
	recompressed := func() int64 {
		return countPages(pageStates(t, dev), func(p zramabi.PageState) bool { return p.Priority == 1 })
	}
	some := recompressed()
	for end := time.Now().Add(2 * time.Minute); postRuns(dev); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the run does not end")
		}
	}
	if all := recompressed(); all <= some {
		t.Errorf("%d pages are recompressed at the end of the run, %d were when the user went", all, some)
	}
	wantData(t, dev, data[:mib])
}

// postRuns says whether a child of the command line still waits for a run.
func postRuns(dev *harness.Dev) bool {
	for _, pid := range harness.Processes() {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if bytes.Contains(line, []byte("\x00post\x00")) && bytes.Contains(line, []byte(dev.Dir)) {
			return true
		}
	}
	return false
}

// usedBytes is what a file takes on its file system.
func usedBytes(t *testing.T, path string) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

// terminal is a process with a terminal of its own.
type terminal struct {
	cmd  *exec.Cmd
	ours *os.File
	text chan []byte
	all  bytes.Buffer
}

// onTerminal starts a process on a new terminal.
func onTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	tty := &terminal{cmd: exec.Command(args[0], args[1:]...), ours: ours, text: make(chan []byte, 1024)}
	tty.cmd.Stdin, tty.cmd.Stdout, tty.cmd.Stderr = theirs, theirs, theirs
	tty.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := tty.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close(); ours.Close() })
	go func() {
		defer close(tty.text)
		buf := make([]byte, 4096)
		for {
			n, err := ours.Read(buf)
			if err != nil {
				return
			}
			tty.text <- bytes.Clone(buf[:n])
		}
	}()
	return tty
}

// wait waits until the process has written something.
func (y *terminal) wait(t *testing.T, what string) {
	t.Helper()
	for limit := time.After(patience); !strings.Contains(y.all.String(), what); {
		select {
		case p := <-y.text:
			y.all.Write(p)
		case <-limit:
			t.Fatalf("no %q on the screen after %v: %q", what, patience, y.all.String())
		}
	}
}

// write types on the keyboard.
func (y *terminal) write(t *testing.T, keys string) {
	t.Helper()
	if _, err := y.ours.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// end waits until the process has ended and returns its exit code.
func (y *terminal) end(t *testing.T, limit time.Duration) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- y.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(limit):
		_ = y.cmd.Process.Kill()
		t.Fatalf("the process still runs after %v: %q", limit, y.screen())
	}
	return y.cmd.ProcessState.ExitCode()
}

// screen is all that was written so far.
func (y *terminal) screen() string {
	for {
		select {
		case p, ok := <-y.text:
			if !ok {
				return y.all.String()
			}
			y.all.Write(p)
		case <-time.After(200 * time.Millisecond):
			return y.all.String()
		}
	}
}

// modes are those of the terminal.
func (y *terminal) modes(t *testing.T) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(y.ours.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}
