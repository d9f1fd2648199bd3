package dictionary

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"uzram/internal/zramabi"

	"golang.org/x/sys/unix"
)

func TestThin_EvenAndBounded(t *testing.T) {
	for n := range 200 {
		thin := newThin[int](5)
		for i := range n {
			thin.add(i)
			if len(thin.kept) > 10 {
				t.Fatalf("%d kept", len(thin.kept))
			}
		}
		if thin.seen != n || len(thin.kept) < min(n, 5) {
			t.Fatalf("%d of %d kept", len(thin.kept), n)
		}
		for i, v := range thin.kept {
			if v != i*thin.stride || v+thin.stride < n && i == len(thin.kept)-1 {
				t.Fatalf("of %d with stride %d: %v", n, thin.stride, thin.kept)
			}
		}
	}
}

func TestEvenly(t *testing.T) {
	if got := evenly([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 4); !slices.Equal(got, []int{0, 2, 5, 7}) {
		t.Error(got)
	}
	if got := evenly([]int{1, 2}, 3); !slices.Equal(got, []int{1, 2}) {
		t.Error(got)
	}
}

// numbered is a page that tells its number.
func numbered(n uint64) []byte {
	p := make([]byte, pageSize)
	binary.LittleEndian.PutUint64(p[8:], n+1)
	return p
}

// writePages makes a file of numbered pages; those that are left out are holes, or zero at the end.
func writePages(t *testing.T, name string, size int64, numbers ...uint64) string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range numbers {
		if _, err := f.WriteAt(numbered(n), int64(n)*pageSize); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return name
}

// take samples and returns the page numbers found, which must be what the pages hold.
func take(t *testing.T, want int, spareIdle bool, sources ...Source) (s *Sample, numbers []uint64) {
	t.Helper()
	s, err := Take(sources, want, spareIdle)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Pages {
		if !bytes.Equal(p.Data, numbered(p.Index)) {
			t.Errorf("page %d of source %d has other contents", p.Index, p.Source)
		}
		numbers = append(numbers, p.Index)
	}
	return s, numbers
}

func open(t *testing.T, s Source, err error) Source {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestTake_File(t *testing.T) {
	name := writePages(t, filepath.Join(t.TempDir(), "f"), 1000*pageSize+17, 3, 4, 500, 998, 1000)
	f, err := OpenFile(name)
	src := open(t, f, err)
	if _, got := take(t, 100, false, src); !slices.Equal(got, []uint64{3, 4, 500, 998}) { // 1000 is not whole any more
		t.Errorf("pages %v", got)
	}
	if _, got := take(t, 2, false, src); len(got) != 2 {
		t.Errorf("two of them: %v", got)
	}
}

// A sample is even over all sources, and large zero parts do not use it up.
func TestTake_Even(t *testing.T) {
	dir := t.TempDir()
	var full, sparse []uint64
	for n := range uint64(600) {
		full = append(full, n)
		if n < 200 {
			sparse = append(sparse, n)
		}
	}
	a, err := OpenFile(writePages(t, filepath.Join(dir, "a"), 600*pageSize, full...))
	srcA := open(t, a, err)
	zeros := writePages(t, filepath.Join(dir, "b"), 200*pageSize, sparse...)
	if err := os.WriteFile(zeros+"0", make([]byte, 2000*pageSize), 0o600); err != nil { // no holes
		t.Fatal(err)
	}
	b, err := OpenFile(zeros)
	srcB := open(t, b, err)
	z, err := OpenFile(zeros + "0")
	srcZ := open(t, z, err)
	s, _ := take(t, 400, false, srcA, srcZ, srcB)
	var per [3]int
	for _, p := range s.Pages {
		per[p.Source]++
	}
	if per != [3]int{300, 0, 100} || s.Found != 2800 {
		t.Errorf("%v of %d", per, s.Found)
	}
}

func TestTake_Device(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "debug"), 0o700); err != nil {
		t.Fatal(err)
	}
	writePages(t, filepath.Join(dir, "image"), 100*pageSize, 1, 2, 3, 4, 5, 50)
	var list []byte
	for _, b := range []zramabi.BlockState{
		{Index: 1}, {Index: 2, Same: true}, {Index: 3, WrittenBack: true, Huge: true}, {Index: 4, Idle: true}, {Index: 5, Recompressed: true},
		{Index: 50, Idle: true, Huge: true}, {Index: 60},
	} {
		list = b.Append(list)
	}
	state := filepath.Join(dir, "debug", "block_state")
	if err := os.WriteFile(state, list, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDevice(dir)
	src := open(t, d, err)
	s, got := take(t, 100, false, src) // page 60 was freed after it was listed
	if !slices.Equal(got, []uint64{1, 4, 5, 50}) || s.Idle != 2 || s.Found != 5 {
		t.Errorf("pages %v of %d, %d idle", got, s.Found, s.Idle)
	}
	if s, got := take(t, 100, true, src); !slices.Equal(got, []uint64{1, 5}) || s.Idle != 0 {
		t.Errorf("idle ones spared: %v, %d", got, s.Idle)
	}
	if err := os.WriteFile(state, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Take([]Source{src}, 10, false); !errors.Is(err, unix.EINVAL) {
		t.Errorf("nonsense in block_state: %v", err)
	}
}

func TestOpenFile_Refuses(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		pipe: ErrNoFile, dir: ErrNoFile, "/dev/null": ErrNoFile, filepath.Join(dir, "none"): os.ErrNotExist,
	} {
		if _, err := OpenFile(name); !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// shrunk is a file that became shorter after it was looked at.
func TestTake_FileShrinks(t *testing.T) {
	name := writePages(t, filepath.Join(t.TempDir(), "f"), 20*pageSize, 3, 15)
	f, err := OpenFile(name)
	src := open(t, f, err)
	if err := os.Truncate(name, 10*pageSize+5); err != nil {
		t.Fatal(err)
	}
	if _, err := src.ReadAt(make([]byte, pageSize), 10*pageSize); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}
