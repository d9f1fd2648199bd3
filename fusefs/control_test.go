package fusefs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/zramabi"
)

// pread reads at an offset; a failure ends the test.
func pread(t *testing.T, fd, n int, off int64) string {
	t.Helper()
	buf := make([]byte, n)
	got, err := unix.Pread(fd, buf, off)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:got])
}

func TestMount_WriteShapes(t *testing.T) {
	s := mountedHere(t)
	for _, c := range []struct {
		attr, text string
		flags      int
		want       syscall.Errno
	}{
		{"comp_algorithm", "zstd", unix.O_WRONLY, 0},
		{"comp_algorithm", "lz4\n", unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC, 0},
		{"comp_algorithm", "lz4\n", unix.O_RDWR | unix.O_APPEND, 0},
		{"comp_algorithm", "lz4\x00rest", unix.O_WRONLY, 0},
		{"comp_algorithm", "", unix.O_WRONLY, 0},
		{"comp_algorithm", " lz4", unix.O_WRONLY, unix.EINVAL},
		{"comp_algorithm", "nosuch", unix.O_WRONLY, unix.EINVAL},
		{"comp_algorithm", strings.Repeat("x", 128), unix.O_WRONLY, unix.E2BIG},
		{"disksize", "0", unix.O_WRONLY, unix.EINVAL},
		{"compact", "1", unix.O_WRONLY, unix.EINVAL},
		{"idle", "all\n", unix.O_WRONLY, unix.EINVAL},
		{"mem_used_max", "0\n", unix.O_WRONLY, 0},
		{"mem_limit", "1M\n", unix.O_WRONLY, 0},
		{"disksize", "1M\n", unix.O_WRONLY | unix.O_TRUNC, 0},
		{"disksize", "1M\n", unix.O_WRONLY, unix.EBUSY},
		{"idle", "all\n", unix.O_WRONLY, 0},
		{"idle", "5\n", unix.O_WRONLY, 0},
		{"idle", "-5\n", unix.O_WRONLY, unix.EINVAL},
		{"idle", "99999999999\n", unix.O_WRONLY, unix.EINVAL},
		{"recomp_algorithm", "algo=zstd", unix.O_WRONLY, unix.EBUSY},
		{"recomp_algorithm", "priority=1", unix.O_WRONLY, unix.EINVAL},
		{"recompress", "", unix.O_WRONLY, 0},
		{"recompress", "\n", unix.O_WRONLY, unix.EINVAL},
		{"recompress", "type=odd", unix.O_WRONLY, unix.EINVAL},
		{"compact", "x", unix.O_WRONLY, 0},
		{"algorithm_params", "level=", unix.O_WRONLY, unix.EINVAL},
		{"algorithm_params", "level=1", unix.O_WRONLY, unix.EBUSY},
		{"debug/control", "nosuch verb", unix.O_WRONLY, unix.EINVAL},
		{"debug/control", " \n", unix.O_WRONLY, unix.EINVAL},
		{"debug/control", "fail", unix.O_WRONLY, unix.EIO},
		{"reset", "+1\n", unix.O_WRONLY | unix.O_TRUNC, 0},
	} {
		fd := s.open(c.attr, c.flags)
		n, err := unix.Write(fd, []byte(c.text))
		if errnoOf(err) != c.want || err == nil && n != len(c.text) {
			t.Errorf("%s <- %q: %d, %v; want %v", c.attr, c.text, n, err, c.want)
		}
		unix.Close(fd)
	}
	if got := s.read("comp_algorithm"); got != "lzo-rle lzo [lz4] lz4hc zstd deflate 842 \n" {
		t.Errorf("comp_algorithm: %q", got)
	}
}

// The daemon reads a dictionary by name, and that may be a file of the device
// being set up.
func TestMount_DictionaryFromItself(t *testing.T) {
	s := mountedHere(t)
	done := make(chan error, 1)
	go func() { done <- s.try("algorithm_params", "dict="+s.path("comp_algorithm")) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		if err := unix.Unmount(s.dir, unix.MNT_FORCE); err != unix.EBUSY { // wakes who waits for the mount
			t.Error(err)
		}
		t.Fatal("the write does not return")
	}
	s.set("disksize", "1M")
}

func TestMount_LongWriteIsCut(t *testing.T) {
	s := mountedHere(t)
	fd := s.open("disksize", unix.O_WRONLY)
	defer unix.Close(fd)
	text := []byte("64K" + strings.Repeat("x", 3*zramabi.MaxWrite))
	if n, err := unix.Write(fd, text); n != zramabi.MaxWrite || err != nil {
		t.Errorf("%d, %v; want %d", n, err, zramabi.MaxWrite)
	}
	if got := s.read("disksize"); got != "65536\n" {
		t.Errorf("disksize: %q", got)
	}
}

func TestMount_EachWriteIsOneCommand(t *testing.T) {
	s := mountedHere(t)
	fd := s.open("mem_limit", unix.O_WRONLY)
	defer unix.Close(fd)
	for _, text := range []string{"8192", "K", "4096"} {
		_, err := unix.Write(fd, []byte(text))
		if want := text == "K"; (err == unix.EINVAL) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if m, err := zramabi.ParseMMStat(s.read("mm_stat")); err != nil || m.MemLimit != 4096 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMount_ModesHoldForRoot(t *testing.T) {
	s := mountedHere(t)
	for _, dir := range []string{"", "debug/"} {
		table := zramabi.Device
		if dir != "" {
			table = zramabi.Debug
		}
		for _, a := range table {
			for flags, may := range map[int]bool{
				unix.O_RDONLY: a.Readable(),
				unix.O_WRONLY: a.Writable(),
				unix.O_RDWR:   a.Readable() && a.Writable(),
			} {
				fd, err := unix.Open(s.path(dir+a.Name), flags, 0)
				if err == nil {
					unix.Close(fd)
				}
				if may && err != nil || !may && err != unix.EACCES {
					t.Errorf("open %s%s with %#x: %v", dir, a.Name, flags, err)
				}
			}
		}
	}
}

func TestMount_Reads(t *testing.T) {
	s := mountedHere(t)
	fd := s.open("disksize", unix.O_RDONLY)
	defer unix.Close(fd)
	if got := pread(t, fd, 100, 0); got != "0\n" {
		t.Errorf("before: %q", got)
	}
	s.set("disksize", "1234567")
	if got := pread(t, fd, 3, 0); got != "123" {
		t.Errorf("re-read from 0: %q", got)
	}
	s.set("reset", "1")
	if got := pread(t, fd, 100, 3); got != "6992\n" {
		t.Errorf("the rest of what was begun: %q", got)
	}
	if got := pread(t, fd, 100, 0); got != "0\n" {
		t.Errorf("re-read from 0: %q", got)
	}
	if got := pread(t, fd, 100, 50); got != "" {
		t.Errorf("behind the text: %q", got)
	}
	late := s.open("mm_stat", unix.O_RDONLY)
	defer unix.Close(late)
	if got := pread(t, late, 10, 79); got != "0\n" {
		t.Errorf("first read not at 0: %q", got)
	}
}

func TestMount_UnsetDevice(t *testing.T) {
	s := mountedHere(t)
	for _, name := range []string{"debug/block_state", "debug/page_state", "debug/classes"} {
		if _, err := os.ReadFile(s.path(name)); errnoOf(err) != unix.EINVAL {
			t.Errorf("%s: %v, want EINVAL", name, err)
		}
	}
	image := s.open("image", unix.O_RDWR)
	defer unix.Close(image)
	if n, err := unix.Pread(image, make([]byte, 4096), 0); n != 0 || err != nil {
		t.Errorf("read: %d, %v; want the end", n, err)
	}
	if _, err := unix.Pwrite(image, make([]byte, 4096), 0); err != unix.ENOSPC {
		t.Errorf("write: %v, want ENOSPC", err)
	}
}

// A control file that is at work for long keeps neither the disk nor the other
// control files from answering, however many there are.
func TestMount_SlowControlFilesBlockNothing(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "1M")
	const slow = maxControl / 2
	done := make(chan error, slow)
	for range slow {
		go func() { done <- s.try("debug/control", "wait\n") }()
	}
	image := s.open("image", unix.O_RDWR)
	defer unix.Close(image)
	page := bytes.Repeat([]byte("some text "), 410)[:4096]
	for i := range int64(50) {
		if _, err := unix.Pwrite(image, page, i*4096); err != nil {
			t.Fatal(err)
		}
		if got := pread(t, image, 4096, i*4096); got != string(page) {
			t.Fatalf("page %d differs", i)
		}
		s.read("mm_stat")
	}
	select {
	case err := <-done:
		t.Errorf("a slow command ended by itself: %v", err)
	default:
	}
	s.send("go on")
	for range slow {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestMount_BlockStateStreams(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "8M")
	image := s.open("image", unix.O_RDWR)
	defer unix.Close(image)
	const pages = 2000 // more than one read shows
	for i := range int64(pages) {
		data := []byte(fmt.Sprintf("%-4096d", i)) // text
		if i%3 == 0 {
			data = make([]byte, 4096) // same-filled
		}
		if _, err := unix.Pwrite(image, data, i*4096); err != nil {
			t.Fatal(err)
		}
	}
	whole := s.read("debug/block_state")
	lines := strings.SplitAfter(whole, "\n")
	if len(lines) != pages+1 {
		t.Fatalf("%d lines, want %d", len(lines)-1, pages)
	}
	for i, line := range lines[:pages] {
		got, err := zramabi.ParseBlockState(line)
		if err != nil || got.Index != uint64(i) || got.Same != (i%3 == 0) {
			t.Fatalf("line %d: %q, %v", i, line, err)
		}
	}
	fd := s.open("debug/block_state", unix.O_RDONLY)
	defer unix.Close(fd)
	for _, c := range []struct {
		n    int
		off  int64
		want string
	}{
		{100, 0, whole[:80]},
		{81, 80, whole[80:160]},
		{81, 80, whole[80:160]}, // again, not where the reader is
		{40, 160, ""},
		{41, 160, whole[160:200]},
		{4096, int64(len(whole)) - 80, whole[len(whole)-80:]},
		{4096, int64(len(whole)), ""},
		{4096, int64(len(whole)), ""},
		{100, 0, whole[:80]},
	} {
		if got := pread(t, fd, c.n, c.off); got != c.want {
			t.Errorf("%d bytes at %d: %q, want %q", c.n, c.off, got, c.want)
		}
	}
	var piecewise strings.Builder
	if _, err := unix.Seek(fd, 0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 1000); ; {
		n, err := unix.Read(fd, buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		piecewise.Write(buf[:n])
	}
	if piecewise.String() != whole {
		t.Error("read in pieces it is another text")
	}
	extended := strings.SplitAfter(s.read("debug/page_state"), "\n")
	if len(extended) != len(lines) {
		t.Fatalf("page_state has %d lines, block_state %d", len(extended), len(lines))
	}
	for i, line := range extended[:pages] {
		got, err := zramabi.ParsePageState(line)
		if want := string(got.BlockState.Append(nil)); err != nil || want != lines[i] || (got.Size == 0) != got.Same || got.Priority != 0 {
			t.Fatalf("line %d of page_state: %q, %v", i, line, err)
		}
	}
}

func TestMount_DebugFiles(t *testing.T) {
	s := mountedHere(t)
	st := s.status()
	if st.WorkerPID != s.pid || st.KeeperPID != nil || st.Loop != nil || st.Initialised || st.Dir != s.dir || st.Image != s.path("image") ||
		st.Transport != "classic" || st.Workers != 2 || st.Version != "test" || len(st.Guards) != 1 || st.Algorithm != "lz4" {
		t.Errorf("%+v", st)
	}
	s.set("disksize", "1M")
	image := s.open("image", unix.O_RDWR)
	defer unix.Close(image)
	random := bytes.Repeat([]byte("0123456789abcdef"), 256)
	if _, err := unix.Pwrite(image, random, 0); err != nil {
		t.Fatal(err)
	}
	st = s.status()
	for name, want := range map[string]uint64{"disksize": 1 << 20, "orig_data_size": 4096, "write_ios": 1, "write_sectors": 8, "read_ios": 0, "in_flight": 0} {
		if got, ok := st.Stats.Get(name); !ok || got != want {
			t.Errorf("%s: %d, %v; want %d", name, got, ok, want)
		}
	}
	if !st.Initialised || st.Disksize != 1<<20 || st.Runtime.Mallocs == 0 {
		t.Errorf("%+v", st)
	}
	classes, err := zramabi.ParseClasses(s.read("debug/classes"))
	var used uint64
	for _, c := range classes {
		used += c.Used
	}
	if err != nil || len(classes) != 90 || used != 1 {
		t.Errorf("%d classes with %d objects, %v", len(classes), used, err)
	}
}
