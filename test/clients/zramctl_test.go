package clients

import (
	"regexp"
	"strings"
	"testing"
)

// zramctl: util-linux's own tool finds, makes, sets up, shows and resets devices.
func zramctl(t *testing.T, tab *table) {
	s := newScene(t, tab, "1")
	c := s.client("zramctl")
	c.works("zramctl")
	c.works("zramctl --find", "/dev/zram0")
	c.works("zramctl --find --size 64M --algorithm zstd", "/dev/zram0")
	c.works("zramctl -f -s 32M -a lz4", "/dev/zram1")
	c.works("zramctl -f -s 16M", "/dev/zram2")
	s.run("sh", "-c", "seq -w 1000000 | head -c 4194304 | dd of=/dev/zram0 bs=1M oflag=direct iflag=fullblock")
	list := c.works("zramctl", "/dev/zram0", "/dev/zram1", "/dev/zram2")
	if !regexp.MustCompile(`(?m)^/dev/zram0 zstd +64M +4M `).MatchString(list) {
		t.Errorf("zramctl shows\n%s", list)
	}
	c.works("zramctl --output-all --bytes --raw /dev/zram0", "67108864 4194304")
	c.works("zramctl --output NAME,DISKSIZE,ALGORITHM --noheadings /dev/zram1", "/dev/zram1", "32M", "lz4")
	c.works("mkswap /dev/zram0", "no label")
	c.works("swapon --priority 5 /dev/zram0")
	c.works("zramctl /dev/zram0", "[SWAP]")
	c.works("swapon --show=NAME,TYPE,PRIO | grep -e NAME -e zram", "/dev/zram0", "5")
	c.refused("zramctl --reset /dev/zram0", 1, "Device or resource busy")
	c.refused("zramctl /dev/zram0 --size 128M", 1, "Device or resource busy")
	c.works("swapoff /dev/zram0")
	c.works("zramctl --reset /dev/zram0 /dev/zram1 && ls -d /sys/block/zram*", "/sys/block/zram2")
	c.works("zramctl --noheadings --output NAME", "/dev/zram2")
	c.works("zramctl --find", "/dev/zram0")
	c.works("zramctl --size 1G /dev/zram0 && zramctl --noheadings --output DISKSIZE /dev/zram0", "1G")
	c.refused("zramctl --size 1G --algorithm nonesuch /dev/zram0", 1, "failed to set algorithm")
	if text := s.run("cat", "/sys/block/zram0/disksize"); strings.TrimSpace(text) != "0" {
		t.Errorf("disksize is %s after a refused set-up", text)
	}
}

// modprobe: the module that scripts load first.
func modprobe(t *testing.T, tab *table) {
	s := newScene(t, tab, "1")
	c := s.client("modprobe")
	c.works("modprobe zram && ls /sys/block | grep zram", "zram0")
	c.works("modprobe --remove zram; ls /sys/block | grep zram; true")
	c.works("modprobe zram num_devices=3 && ls -x /sys/block/ /dev | grep -o 'zram[0-9]' | sort | uniq -c", "zram0", "zram2")
	c.works("cat /sys/class/zram-control/hot_add", "3")
	c.works("echo 1 >/sys/class/zram-control/hot_remove && ls /dev | grep zram", "zram0", "zram2", "zram3")
	c.works("cat /sys/class/zram-control/hot_add", "1")
	s.run("sh", "-c", "echo 1M >/sys/block/zram2/disksize; mkswap /dev/zram2; swapon /dev/zram2")
	c.refused("/bin/echo 2 >/sys/class/zram-control/hot_remove", 1, "Device or resource busy")
	c.refused("modprobe -r zram", 1, "zram2")
	s.run("swapoff", "/dev/zram2")
	c.refused("/bin/echo 9 >/sys/class/zram-control/hot_remove", 1, "No such device")
	c.works("modprobe -r zram; ls /sys/block | grep zram; true")
}
