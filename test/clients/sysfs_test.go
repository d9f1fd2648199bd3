package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"uzram/test/harness"
)

// machine is a mount namespace that stands for a machine: nothing of it is seen elsewhere.
type machine struct {
	*testing.T
	*harness.Namespace
}

func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{t, harness.NewNamespace(t, "mount -t tmpfs none /run")}
	t.Cleanup(func() { // of a test that failed
		m.Try(harness.Bin(), "sysfs", "--undo")
		m.Try(harness.Bin(), "umount", "/run/uzram/zram")
	})
	return m
}

// expect runs a command that ends with a status and prints something, and returns all of it.
func (m machine) expect(code int, printed string, args ...string) string {
	m.Helper()
	res := m.Try(args...)
	out := strings.TrimSpace(res.Stdout + res.Stderr)
	if res.Code != code || !strings.Contains(out, printed) {
		m.Errorf("%q: status %d, %q; want %d, %q", args, res.Code, out, code, printed)
	}
	return out
}

// uzram is expect for the binary.
func (m machine) uzram(code int, printed string, args ...string) string {
	m.Helper()
	return m.expect(code, printed, append([]string{harness.Bin()}, args...)...)
}

// state is what views may change. The kernel's zram and loop devices are left out, for others make and remove some.
func (m machine) state() string {
	m.Helper()
	return m.expect(0, "", "sh", "-c", `ls /dev /sys/block /sys/class /sys/devices/virtual/block | grep -v -e loop -e '^zram[0-9]'
		grep -l '^/run/uzram/' /sys/devices/virtual/block/loop*/loop/backing_file 2>/dev/null
		for n in /dev/zram*; do [ "$(stat -c %t $n 2>/dev/null)" != 7 ] || echo $n; done
		awk '{print $5, $(NF - 1)}' /proc/self/mountinfo | grep -e " uzram" -e ^/sys -e ^/dev -e ^/run; find /run /etc/modprobe.d 2>/dev/null; true`)
}

// TestSysfs_OnDemand: where nothing is mounted the command mounts, what is set up stays, and the last one takes down.
func TestSysfs_OnDemand(t *testing.T) {
	m := newMachine(t)
	m.uzram(0, "", "sysfs", "true")
	before := m.state()
	m.uzram(7, "", "sysfs", "--", "sh", "-c", "exit 7")
	m.uzram(127, "nonesuch", "sysfs", "nonesuch")
	m.uzram(126, "/etc/passwd", "sysfs", "/etc/passwd")
	m.uzram(143, "", "sysfs", "--", "sh", "-c", "kill $$")
	m.uzram(2, "--system", "sysfs", "--system", "--undo")
	m.uzram(2, "take no command", "sysfs", "--undo", "true")
	m.uzram(2, "--over-kernel", "sysfs", "--over-kernel", "true")
	m.uzram(3, "not a uzram mount", "sysfs", "--dir", "/etc", "true")
	if out := m.expect(0, "/dev/zram0", "sh", "-c", "SHELL=/bin/sh "+harness.Bin()+" sysfs <<END\nls /dev/zram*\nEND"); out != "/dev/zram0" {
		t.Errorf("the shell prints %q", out)
	}
	if after := m.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	m.uzram(0, "/dev/zram0", "sysfs", "--", "zramctl", "--find", "--size", "32M")
	m.uzram(0, "/dev/zram0", "sysfs", "--", "zramctl", "--noheadings", "--output", "NAME")
	m.uzram(0, "", "sysfs", "--", "zramctl", "--reset", "/dev/zram0")
	if after := m.state(); after != before {
		t.Errorf("before:\n%s\nafter a reset:\n%s", before, after)
	}
}

// TestSysfs_Swap: swap space keeps its name as long as it is there, and then nothing is left.
func TestSysfs_Swap(t *testing.T) {
	m := newMachine(t)
	m.uzram(0, "", "sysfs", "true")
	before := m.state()
	t.Cleanup(func() { m.Try(harness.Bin(), "sysfs", "swapoff", "/dev/zram0") })
	m.uzram(5, "", "sysfs", "--", "sh", "-c", "echo 32M >/sys/block/zram0/disksize; mkswap -q /dev/zram0; swapon /dev/zram0; exit 5")
	m.expect(0, "/dev/zram0", "cat", "/proc/swaps")
	m.uzram(0, "[SWAP]", "sysfs", "zramctl", "/dev/zram0")
	m.uzram(1, "busy", "sysfs", "zramctl", "--reset", "/dev/zram0")
	m.uzram(0, "", "sysfs", "true")
	if views := m.expect(0, "", "sh", "-c", "ls -d /run/uzram/views/*/*.view"); strings.Count(views, ".view") != 1 {
		t.Errorf("beside the view with the swap space there are others: %s", views)
	}
	m.uzram(4, "in use", "umount", "/run/uzram/zram")
	m.uzram(0, "", "sysfs", "swapoff", "/dev/zram0")
	m.expect(0, "", "sh", "-c", "for i in $(seq 300); do ls /run/uzram/views/*/*.view 2>/dev/null || break; sleep 0.1; done")
	m.uzram(0, "", "sysfs", "zramctl", "--reset", "/dev/zram0")
	if after := m.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestSysfs_System: the whole machine sees the devices, commands and a death of the process behind that notwithstanding.
func TestSysfs_System(t *testing.T) {
	m := newMachine(t)
	m.uzram(0, "", "sysfs", "true")
	before := m.state()
	m.uzram(1, "no view", "sysfs", "--undo")
	over := "--system"
	if _, err := os.Stat("/sys/class/zram-control"); err == nil {
		m.uzram(2, "the kernel has zram of its own", "sysfs", "--system")
		over = "--over-kernel"
	}
	const elsewhere = "/nonesuch/mount"
	for _, end := range []string{"told", "killed", "killed, and the mount unknown"} {
		m.uzram(0, "", "sysfs", "--system", over)
		m.uzram(4, "already", "sysfs", "--system", "--over-kernel")
		m.expect(0, "sysfs-module", "sh", "-c", "cat /run/modprobe.d/uzram.conf && ! grep modprobe.d /proc/self/mountinfo")
		m.expect(0, "/dev/zram0", "zramctl", "--find", "--size", "32M")
		m.expect(0, "/dev/zram1", "zramctl", "--find", "--size", "16M")
		m.expect(0, "", "sh", "-c", "mkswap -q /dev/zram1 && swapon /dev/zram1")
		m.expect(0, "[SWAP]", "zramctl", "/dev/zram1")
		m.expect(1, "busy", "zramctl", "--reset", "/dev/zram1")
		m.expect(0, "", "swapoff", "/dev/zram1")
		m.expect(0, "", "zramctl", "--reset", "/dev/zram1")
		m.uzram(4, "sysfs --undo", "umount", "/run/uzram/zram")
		m.uzram(0, "/dev/zram0", "sysfs", "--", "zramctl", "--noheadings", "--output", "NAME")
		m.expect(0, "", "zramctl", "--reset", "/dev/zram0")
		m.uzram(1, "--dir /run/uzram/zram", "sysfs", "--undo", "--dir", elsewhere)
		if end != "told" {
			m.killView()
		}
		if strings.HasSuffix(end, "unknown") {
			m.uzram(0, "", "sysfs", "--undo", "--dir", elsewhere)
			m.uzram(0, "", "sysfs", "true")
		} else {
			m.uzram(0, "", "sysfs", "--undo")
		}
		if after := m.state(); after != before {
			t.Errorf("%s, before:\n%s\nafter:\n%s", end, before, after)
		}
	}
}

// killView kills the process behind the machine's view.
func (m machine) killView() {
	m.Helper()
	out := m.expect(0, "", "sh", "-c", `for p in /proc/[0-9]*; do
		[ "$(readlink $p/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] && tr '\0' ' ' <$p/cmdline 2>/dev/null | grep -q ' [s]ysfs-view .*--system=true' && echo ${p#/proc/}; done; true`)
	if _, err := strconv.Atoi(out); err != nil {
		m.Fatalf("the process behind the view is %q", out)
	}
	m.expect(0, "", "sh", "-c", "kill -9 "+out+"; while kill -0 "+out+" 2>/dev/null && ! grep -q '^State:.Z' /proc/"+out+"/status; do sleep 0.05; done; true")
}

// TestSysfs_NoModprobe: where there is no such program, uzram stands in for it for the one module.
func TestSysfs_NoModprobe(t *testing.T) {
	m := newMachine(t)
	path := harness.Dir(t)
	for _, name := range []string{"sh", "ls"} {
		full, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(full, filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
	}
	view := func(code int, printed, command string) {
		t.Helper()
		m.expect(code, printed, "env", "PATH="+path, harness.Bin(), "sysfs", "--", "sh", "-c", command)
	}
	view(0, "/dev/zram0\n/dev/zram1", "modprobe -r zram && modprobe zram num_devices=2 && ls -d /dev/zram*")
	view(2, "", "modprobe -qr zram && ls -d /dev/zram*")
	view(0, "/dev/zram0", "modprobe -nr zram && modprobe --remove --dry-run zram && ls -d /dev/zram*")
	m.expect(0, "", "env", "PATH="+path, harness.Bin(), "sysfs", "--", "modprobe", "zram")
	view(1, `not for "ext4"`, "modprobe ext4")
}

// TestSysfs_Takeover: a view follows the mount also when another process serves it.
func TestSysfs_Takeover(t *testing.T) {
	s := newScene(t, newTable(), "1")
	worker := func() string {
		t.Helper()
		pid := regexp.MustCompile(`"worker_pid": ?([0-9]+)`).FindStringSubmatch(harness.Run(t, harness.Bin(), "status", "--json", s.dir))
		if pid == nil {
			t.Fatal("status names no worker")
		}
		return pid[1]
	}
	first := worker()
	harness.Run(t, "kill", "-9", first)
	if out := s.run("sh", "-c", "cat /sys/class/zram-control/hot_add && zramctl --size 16M /dev/zram1 && dd if=/dev/zero of=/dev/zram1 bs=1M count=1 oflag=direct status=none && zramctl -n -o NAME"); out != "1\n/dev/zram1" {
		t.Errorf("after the death of a worker: %q", out)
	}
	if now := worker(); now == first {
		t.Errorf("process %s serves on", first)
	}
}

// TestSysfs_Abandoned: a mount that is given up takes its nodes along, which would lead to whatever has the loop device next.
func TestSysfs_Abandoned(t *testing.T) {
	m := newMachine(t)
	m.uzram(0, "", "sysfs", "true")
	before := m.state()
	m.uzram(0, "", "sysfs", "--system", "--over-kernel")
	keeper := regexp.MustCompile(`"keeper_pid": ?([0-9]+)`).FindStringSubmatch(m.uzram(0, "", "status", "--json", "/run/uzram/zram"))
	if keeper == nil {
		t.Fatal("status names no keeper")
	}
	m.expect(0, "gone", "sh", "-c", "ls /dev/zram0; kill -9 "+keeper[1]+`
		for i in $(seq 300); do [ -e /dev/zram0 ] || { echo gone; break; }; sleep 0.1; done`)
	m.uzram(0, "", "sysfs", "--undo")
	if after := m.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestSysfs_Others: a view keeps no other mount alive.
func TestSysfs_Others(t *testing.T) {
	other := harness.Mount(t, harness.Options{Loop: true, Disksize: "64M"})
	harness.Run(t, "mkfs.ext4", "-q", other.Loop)
	fs := harness.MountFS(t, other.Loop)
	newScene(t, newTable(), "1")
	harness.Run(t, "umount", fs)
	other.Umount() // waits for the end of its processes
}
