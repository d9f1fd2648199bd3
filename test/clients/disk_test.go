package clients

import (
	"fmt"
	"strings"
	"testing"
)

// fio writes and verifies.
func fio(t *testing.T, tab *table) {
	s := newScene(t, tab, "1")
	c := s.client("fio")
	s.run("sh", "-c", "echo 64M >/sys/block/zram0/disksize")
	for _, rw := range []string{"write", "randwrite"} {
		out := s.run("fio", "--name=verify", "--filename=/dev/zram0", "--direct=1", "--rw="+rw, "--bs=4k", "--ioengine=libaio", "--iodepth=8", "--size=64M",
			"--verify=crc32c", "--verify_fatal=1", "--do_verify=1", "--verify_state_save=0", "--randseed=1", "--output-format=terse", "--terse-version=3")
		fields := strings.Split(out, ";")
		if len(fields) < 5 || fields[4] != "0" {
			t.Errorf("fio: %s", out)
			continue
		}
		c.table.add(c.name, fmt.Sprintf("fio --filename=/dev/zram0 --rw=%s --verify=crc32c --direct=1 --bs=4k --size=64M", rw), "error 0", works)
	}
}

// fileSystems: made, used, and checked by their own programs.
func fileSystems(t *testing.T, tab *table) {
	for _, f := range []struct{ name, size, mkfs, fsck string }{
		{"ext4", "128M", "mkfs.ext4 -q /dev/zram0", "fsck.ext4 -fn /dev/zram0"},
		{"xfs", "512M", "mkfs.xfs -q /dev/zram0", "xfs_repair -n /dev/zram0"},
		{"btrfs", "256M", "mkfs.btrfs -q /dev/zram0", "btrfs check --readonly /dev/zram0"},
	} {
		t.Run(f.name, func(t *testing.T) {
			s := newScene(t, tab, "1")
			c := s.client("File systems")
			s.run("sh", "-c", "echo "+f.size+" >/sys/block/zram0/disksize")
			c.works(f.mkfs)
			c.works("mount -o discard /dev/zram0 /mnt && findmnt -no SOURCE,FSTYPE /mnt && cp -r /usr/share/zoneinfo /mnt/copy && sync && "+
				"diff -r /usr/share/zoneinfo /mnt/copy && rm -r /mnt/copy/[A-E]* && fstrim /mnt && umount /mnt", "/dev/zram0 "+f.name)
			if res := s.try("sh", "-c", f.fsck+" 2>&1"); res.Err != nil {
				t.Errorf("%s: %v\n%s", f.fsck, res.Err, res.Stdout)
			} else {
				c.table.add(c.name, f.fsck, "", works)
			}
			c.works("blkid -p -o value -s TYPE /dev/zram0", f.name)
		})
	}
}

// utilities: what else looks at block devices.
func utilities(t *testing.T, tab *table) {
	s := newScene(t, tab, "2")
	c := s.client("util-linux")
	s.run("sh", "-c", "echo 64M >/sys/block/zram0/disksize; echo 32M >/sys/block/zram1/disksize; mkswap /dev/zram0")
	c.works("lsblk --output NAME,TYPE,SIZE,RO,RM | grep -e NAME -e zram", "zram0", "64M", "zram1")
	c.works("lsblk --noheadings --output NAME,DISC-GRAN,LOG-SEC,PHY-SEC,ROTA /dev/zram0", "4K", "4096")
	c.works("blkid -p -o value -s TYPE /dev/zram0", "swap")
	c.works("blockdev --getsize64 --getss --getpbsz --getro /dev/zram0", "67108864", "4096")
	c.works("wipefs --noheadings --output DEVICE,TYPE /dev/zram0", "swap")
	c.works("readlink -f /sys/block/zram0 /sys/class/block/zram1", "/sys/devices/virtual/block/zram0", "/sys/devices/virtual/block/zram1")
	c.works("blkdiscard /dev/zram0 && cut -c1-9 /sys/block/zram0/mm_stat", "0")
	c.works("cat /sys/block/zram0/uevent", "DEVNAME=zram0", "DEVTYPE=disk")
}

// systemd: its library is what zramctl from 2.41 on and many others find devices with.
func systemd(t *testing.T, tab *table) {
	s := newScene(t, tab, "1")
	c := s.client("systemd's library (udevadm)")
	info := unpacked(t, "udev/bin/udevadm") + " info --query=property --property=DEVNAME,DEVPATH,SUBSYSTEM --name=/dev/zram0"
	c.works(info, "DEVPATH=/devices/virtual/block/zram0", "DEVNAME=/dev/zram0", "SUBSYSTEM=block")
	c.works(strings.Replace(info, "DEVNAME,DEVPATH,SUBSYSTEM", "USEC_INITIALIZED", 1)+" | cut -d= -f1", "USEC_INITIALIZED")
	bare := "env -u SYSTEMD_DEVICE_VERIFY_SYSFS " + info
	if res := s.try("sh", "-c", bare+" 2>&1"); res.Code != 1 {
		t.Errorf("%s: status %d\n%s", bare, res.Code, res.Stdout)
	} else {
		c.cannot(bare, res.Stdout, "SYSTEMD_DEVICE_VERIFY_SYSFS=0 must be set, as uzram sysfs does; with --system it is for the caller to set")
	}
}
