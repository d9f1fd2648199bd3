package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zramswap: the script of the package zram-tools, with its defaults.
func zramswap(t *testing.T, tab *table) {
	s := newScene(t, tab, "1")
	c := s.client("zramswap (zram-tools)")
	script := unpacked(t, "zram-tools/usr/sbin/zramswap")
	t.Cleanup(func() { s.try("swapoff", "/dev/zram0") })
	c.works(script+" start", "Setting up swapspace", "size = 256 MiB")
	c.works("swapon --show=NAME,SIZE,PRIO | grep zram", "/dev/zram0", "256M", "100")
	c.works(script+" status", "/dev/zram0", "lz4", "256M", "[SWAP]")
	c.works(script + " stop")
	c.works("swapon --show=NAME | grep zram; ls /sys/block | grep zram; true")
	c.works(script+" restart", "Setting up swapspace")
	c.works(script + " stop")
}

const generatorConf = `[zram0]
zram-size = 96
compression-algorithm = zstd
swap-priority = 77

[zram1]
zram-size = 64
fs-type = ext4
mount-point = /somewhere
`

// generator: what the units of systemd-zram-generator execute.
func generator(t *testing.T, tab *table) {
	s := newScene(t, tab, "2")
	c := s.client("zram-generator (systemd-zram-generator)")
	bin := unpacked(t, "systemd-zram-generator/lib/systemd/system-generators/zram-generator")
	root := filepath.Join(filepath.Dir(s.dir), "root")
	if err := os.MkdirAll(filepath.Join(root, "etc/systemd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"etc/systemd/zram-generator.conf": generatorConf, "proc/meminfo": "MemTotal: 1048576 kB\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := "ZRAM_GENERATOR_ROOT=" + root + " " + bin
	t.Cleanup(func() { s.try("swapoff", "/dev/zram0") })
	c.works("cat " + root + "/etc/systemd/zram-generator.conf")
	c.works(run + " --setup-device zram0")
	c.works("blkid -p -o value -s TYPE /dev/zram0; zramctl /dev/zram0", "swap", "zstd", "96M")
	c.works("swapon -p 77 /dev/zram0 && swapon --show=NAME,SIZE,PRIO | grep zram", "/dev/zram0", "96M", "77")
	c.works("swapoff /dev/zram0 && " + run + " --reset-device zram0")
	c.works(run + " --setup-device zram1")
	c.works("blkid -p -o value -s TYPE /dev/zram1; zramctl /dev/zram1", "ext4", "64M")
	c.works("mount -o discard /dev/zram1 /mnt && echo text >/mnt/file && zramctl --noheadings --output MOUNTPOINT /dev/zram1; umount /mnt", "/mnt")
	c.works(run + " --reset-device zram1")
	if text := s.run("sh", "-c", "cat /sys/block/zram*/disksize"); strings.Fields(text)[0] != "0" || strings.Fields(text)[1] != "0" {
		t.Errorf("disksize after the reset: %q", text)
	}
}
