package main

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	"uzram/internal/zramabi"
)

func TestShortSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0B", 1: "1B", 1023: "1023B", 1024: "1K", 1075: "1K", 1076: "1.1K", 1536: "1.5K", 873051: "852.6K", 1212416: "1.2M",
		1<<20 - 1: "1024K", 1 << 20: "1M", 3 << 30: "3G", 5<<40 + 1<<39: "5.5T", 1 << 50: "1P", math.MaxInt64: "8E",
		-1: "-1B", -368640: "-360K", math.MinInt64: "-4E",
	} {
		if got := shortSize(n); got != want {
			t.Errorf("shortSize(%d) = %s, want %s", n, got, want)
		}
	}
}

// someRows are a device in use, with a name to be escaped, and one that holds nothing.
var someRows = []listedRow{
	{device: listedDevice{name: "/run/a b\\", loop: "/dev/loop3"}, disksize: 64 << 20, algorithm: "zstd",
		mm: zramabi.MMStat{OrigDataSize: 1212416, ComprDataSize: 873051, MemUsedTotal: 1458176, SamePages: 3}, use: swapMark},
	{device: listedDevice{name: "/dev/zram1"}, disksize: 1 << 30, algorithm: "lz4", streams: "2"},
}

func printedList(t *testing.T, columns string, change func(*listStyle) func(io.Writer, []listedRow) error) string {
	t.Helper()
	chosen, err := chooseColumns(columns)
	if err != nil {
		t.Fatal(err)
	}
	s := listStyle{columns: chosen}
	var b strings.Builder
	if err := change(&s)(&b, someRows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestList_Table(t *testing.T) {
	for _, c := range []struct{ columns, want string }{
		{"NAME,DATA,streams,RATIO,SAVED,MOUNTPOINT", `` +
			"NAME          DATA STREAMS RATIO SAVED MOUNTPOINT\n" +
			`/run/a b\x5c  1.2M          0.83 -240K [SWAP]` + "\n" +
			"/dev/zram1      0B       2          0B \n"},
		{"DATA,NAME,LOOP", `` +
			" DATA NAME         LOOP\n" +
			` 1.2M /run/a b\x5c /dev/loop3` + "\n" +
			"   0B /dev/zram1   \n"},
	} {
		got := printedList(t, c.columns, func(s *listStyle) func(io.Writer, []listedRow) error { return s.table })
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.columns, got, c.want)
		}
	}
	got := printedList(t, "data,name", func(s *listStyle) func(io.Writer, []listedRow) error {
		s.noHeadings, s.bytes = true, true
		return s.table
	})
	if want := "1212416 /run/a b\\x5c\n      0 /dev/zram1\n"; got != want {
		t.Errorf("in bytes: %q, want %q", got, want)
	}
}

func TestList_Raw(t *testing.T) {
	got := printedList(t, "name,loop,data,zero-pages", func(s *listStyle) func(io.Writer, []listedRow) error { return s.raw })
	want := "NAME LOOP DATA ZERO-PAGES\n/run/a\\x20b\\x5c /dev/loop3 1.2M 3\n/dev/zram1  0B 0\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestList_JSON(t *testing.T) {
	for bytes, data := range map[bool]any{true: 1212416., false: "1.2M"} {
		text := printedList(t, "name,data,ratio,loop,streams", func(s *listStyle) func(io.Writer, []listedRow) error {
			s.bytes = bytes
			return s.json
		})
		var got struct{ Devices []map[string]any }
		if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Devices) != 2 {
			t.Fatalf("%v: %s", err, text)
		}
		first, second := got.Devices[0], got.Devices[1]
		if first["name"] != "/run/a b\\" || first["data"] != data || first["ratio"] != 0.83 || first["streams"] != nil {
			t.Errorf("%v", first)
		}
		if second["ratio"] != nil || second["loop"] != nil || second["streams"] != 2. {
			t.Errorf("%v", second)
		}
	}
	var empty struct{ Devices []any }
	var b strings.Builder
	if err := (listStyle{columns: listColumns}).json(&b, nil); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b.String()), &empty); err != nil || len(empty.Devices) != 0 {
		t.Errorf("no device: %v: %s", err, b.String())
	}
}
