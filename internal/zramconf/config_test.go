package zramconf

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const mib = 1 << 20

// machine makes a root directory with so many MiB of memory and these files.
func machine(t *testing.T, ram int, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("proc/meminfo", fmt.Sprintf("MemFree: 1 kB\nMemTotal:%15d kB\n", ram*1024+1023))
	for name, text := range files {
		write(name, text)
	}
	return root
}

// swapDevice is zram0 as the defaults have it.
func swapDevice(size uint64, change func(*Device)) Device {
	d := Device{Size: size, FSType: Swap, Options: "discard", SwapPriority: 100}
	if change != nil {
		change(&d)
	}
	return d
}

// TestPublished: the defaults of four distributions, on a small and on a large machine.
func TestPublished(t *testing.T) {
	zstd := func(d *Device) { d.Algorithms = []Algorithm{{"zstd", ""}} }
	cachyos := func(d *Device) {
		d.Algorithms, d.Recompress = []Algorithm{{"zstd", ""}, {"lz4", ""}}, "type=huge"
	}
	for _, c := range []struct {
		name         string
		small, large Device
	}{
		{"fedora", swapDevice(1000*mib, nil), swapDevice(8192*mib, nil)},
		{"arch", swapDevice(500*mib, zstd), swapDevice(4096*mib, zstd)},
		{"debian", swapDevice(500*mib, nil), swapDevice(4096*mib, nil)},
		{"cachyos", swapDevice(1000*mib, cachyos), swapDevice(65536*mib, cachyos)},
	} {
		for ram, want := range map[int]Device{1000: c.small, 65536: c.large} {
			got, err := Read(machine(t, ram, nil), []string{filepath.Join("testdata", c.name, "zram-generator.conf")})
			if err != nil || len(got.Notes) > 0 || !reflect.DeepEqual(got.Devices, []Device{want}) {
				t.Errorf("%s with %d MiB: %+v, %v; want %+v", c.name, ram, got, err, want)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	root := machine(t, 1000, map[string]string{"all.conf": `
set!third = printf '%s' "3"
[zram3]
zram-size = ram / third # no comment
[zram3]
zram-size=ram*third
zram-resident-limit = ram / 4
compression-algorithm = lzo-rle() zstd(level=3,dict=/d) lz4 (type=idle, threshold=3000)
writeback-device = /dev/./disk
swap-priority = -1
options =
host-memory-limit = 1000
unheard-of = 1

[zram1]
mount-point = "/run//x/"
zram-fraction = 0.1
max-zram-size = none
options = discard,noatime
[zram2]
fs-type = ext4
zram-fraction = 1.0
max-zram-size = 8192
[zram4]
host-memory-limit = 999
[zram5]
zram-size = 0
[zram]
[zramx]
[other]
key = 1
`})
	got, err := Read(root, []string{root + "/all.conf"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{Number: 1, Size: 100 * mib, FSType: "ext2", MountPoint: "/run/x", Options: "discard,noatime", SwapPriority: 100},
		{Number: 2, Size: 1000 * mib, FSType: "ext4", Options: "discard", SwapPriority: 100},
		{Number: 3, Size: 3000 * mib, MemLimit: 250 * mib, FSType: Swap, SwapPriority: -1, WritebackDevice: "/dev/disk",
			Algorithms: []Algorithm{{"lzo-rle", ""}, {"zstd", "level=3 dict=/d"}, {"lz4", ""}}, Recompress: "type=idle threshold=3000"},
	}
	if !reflect.DeepEqual(got.Devices, want) {
		t.Errorf("devices\n got %+v\nwant %+v", got.Devices, want)
	}
	for _, word := range []string{"[zram]", "[zramx]", "[other]", "unheard-of", "zram4", "zram5"} {
		if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, word) }) {
			t.Errorf("no note tells of %s: %q", word, got.Notes)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"[zram0]\nzram-size = ram +":                            "zram-size=ram +: it is no expression",
		"[zram0]\nzram-size = disk / 2":                         `no variable "disk"`,
		"[zram0]\nzram-size = array(1, 2)":                      `no function "array"`,
		"[zram0]\nzram-size = (ram - 1000) / 0":                 "not a number",
		"[zram0]\nzram-size = ram / 0":                          "too large",
		"[zram0]\nzram-size = ram - 1001":                       "below 0",
		"[zram0]\nzram-resident-limit = x":                      "zram-resident-limit=x",
		"[zram0]\ncompression-algorithm = zstd(level=3":         "brackets",
		"[zram0]\ncompression-algorithm = zstd)":                "brackets",
		"[zram0]\ncompression-algorithm = a b c d e":            "three to recompress by",
		"[zram0]\nswap-priority = 32768":                        "-1 to 32767",
		"[zram0]\nmount-point = relative":                       "absolute path",
		"[zram0]\nmount-point = /a/../b":                        "..",
		"[zram0]\nmount-point = //":                             "nothing is mounted on /",
		"[zram0]\nmount-point = /x\nfs-type = swap":             "swap space has no mount-point",
		"[zram0]\nmount-point = /x\n[zram1]\nmount-point = /x/": "zram0 has the same",
		"[zram0]\nfs-type = -x":                                 "no name of a file system",
		"[zram0]\nfs-type = ../x":                               "no name of a file system",
		"[zram0]\nhost-memory-limit = much":                     `"none"`,
		"[zram0]\nzram-fraction = -1":                           "number from 0",
		"[zram0]\nzram-fraction = inf":                          "number from 0",
		"[zram0]\nmax-zram-size = 1.5":                          `"none"`,
		"[zram256]":                                             "numbers from 0 to 255",
		"[zram0]\nno value":                                     "no value",
		"[zram0":                                                "unclosed section",
		"set!x = echo word\n[zram0]":                            `no variable "word"`,
	} {
		root := machine(t, 1000, map[string]string{"c": text + "\n"})
		if got, err := Read(root, []string{root + "/c"}); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v, %v; want %q", text, got.Devices, err, want)
		}
	}
}

func TestFind(t *testing.T) {
	const name = "systemd/zram-generator.conf"
	root := machine(t, 1000, map[string]string{
		"usr/lib/" + name:                  "",
		"usr/local/lib/" + name:            "",
		"usr/lib/" + name + ".d/20-x.conf": "",
		"usr/lib/" + name + ".d/30-x.conf": "",
		"etc/" + name + ".d/20-x.conf":     "",
		"run/" + name + ".d/10-x.conf":     "",
		"run/" + name + ".d/x.txt":         "",
		"run/" + name + ".d/.hidden.conf":  "",
	})
	if err := os.Symlink("/dev/null", filepath.Join(root, "etc/"+name+".d/30-x.conf")); err != nil {
		t.Fatal(err)
	}
	got, err := Find(root)
	for i := range got {
		got[i] = strings.TrimPrefix(got[i], root+"/")
	}
	want := []string{"usr/local/lib/" + name, "run/" + name + ".d/10-x.conf", "etc/" + name + ".d/20-x.conf"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	own := filepath.Join(root, OwnFile)
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(root); err != nil || !slices.Equal(got, []string{own}) {
		t.Errorf("%q, %v; want uzram's own file alone", got, err)
	}
}

// TestFragments: a key in a later file counts, and leaves the others as they were.
func TestFragments(t *testing.T) {
	root := machine(t, 1000, map[string]string{
		"etc/systemd/zram-generator.conf":          "[zram0]\nzram-size = 1\nswap-priority = 7\n",
		"etc/systemd/zram-generator.conf.d/9.conf": "[zram0]\nzram-size = 2\n[zram1]\n",
	})
	got, err := ReadFound(root)
	if err != nil || len(got.Devices) != 2 || got.Devices[0].Size != 2*mib || got.Devices[0].SwapPriority != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestKernelOption(t *testing.T) {
	conf := "etc/systemd/zram-generator.conf"
	for _, c := range []struct {
		cmdline, conf string
		devices       int
	}{
		{"quiet", "", 0},
		{"systemd.zram", "", 1},
		{"systemd.zram=0 systemd.zram=1", "", 1},
		{"systemd.zram=1 systemd.zram=0", "[zram1]", 0},
		{"systemd.zram=off", "[zram1]", 0},
		{"systemd.zram=on", "[zram1]", 2},
		{"systemd.zram=maybe systemd.zram_x", "[zram1]", 1},
	} {
		root := machine(t, 1000, map[string]string{"proc/cmdline": c.cmdline + "\n", conf: c.conf + "\n"})
		got, err := ReadFound(root)
		if err != nil || len(got.Devices) != c.devices {
			t.Errorf("%q with %q: %+v, %v; want %d devices", c.cmdline, c.conf, got, err, c.devices)
		}
	}
	root := machine(t, 1000, map[string]string{"proc/cmdline": "systemd.zram=0\n", OwnFile: "[zram1]\n"})
	if got, err := ReadFound(root); err != nil || len(got.Devices) != 1 {
		t.Errorf("our own configuration: %+v, %v; the kernel's option does not apply to it", got, err)
	}
}
