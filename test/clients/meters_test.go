package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"uzram/test/harness"

	"github.com/prometheus/procfs/blockdevice"
)

const htopConf = `fields=0 48 17 18 38 39 40 2 46 47 49 1
header_layout=two_50_50
column_meters_0=Memory Swap Zram
column_meter_modes_0=2 2 2
column_meters_1=Tasks Uptime
column_meter_modes_1=2 2
`

// htop: its meter for zram, on a terminal that tmux makes.
func htop(t *testing.T, tab *table) {
	s := newScene(t, tab, "1")
	c := s.client("htop (in tmux)")
	s.run("sh", "-c", "echo 256M >/sys/block/zram0/disksize; seq -w 3000000 | head -c 16777216 | dd of=/dev/zram0 bs=1M oflag=direct iflag=fullblock")
	rc := filepath.Join(filepath.Dir(s.dir), "htoprc")
	if err := os.WriteFile(rc, []byte(htopConf), 0o644); err != nil {
		t.Fatal(err)
	}
	// The view lasts as long as the shell, so that waits until the meter has been seen.
	screen := s.run("sh", "-c", `socket=$1
		HTOPRC=$2 TERM=xterm tmux -S "$socket" -f /dev/null new-session -d -x 120 -y 24 htop -d 5
		tries=0
		until tmux -S "$socket" capture-pane -p | grep -q 'zrm:.*[0-9]'; do
			tries=$((tries + 1)); [ $tries -lt 300 ] || break
			sleep 0.1
		done
		tmux -S "$socket" capture-pane -p | head -4
		tmux -S "$socket" kill-server`, "sh", filepath.Join(filepath.Dir(s.dir), "tmux"), rc)
	meter := regexp.MustCompile(`zrm:\S+ used:\S+ uncompressed:\S+`).FindString(screen)
	if !regexp.MustCompile(`^zrm:256M used:[0-9.]+M uncompressed:16\.0M$`).MatchString(meter) {
		t.Errorf("the meter shows %q of\n%s", meter, screen)
	}
	c.table.add(c.name, "htop with the meter Zram", regexp.MustCompile(`used:\S+`).ReplaceAllString(meter, "used:..."), works)
}

// procfsEnv names the devices of the kernel's to be looked at beside ours, in the process that runs in the view.
const procfsEnv = "UZRAM_CLIENTS_PROCFS"

// prometheus: the library that node_exporter and others read block devices with.
func prometheus(t *testing.T, tab *table) {
	s := newScene(t, tab, "2")
	c := s.client("prometheus/procfs, package blockdevice")
	s.run("sh", "-c", "echo 64M >/sys/block/zram0/disksize; dd if=/dev/zero of=/dev/zram0 bs=4096 count=100 oflag=direct conv=fsync status=none; "+
		"dd if=/dev/zram0 of=/dev/null bs=4096 count=50 iflag=direct status=none")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := s.run("env", procfsEnv+"=zram0", exe)
	for line := range strings.Lines(out) {
		call, text, _ := strings.Cut(strings.TrimSpace(line), " = ")
		if strings.HasPrefix(text, "no: ") {
			t.Errorf("%s: %s", call, text)
		}
		c.table.add(c.name, call, text, works)
	}
	if !strings.Contains(out, "ReadIOs:50 ") || !strings.Contains(out, "WriteIOs:100 ") {
		t.Errorf("the statistics do not count:\n%s", out)
	}
	if strings.Count(out, "\n") < 5 {
		t.Errorf("too little:\n%s", out)
	}
}

// readProcfs is the process in the view: it prints what the library says.
func readProcfs(name string) int {
	fs, err := blockdevice.NewFS("/proc", "/sys")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	say := func(call string, value any, err error) {
		if err != nil {
			value = "no: " + err.Error()
		}
		fmt.Printf("%s = %+v\n", call, value)
	}
	all, err := fs.SysBlockDevices()
	var ours []string
	for _, n := range all {
		if strings.HasPrefix(n, "zram") {
			ours = append(ours, n)
		}
	}
	say("SysBlockDevices (those of zram)", ours, err)
	stat, fields, err := fs.SysBlockDeviceStat(name)
	stat.ReadTicks, stat.WriteTicks, stat.IOsTotalTicks, stat.WeightedIOTicks, stat.TimeSpentFlushing = 0, 0, 0, 0, 0 // times differ
	say("SysBlockDeviceStat(zram0) (without times)", stat, err)
	say("SysBlockDeviceStat(zram0), fields", fields, nil)
	size, err := fs.SysBlockDeviceSize(name)
	say("SysBlockDeviceSize(zram0)", size, err)
	rotational, err := fs.SysBlockDeviceRotational(name)
	say("SysBlockDeviceRotational(zram0)", rotational, err)
	below, err := fs.SysBlockDeviceUnderlyingDevices(name)
	say("SysBlockDeviceUnderlyingDevices(zram0)", below, err)
	// The library asks for io_timeout, which a loop device has or has not; nothing else may be missing.
	_, err = fs.SysBlockDeviceQueueStats(name)
	if loops, _ := filepath.Glob("/sys/block/loop*"); err != nil && len(loops) > 0 {
		loop := filepath.Base(loops[0])
		if _, its := fs.SysBlockDeviceQueueStats(loop); its != nil && its.Error() == strings.Replace(err.Error(), name, loop, 1) {
			err = nil
		}
	}
	say("SysBlockDeviceQueueStats(zram0)", "as for the kernel's own loop devices (on Linux 6.18 those have no io_timeout, and the library gives up)", err)
	return 0
}

// limits: where the kernel's own tables name what it knows, which is the loop device.
func limits(t *testing.T, tab *table) {
	s := newScene(t, tab, "1")
	c := s.client("What the kernel says itself")
	s.run("sh", "-c", "echo 16M >/sys/block/zram0/disksize; mkswap /dev/zram0")
	for _, l := range []struct{ command, why string }{
		{`awk -v n=$(cat /sys/block/zram0/dev) '$1":"$2 == n {print $3}' /proc/diskstats`, "what reads /proc/diskstats (iostat, vmstat -d) has the device under the name of its loop device; " +
			"/sys/block/zramN/stat has the same figures"},
		{`awk -v n=$(cat /sys/block/zram0/dev) '$1":"$2 == n {print $4}' /proc/partitions`, "likewise what reads /proc/partitions"},
	} {
		if out := s.run("sh", "-c", l.command); !strings.HasPrefix(out, "loop") {
			t.Errorf("%s prints %q", l.command, out)
		} else {
			c.cannot(l.command, out, l.why)
		}
	}
	c.cannot("lsmod", "", "there is no module zram, unless the kernel has its own; modprobe zram succeeds")
	s.run("swapon", "/dev/zram0")
	t.Cleanup(func() { s.try("swapoff", "/dev/zram0") })
	c.works("awk '/zram/ {print $1}' /proc/swaps", "/dev/zram0")
	if _, ok := harness.Swaps()["/dev/zram0"]; !ok {
		t.Errorf("outside of the view there is swap space on %v", harness.Swaps())
	}
	c.cannot("cat /proc/swaps, outside of the view", "/dev/zram0", "the name is that in the view; a program outside finds the loop device by /dev/loopN")
	s.run("sh", "-c", "swapoff /dev/zram0")
}
