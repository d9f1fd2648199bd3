package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// statusKeys is what users' tools find in the JSON of uzram status; more may come, none may go.
var statusKeys = []string{
	"version", "worker_pid", "keeper_pid", "dir", "image", "loop", "transport", "disksize", "initialised", "algorithm", "workers",
	"guards", "stats", "runtime", "algorithms", "standby", "takeovers", "resend", "swap",
}

var guardNames = []string{
	"mlock", "io_flusher", "oom_score_adj", "gc", "capabilities", "no_new_privs", "no_core_dump", "noswap", "reserve", "log", "keeper", "cgroup",
}

// TestStatus_JSON: keys and values of the JSON object, which the command and DIR/debug/status give alike.
func TestStatus_JSON(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Algorithm: "zstd", Loop: true})
	res := harness.Uzram(t, "status", "--json", dev.Dir)
	if res.Err != nil || res.Stderr != "" {
		t.Fatalf("status --json: %v, %q", res.Err, res.Stderr)
	}
	file, err := harness.ReadFile(dev.Path("debug/status"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"the command": res.Stdout, "debug/status": file} {
		var keys map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &keys); err != nil {
			t.Fatalf("%s: %v in %q", name, err, text)
		}
		for _, key := range statusKeys {
			if _, ok := keys[key]; !ok {
				t.Errorf("%s has no %s", name, key)
			}
		}
		if string(keys["keeper_pid"]) == "null" {
			t.Errorf("%s: there is no keeper", name)
		}
	}

	s := dev.Status()
	version := strings.TrimSpace(harness.Uzram(t, "version").Stdout)
	if s.Version == "" || !strings.Contains(version, s.Version) {
		t.Errorf("version is %q, uzram version says %q", s.Version, version)
	}
	if s.Dir != dev.Dir || s.Image != dev.Image || s.Loop == nil || *s.Loop != dev.Loop {
		t.Errorf("dir %s, image %s, loop %v; want %s, %s, %s", s.Dir, s.Image, s.Loop, dev.Dir, dev.Image, dev.Loop)
	}
	if s.Transport != "classic" || s.Disksize != 64*mib || !s.Initialised || s.Algorithm != "zstd" || s.Workers < 2 {
		t.Errorf("status is %+v", s)
	}
	checkGuards(t, s.Guards)
}

// TestStatus_Unset: before disksize.
func TestStatus_Unset(t *testing.T) {
	s := harness.Mount(t, harness.Options{}).Status()
	if s.Loop != nil || s.Disksize != 0 || s.Initialised || s.Algorithm != "lz4" {
		t.Errorf("status is %+v", s)
	}
}

// checkGuards checks that each guard says how it is, and why it is not active where it is not.
func checkGuards(t *testing.T, guards []harness.Guard) {
	t.Helper()
	var names []string
	for _, g := range guards {
		names = append(names, g.Name)
		if !slices.Contains([]string{"active", "refused", "off"}, g.State) || g.State == "refused" && g.Reason == "" {
			t.Errorf("guard %+v", g)
		}
	}
	slices.Sort(names)
	if want := slices.Sorted(slices.Values(guardNames)); !slices.Equal(names, want) {
		t.Errorf("guards %q, want %q", names, want)
	}
}

// TestStatus_Text: the table for people names pids, loop, size, algorithm, each guard and every statistic.
func TestStatus_Text(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true})
	soon(t, "a standby stands", func() bool { return dev.Status().Standby }) // else it may come between the two
	text := harness.Run(t, harness.Bin(), "status", dev.Dir)
	s := dev.Status()
	want := append([]string{dev.Dir, strconv.Itoa(dev.PID), dev.Loop, "classic", "67108864", "lz4"}, guardNames...)
	for _, g := range s.Guards {
		want = append(want, g.State, g.Reason)
	}
	for _, w := range append(want, slices.Collect(maps.Keys(s.Stats))...) {
		if !strings.Contains(text, w) {
			t.Errorf("status does not say %q:\n%s", w, text)
		}
	}
}

// statFields maps the fields of the kernel's files to the names in the status.
var statFields = []struct {
	attr  string
	field int
	name  string
}{
	{"disksize", 0, "disksize"},
	{"mm_stat", 0, "orig_data_size"}, {"mm_stat", 1, "compr_data_size"}, {"mm_stat", 2, "mem_used_total"},
	{"mm_stat", 3, "mem_limit"}, {"mm_stat", 4, "mem_used_max"}, {"mm_stat", 5, "same_pages"},
	{"mm_stat", 6, "pages_compacted"}, {"mm_stat", 7, "huge_pages"}, {"mm_stat", 8, "huge_pages_since"},
	{"io_stat", 0, "failed_reads"}, {"io_stat", 1, "failed_writes"}, {"io_stat", 2, "invalid_io"}, {"io_stat", 3, "notify_free"},
}

// TestStatus_Figures: after some work of every kind the status says what the kernel's files say, and both say what was done.
func TestStatus_Figures(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", MemLimit: "16M"})
	fd := open(t, dev.Image, unix.O_RDWR|unix.O_DIRECT)
	p := aligned(t, 8*page)
	for i, kind := range []harness.Content{harness.Half, harness.Random, harness.Random, harness.Text, harness.Same, harness.Zero} {
		harness.FillPage(p[i*page:(i+1)*page], kind, uint64(i))
	}
	pwrite(t, fd, p[:6*page], 0)
	pwrite(t, fd, p[:page], 10*page)
	for range 3 {
		if n, err := unix.Pread(fd, p, 0); err != nil || n != len(p) {
			t.Fatalf("read: %d, %v", n, err)
		}
	}
	if err := unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, page, page); err != nil {
		t.Fatal(err)
	}
	dev.Set("compact", "1")

	mm := dev.MM()
	if mm.Orig != 6*page || mm.Compr <= page || mm.Compr >= 3*page || mm.Used < mm.Compr || mm.Max < mm.Used || mm.Limit != 16*mib ||
		mm.Same != 2 || mm.Huge != 1 || mm.HugeAll != 2 {
		t.Errorf("mm_stat is %+v", mm)
	}
	if io := fmt.Sprint(dev.Numbers("io_stat")); io != "[0 0 0 1]" {
		t.Errorf("io_stat is %s, want [0 0 0 1]", io)
	}
	stat := dev.Numbers("stat")
	if len(stat) != 17 || stat[0] != 3 || stat[2] != 3*64 || stat[4] != 2 || stat[6] != 7*8 {
		t.Errorf("stat is %v: want 3 reads of 192 sectors, 2 writes of 56", stat)
	}
	s := dev.Status()
	for _, f := range statFields {
		want := dev.Numbers(f.attr)[f.field]
		if got, ok := s.Stats[f.name]; !ok || got != uint64(want) {
			t.Errorf("%s is %d (there: %v), field %d of %s %d", f.name, got, ok, f.field+1, f.attr, want)
		}
	}
	for _, name := range []string{"miss_free", "table", "pool_meta", "backing_meta", "streams", "reserve"} {
		if _, ok := s.Stats[name]; !ok {
			t.Errorf("no %s in the statistics", name)
		}
	}
	if table := s.Stats["table"]; table == 0 || table > 64*uint64(mib)/page*16 {
		t.Errorf("the table of %d slots takes %d bytes, want what is touched of 16 each", 64*mib/page, table)
	}
	if s.Stats["streams"] == 0 || s.Runtime.Mallocs == 0 || s.Runtime.HeapBytes == 0 || s.Runtime.Goroutines == 0 {
		t.Errorf("streams %d, runtime %+v", s.Stats["streams"], s.Runtime)
	}
}

// TestStatus_Control: debug/control takes one verb per write and says so when it does not know one.
func TestStatus_Control(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	for _, level := range []string{"debug", "error", "info"} {
		dev.Set("debug/control", "log-level "+level)
	}
	refuse(t, dev, "debug/control", "log-level shout", unix.EINVAL)
	refuse(t, dev, "debug/control", "frobnicate", unix.EINVAL)
	if _, err := harness.ReadFile(dev.Path("debug/control")); harness.Errno(err) != unix.EACCES {
		t.Errorf("reading debug/control: %v, want EACCES", err)
	}
}
