package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/zramabi"
)

// attrDir is a directory of plain files as attributes. A write does not truncate them, as it is with attributes.
func attrDir(t *testing.T, attrs map[string]string) ctldir.Dir {
	t.Helper()
	dir := t.TempDir()
	for name, text := range attrs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ctldir.Open(dir)
}

func read(t *testing.T, dir ctldir.Dir, attr string) string {
	t.Helper()
	text, err := dir.Read(attr)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// TestSetBudget: a budget holds for a run alone, is no way around a limit, and counts against it. All numbers have two
// digits, since nothing truncates the files.
func TestSetBudget(t *testing.T) {
	for _, c := range []struct {
		name           string
		enable, limit  string
		during, spent  string // enable and limit; limit at the run's end
		enabled, after string
	}{
		{"no limit", "0", "17", "1 10", "04", "0", "17"},
		{"a wider one", "1", "50", "1 10", "04", "1", "44"},
		{"a narrower one", "1", "07", "1 07", "05", "1", "05"},
	} {
		dir := attrDir(t, map[string]string{"writeback_limit": c.limit, "writeback_limit_enable": c.enable})
		restore, err := setBudget(dir, 10)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, dir, "writeback_limit_enable") + " " + read(t, dir, "writeback_limit"); got != c.during {
			t.Errorf("%s: %s during the run, want %s", c.name, got, c.during)
		}
		if err := dir.Write("writeback_limit", c.spent); err != nil {
			t.Fatal(err)
		}
		if err := restore(); err != nil {
			t.Error(err)
		}
		if e, l := read(t, dir, "writeback_limit_enable"), read(t, dir, "writeback_limit"); e != c.enabled || l != c.after {
			t.Errorf("%s: %s, %s afterwards, want %s, %s", c.name, e, l, c.enabled, c.after)
		}
	}
}

// TestPerform: what was set for a run is set back even if the run fails.
func TestPerform(t *testing.T) {
	dir := attrDir(t, map[string]string{
		"writeback_batch_size": "32", "writeback_limit": "9", "writeback_limit_enable": "0", "writeback": "", "compact": "",
	})
	note, err := childOptions{budget: 5, batch: 64, compact: true}.perform(dir, setting{"writeback", "type=huge"})
	if note != "" || err != nil || read(t, dir, "writeback") != "type=huge" || read(t, dir, "compact") != "1" {
		t.Errorf("%q, %v", note, err)
	}
	_, err = childOptions{budget: 5, batch: 64}.perform(dir, setting{"nosuch", "1"})
	if err == nil {
		t.Error("a command that fails is no error")
	}
	for attr, want := range map[string]string{"writeback_batch_size": "32", "writeback_limit": "9", "writeback_limit_enable": "0"} {
		if got := read(t, dir, attr); got != want {
			t.Errorf("%s is %s afterwards, was %s", attr, got, want)
		}
	}
}

func TestChildOptions_Args(t *testing.T) {
	_, stderr, code := uzram(childOptions{budget: 1, batch: 2, compact: true}.args(t.TempDir(), setting{"writeback", "a=b c"})...)
	if code != exitUsage && code != exitFailed || !strings.Contains(stderr, "writeback_batch_size") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]uint32{"0": 0, "90": 90, "90s": 90, "1h30m": 5400, "4294967295": 1<<32 - 1, "2000ms": 2} {
		if got, err := parseAge(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "-1s", "1500ms", "4294967296", "2000000h", "1 h", "all"} {
		if got, err := parseAge(text); exitCode(err) != exitUsage {
			t.Errorf("%q: %d, %v; want a refusal", text, got, err)
		}
	}
}

func TestParseRecomp(t *testing.T) {
	for _, text := range []string{
		"", "zstd", "1", "1:", "0:zstd", "4:zstd", "x:zstd", "1:zstd,", "1:zstd,level", "1:zstd,level=", "1:zstd,level=x", "1:zstd,speed=1",
		"1:zstd,level=99999999999", `1:zstd,dict=a"b`, "1:zstd,dict=", "1:a b", "1:zstd,level=99", "1:lzo,level=1", "1:deflate,deflate.winbits=3",
	} {
		if got, err := parseRecomp(text); exitCode(err) != exitUsage {
			t.Errorf("%q: %+v, %v; want a refusal", text, got, err)
		}
	}
	t.Chdir(t.TempDir())
	here, _ := os.Getwd()
	got, err := parseRecomp("3:zstd,level=-5,dict=d")
	want := zramabi.AlgorithmParams{Algo: "zstd", Dict: here + "/d",
		Priority: zramabi.Optional{Value: 3, Given: true}, Level: zramabi.Optional{Value: -5, Given: true}}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestChoose(t *testing.T) {
	all := []zramabi.RecompAlgorithm{{Algo: "lz4hc", Priority: 1}, {Algo: "zstd", Priority: 2}, {Algo: "zstd", Priority: 3}}
	for _, c := range []struct {
		algorithm string
		priority  int32
		want      int32 // 0 = an error
	}{
		{"", 0, 1}, {"zstd", 0, 2}, {"", 3, 3}, {"zstd", 3, 3}, {"lz4hc", 0, 1}, {"lz4hc", 2, 0}, {"deflate", 0, 0},
	} {
		got, err := recompressQuery{algorithm: c.algorithm, priority: c.priority}.choose("/z", all)
		if got.Priority != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%q, %d: %+v, %v; want priority %d", c.algorithm, c.priority, got, err, c.want)
		}
	}
	if _, err := (recompressQuery{}).choose("/z", all[1:]); exitCode(err) != exitUsage || !strings.HasSuffix(err.Error(), "it has 2:zstd, 3:zstd") {
		t.Errorf("none of priority 1: %v", err)
	}
	if _, err := (recompressQuery{}).choose("/z", nil); exitCode(err) != exitFailed {
		t.Errorf("none at all: %v", err)
	}
}

func TestPageRanges(t *testing.T) {
	if got, err := pageRanges([]string{"0-9", "7"}); err != nil || got != "page_indexes=0-9 page_indexes=7-7" {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"", "-", "1-", "-1", "a", "2-1", "1-2-3", "0x1"} {
		if got, err := pageRanges([]string{text}); exitCode(err) != exitUsage {
			t.Errorf("%q: %q, %v; want a refusal", text, got, err)
		}
	}
}

// TestBar_NoTerminal: nothing but words goes into a file or pipe.
func TestBar_NoTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if newBar(new(bytes.Buffer), "x", 9) != nil || newBar(null, "x", 9) != nil {
		t.Error("a bar on what is no terminal")
	}
	var none *bar
	none.set(1)
	none.clear()
}

func TestRoundTime(t *testing.T) {
	for d, want := range map[time.Duration]string{1234567: "1ms", 1234567890: "1.2s", 61 * time.Second: "1m1s"} {
		if got := roundTime(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

func TestEachDir_AllAreTried(t *testing.T) {
	_, stderr, code := uzram("writeback", t.TempDir(), t.TempDir())
	if code != exitNotMounted || strings.Count(stderr, "is not a uzram mount") != 2 {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if !errors.Is(errors.Join(nil, errInterrupted), errInterrupted) {
		t.Error("an interrupt is not told from other errors")
	}
}
