package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"uzram/internal/ctldir"
	"uzram/internal/zramabi"
)

// censusOf counts the pages of a device that has these.
func censusOf(t *testing.T, picks picker, pages ...zramabi.PageState) *census {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "debug"), 0o700); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for i, p := range pages {
		p.Index = uint64(i)
		text = p.Append(text)
	}
	if err := os.WriteFile(filepath.Join(dir, "debug", "page_state"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := takeCensus(ctldir.Open(dir), picks)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// somePages are one of each kind; the index is that of the table.
var somePages = []zramabi.PageState{
	0: {BlockState: zramabi.BlockState{Same: true}},
	1: {Size: 100},
	2: {BlockState: zramabi.BlockState{Idle: true, Seconds: 10}, Size: 200},
	3: {BlockState: zramabi.BlockState{Huge: true, Seconds: 10}, Size: 4096},
	4: {BlockState: zramabi.BlockState{Huge: true, Idle: true, Seconds: 20}, Size: 4096},
	5: {BlockState: zramabi.BlockState{WrittenBack: true, Huge: true}},
	6: {BlockState: zramabi.BlockState{Incompressible: true}, Size: 3000},
	7: {BlockState: zramabi.BlockState{Recompressed: true}, Size: 1000, Priority: 1},
	8: {BlockState: zramabi.BlockState{Recompressed: true, WrittenBack: true, Incompressible: true}, Priority: 2},
}

func TestCensus(t *testing.T) {
	writeback := func(command string) picker {
		w, err := zramabi.ParseWriteback(command, 9)
		if err != nil {
			t.Fatal(err)
		}
		return writebackPicks(w)
	}
	recompress := func(command string, priority int32) picker {
		r, err := zramabi.ParseRecompress(command)
		if err != nil {
			t.Fatal(err)
		}
		return recompressPicks(r, priority)
	}
	for _, c := range []struct {
		name         string
		picks        picker
		pages, bytes uint64
	}{
		{"nothing", writeback(""), 0, 0},
		{"idle", writeback("type=idle"), 2, 4296},
		{"huge", writeback("huge"), 2, 8192},
		{"huge and idle", writeback("huge_idle"), 1, 4096},
		{"incompressible", writeback("incompressible"), 1, 3000},
		{"ranges", writeback("page_indexes=7-8 page_indexes=0-2 page_index=1 page_indexes=1-2"), 3, 1300},
		{"recompress", recompress("", 1), 4, 8492},
		{"recompress by the second", recompress("", 2), 5, 9492},
		{"recompress what is idle", recompress("type=idle", 1), 2, 4296},
		{"recompress what is huge", recompress("type=huge", 1), 2, 8192},
		{"recompress what is large", recompress("threshold=200", 1), 3, 8392},
		{"old", idlePicks(10), 3, 4100},
		{"of any age", idlePicks(math.MaxUint64), 6, 12492},
	} {
		got := censusOf(t, c.picks, somePages...)
		pages, bytes := got.largest(math.MaxUint64)
		if got.picked != c.pages || pages != c.pages || bytes != c.bytes {
			t.Errorf("%s: %d pages, %d of %d bytes; want %d of %d", c.name, got.picked, pages, bytes, c.pages, c.bytes)
		}
		if got.back != 2 || got.byPriority != [4]uint64{7, 1, 1, 0} {
			t.Errorf("%s: %d on the backing device, %v by priority", c.name, got.back, got.byPriority)
		}
	}
}

func TestCensus_Largest(t *testing.T) {
	c := censusOf(t, func(zramabi.PageState) bool { return true }, somePages...)
	for most, want := range map[uint64]uint64{0: 0, 1: 4096, 2: 8192, 3: 11192, 6: 12492, 7: 12492} {
		if pages, bytes := c.largest(most); bytes != want || pages != min(most, 6) {
			t.Errorf("the largest %d: %d pages, %d bytes; want %d", most, pages, bytes, want)
		}
	}
}

func TestCensus_Nonsense(t *testing.T) {
	dir := t.TempDir()
	if _, err := takeCensus(ctldir.Open(dir), nil); err == nil {
		t.Error("no page_state is no error")
	}
	if err := os.Mkdir(filepath.Join(dir, "debug"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "debug", "page_state"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := takeCensus(ctldir.Open(dir), nil); err == nil {
		t.Error("nonsense in page_state is no error")
	}
}
