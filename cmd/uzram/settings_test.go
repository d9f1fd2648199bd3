package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"uzram/internal/ctldir"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func TestParseSettings_Order(t *testing.T) {
	var got []setting
	app := newApp(&bytes.Buffer{}, &bytes.Buffer{})
	app.Command("mount").Action = func(c *cli.Context) (err error) {
		got, err = parseSettings(c, backing{path: "/b"})
		return err
	}
	err := app.Run([]string{"uzram", "mount", "--disksize", "1GiB", "--mem-limit", "0", "--set", "algorithm_params=level=1,dict=a b",
		"--set", "mem_used_max=0", "--recomp-algorithm", "2:deflate,level=3,deflate.winbits=-12", "--recomp-algorithm", "1:zstd,dict=/a b",
		"--algorithm", "zstd", "dir"})
	want := []setting{{"comp_algorithm", "zstd"}, {"backing_dev", "/b"},
		{"recomp_algorithm", "algo=deflate priority=2"}, {"algorithm_params", "priority=2 level=3 deflate.winbits=-12"},
		{"recomp_algorithm", "algo=zstd priority=1"}, {"algorithm_params", `priority=1 dict="/a b"`}, {"algorithm_params", "level=1,dict=a b"}, {"mem_used_max", "0"},
		{"mem_limit", "0"}, {"disksize", "1073741824"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// TestApply uses plain files as attributes: what counts is the order, and that the first refusal ends it.
func TestApply(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"comp_algorithm", "disksize", "mem_limit"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := ctldir.Open(dir)
	if err := apply(d, []setting{{"disksize", "1"}, {"disksize", "22"}}); err != nil {
		t.Error(err)
	}
	if got, _ := d.Read("disksize"); got != "22" {
		t.Errorf("disksize %q, want the last value", got)
	}
	err := apply(d, []setting{{"comp_algorithm", "lz4"}, {"nosuch", "1"}, {"mem_limit", "1"}})
	if exitCode(err) != exitUsage || !errors.Is(err, unix.ENOENT) {
		t.Errorf("missing attribute: %v, code %d", err, exitCode(err))
	}
	if got, _ := d.Read("mem_limit"); got != "" {
		t.Errorf("mem_limit %q was written after a refusal", got)
	}
}

func TestRefusal(t *testing.T) {
	dir := t.TempDir()
	for attr, text := range map[string]string{"comp_algorithm": "[lz4] zstd \n", "initstate": "0\n"} {
		if err := os.WriteFile(filepath.Join(dir, attr), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		s     setting
		errno unix.Errno
		code  int
		text  string
	}{
		{setting{"comp_algorithm", "foo"}, unix.EINVAL, exitUsage, `there is no algorithm "foo"; accepted: lz4, zstd`},
		{setting{"recomp_algorithm", "algo=foo priority=2"}, unix.EINVAL, exitUsage, `there is no algorithm "foo"; accepted: lz4, zstd`},
		{setting{"recomp_algorithm", "algo=zstd priority=7"}, unix.EINVAL, exitUsage, "accepted are algo=NAME"},
		{setting{"backing_dev", "/x"}, unix.ENOENT, exitUsage, "there is no /x; --backing-dev PATH:SIZE makes a file"},
		{setting{"backing_dev", "/x"}, unix.EBUSY, exitUsage, "something else uses it"},
		{setting{"backing_dev", "/x"}, unix.EROFS, exitUsage, "can be read and written"},
		{setting{"backing_dev", "/x"}, unix.EIO, exitFailed, "input/output"},
		{setting{"disksize", "1E"}, unix.ENOMEM, exitFailed, "not enough memory"},
		{setting{"disksize", "1G"}, unix.EBUSY, exitUsage, "already set up"},
		{setting{"mm_stat", "1"}, unix.EACCES, exitUsage, "can only be read"},
		{setting{"disksize", "1G"}, unix.ENOTCONN, exitFailed, "dead"},
	} {
		err := refusal(ctldir.Open(dir), c.s, &ctldir.Error{Op: "write", Attr: c.s.attr, Value: c.s.value, Errno: c.errno})
		if exitCode(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v, %v: %v, code %d; want %d with %q", c.s, c.errno, err, exitCode(err), c.code, c.text)
		}
	}
}

func TestWarnOversize(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		name string
		list []setting
		ram  uint64
		warn bool
	}{
		{"nothing", nil, gib, false},
		{"twice the memory", []setting{{"disksize", "2147483648"}}, gib, false},
		{"more", []setting{{"disksize", "2147483649"}}, gib, true},
		{"a lot more", []setting{{"disksize", "3221225472"}}, gib, true},
		{"by --set", []setting{{"disksize", "3G"}}, gib, true},
		{"with a limit", []setting{{"disksize", "3G"}, {"mem_limit", "1G"}}, gib, false},
		{"with the limit taken off", []setting{{"disksize", "3G"}, {"mem_limit", "1G"}, {"mem_limit", "0"}}, gib, true},
		{"in the kernel's grammar", []setting{{"disksize", "3gb"}, {"mem_limit", "0x40000000"}}, gib, false},
		{"unknown memory", []setting{{"disksize", "3G"}}, 0, false},
	} {
		var out bytes.Buffer
		warnOversize(&out, c.list, 1, c.ram)
		if got := out.Len() > 0; got != c.warn {
			t.Errorf("%s: %q, want a warning: %v", c.name, out.String(), c.warn)
		}
	}
	if totalRAM() == 0 {
		t.Error("totalRAM is 0")
	}
}
