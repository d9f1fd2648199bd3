package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// zramctlColumns are what zramctl shows unless it is told otherwise.
const zramctlColumns = "NAME,ALGORITHM,DISKSIZE,DATA,COMPR,TOTAL,STREAMS,MOUNTPOINT"

// TestList_Kernel: of a device of the kernel's, the list says what zramctl says, letter by letter.
func TestList_Kernel(t *testing.T) {
	number := strconv.Itoa(harness.KernelZram(t))
	dev, sys := "/dev/zram"+number, "/sys/block/zram"+number
	same := func(args ...string) {
		t.Helper()
		theirs := harness.Run(t, append([]string{"zramctl"}, args...)...)
		ours := harness.Run(t, append([]string{harness.Bin(), "list"}, args...)...)
		if ours != theirs {
			t.Errorf("uzram list %q:\n%s\nzramctl:\n%s", args, ours, theirs)
		}
	}
	compare := func() {
		t.Helper()
		for _, flags := range [][]string{{}, {"--noheadings"}, {"-b"}, {"--raw"}, {"--raw", "--bytes", "-n"}} {
			for _, columns := range []string{zramctlColumns, "name,DATA", "DATA,MEM-LIMIT,MEM-USED,MIGRATED,ZERO-PAGES,NAME"} {
				same(append(slices.Clone(flags), "--output", columns, dev)...)
			}
		}
		theirs := lineOf(harness.Run(t, "zramctl", "--raw", "-o", zramctlColumns), dev)
		ours := lineOf(harness.Uzram(t, "list", "--raw", "-o", zramctlColumns).Stdout, dev) // a dead mount of others' is no matter
		if ours != theirs {
			t.Errorf("among all: %q, zramctl: %q", ours, theirs)
		}
	}
	write := func(attr, text string) {
		t.Helper()
		if _, err := harness.WriteFile(sys+"/"+attr, text, 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "name,loop", sys); got != dev+" \n" {
		t.Errorf("named by its directory: %q", got)
	}
	compare()
	for _, size := range []string{"4096", "1028096", "1048576", "10000000", "1073737728", "10737422336", "67108864"} {
		write("disksize", size)
		same("--output", zramctlColumns, dev)
		if size != "67108864" {
			write("reset", "1")
		}
	}
	fd := open(t, dev, unix.O_RDWR)
	pwrite(t, fd, mixed(3*mib+4096, newSeed(t)), mib)
	if err := unix.Fsync(fd); err != nil {
		t.Fatal(err)
	}
	shut(t, fd)
	write("mem_limit", "50000000")
	compare()
	harness.Run(t, "mkswap", dev)
	harness.Run(t, "swapon", dev)
	compare()
	harness.Run(t, "swapoff", dev)
	harness.Run(t, "mkfs.ext4", "-q", dev)
	dir := harness.Dir(t) + "/with blank"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	harness.Undo(t, "mount", dir)
	harness.Run(t, "mount", dev, dir)
	compare()
}

// lineOf returns the line that begins with a device's name.
func lineOf(text, name string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name+" ") {
			return line
		}
	}
	return ""
}

// TestList_Uzram: the list has our devices beside the kernel's, in all formats, with what they save and what they are used for.
func TestList_Uzram(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Loop: true, Disksize: "64M", Algorithm: "zstd"})
	unset := harness.Mount(t, harness.Options{})
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(4*mib, newSeed(t)), 0)
	shut(t, fd)
	mm := dev.MM()
	ratio := strconv.FormatFloat(float64(mm.Orig)/float64(mm.Used), 'f', 2, 64)
	line := fmt.Sprint(dev.Dir, " 67108864 ", mm.Orig, " ", mm.Used, " ", ratio, " ", mm.Orig-mm.Used, " ", dev.Loop, " ")
	const columns = "name,disksize,data,total,ratio,saved,loop,mountpoint"
	list := func(args ...string) string {
		t.Helper()
		return harness.Run(t, append([]string{harness.Bin(), "list"}, args...)...)
	}
	listAll := func(args ...string) string { // whatever is wrong with others' mounts
		t.Helper()
		return harness.Uzram(t, append([]string{"list"}, args...)...).Stdout
	}
	if got := lineOf(listAll("--raw", "--bytes", "-o", columns), dev.Dir); got != line+"\n" {
		t.Errorf("%q, want %q", got, line)
	}
	if all := listAll(); lineOf(all, unset.Dir) != "" || lineOf(all, dev.Dir) == "" {
		t.Errorf("a device that is not set up is listed, or one that is set up is not:\n%s", all)
	}
	if got := list("--raw", "-n", "-o", "disksize", unset.Dir); got != "0B\n" {
		t.Errorf("named, the device that is not set up: %q", got)
	}
	var object struct{ Devices []map[string]any }
	if err := json.Unmarshal([]byte(list("--json", "--bytes", "--output-all", dev.Dir)), &object); err != nil || len(object.Devices) != 1 {
		t.Fatalf("%v: %v", object, err)
	}
	got := object.Devices[0]
	if got["name"] != dev.Dir || got["data"] != float64(mm.Orig) || got["algorithm"] != "zstd" || got["loop"] != dev.Loop || got["mountpoint"] != nil {
		t.Errorf("%v", got)
	}
	harness.Run(t, "mkfs.ext4", "-q", dev.Loop)
	fs := harness.MountFS(t, dev.Loop)
	if got := list("--raw", "-n", "-o", "mountpoint", dev.Dir); got != fs+"\n" {
		t.Errorf("mount point %q, want %q", got, fs)
	}
	harness.Run(t, "umount", fs)
}
