package sysview

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// checkShown holds all that there is of a device to what programs look for.
func checkShown(t *testing.T, d Device, loop string) {
	t.Helper()
	home := "/sys/devices/virtual/block/" + d.Name
	for _, path := range []string{"/sys/block/" + d.Name, "/sys/class/block/" + d.Name, "/sys/dev/block/" + d.number()} {
		if got := realpath(t, path); got != home {
			t.Errorf("%s is %s, want %s", path, got, home)
		}
	}
	if text, err := os.ReadFile("/sys/block/" + d.Name + "/dev"); err != nil || strings.TrimSpace(string(text)) != d.number() {
		t.Errorf("dev of %s is %q, %v; want %s", d.Name, text, err, d.number())
	}
	var st unix.Stat_t
	if err := unix.Lstat("/dev/"+d.Name, &st); err != nil {
		t.Errorf("/dev/%s: %v", d.Name, err)
	} else if st.Mode&unix.S_IFMT != unix.S_IFBLK || uint64(st.Rdev) != unix.Mkdev(d.Major, d.Minor) {
		t.Errorf("/dev/%s has mode %o and number %d", d.Name, st.Mode, st.Rdev)
	}
	if !exists("/run/udev/data/b" + d.number()) {
		t.Errorf("udev has no record of %s", d.Name)
	}
	for _, path := range []string{"/sys/block/" + loop, "/sys/class/block/" + loop, "/dev/" + loop} {
		if exists(path) {
			t.Errorf("%s is in the view beside the device on it", path)
		}
	}
}

// checkGone holds a loop device without a device on it to the same.
func checkGone(t *testing.T, d Device, loop string) {
	t.Helper()
	if text := link(t, "/sys/dev/block/"+d.number()); filepath.Base(text) != loop {
		t.Errorf("%s is %s, want %s", d.number(), text, loop)
	}
	for _, path := range []string{"/sys/block/" + loop, "/sys/class/block/" + loop, "/dev/" + loop} {
		if !exists(path) {
			t.Errorf("%s is not back", path)
		}
	}
	if exists("/run/udev/data/b"+d.number()) && !exists("/run/udev/control") {
		t.Errorf("the record of %s is still there", d.Name)
	}
}

// TestView: devices that are there and that come later are where the kernel's would be, all else is as it was, and is so
// again afterwards.
func TestView(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	first, firstLoop := s.add("zram0")
	before := state(t)
	classes := list(t, "/sys/class")
	v := s.build(Options{CopyDev: true, HideLoops: true, Exe: "/bin/true"})
	checkShown(t, first, firstLoop)

	second, secondLoop := s.add("zram12")
	if err := v.Add(second); err != nil {
		t.Fatal(err)
	}
	if err := v.Add(second); err != nil {
		t.Errorf("added again: %v", err)
	}
	checkShown(t, second, secondLoop)
	checkShown(t, first, firstLoop)
	if err := v.Remove("zram12"); err != nil {
		t.Fatal(err)
	}
	checkGone(t, second, secondLoop)
	if exists("/sys/block/zram12") || exists("/sys/class/block/zram12") || exists("/sys/devices/virtual/block/zram12") || exists("/dev/zram12") {
		t.Error("something of zram12 is still there")
	}
	if err := v.Remove("zram12"); err != nil {
		t.Errorf("removed again: %v", err)
	}
	checkShown(t, first, firstLoop)
	if !exists("/dev/null") || !exists("/dev/ptmx") || !exists("/dev/shm") {
		t.Error("the copy of /dev lacks something")
	}
	if err := os.WriteFile("/dev/null", []byte("x"), 0); err != nil {
		t.Error(err)
	}
	if !slices.Equal(list(t, "/sys/class"), classes) || !exists("/sys/class/tty") || !exists("/sys/class/zram-control/hot_add") {
		t.Error("/sys/class lacks something")
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if after := state(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if v.Add(second) != nil || v.Remove("zram0") != nil {
		t.Error("a view that is down should take no notice")
	}
}

// TestView_KeepKernel: what the kernel has of zram is seen if it is to be, and names are the mount's first.
func TestView_KeepKernel(t *testing.T) {
	if !inside(t) {
		return
	}
	// The machine's own zram, or what stands in for it in a view below.
	below := newStandIn(t)
	kernel, _ := below.add("zram0")
	below.build(Options{CopyDev: true, HideLoops: true, Exe: "/bin/true"})

	s := newStandIn(t)
	s.add("zram7")
	hiding := s.build(Options{CopyDev: true, HideLoops: true, Exe: "/bin/true"})
	if exists("/sys/block/zram0") || exists("/dev/zram0") || exists("/sys/dev/block/"+kernel.number()) {
		t.Error("the kernel's device is seen although it should not be")
	}
	if err := hiding.Close(); err != nil {
		t.Fatal(err)
	}
	v := s.build(Options{CopyDev: true, HideLoops: true, KeepKernel: true, Exe: "/bin/true"})
	if got := realpath(t, "/sys/dev/block/"+kernel.number()); got != "/sys/devices/virtual/block/zram0" || !exists("/dev/zram0") {
		t.Errorf("the kernel's device is not seen: %s", got)
	}
	mine, loop := s.add("zram0")
	if err := v.Add(mine); err != nil {
		t.Fatal(err)
	}
	checkShown(t, mine, loop)
	if exists("/sys/dev/block/" + kernel.number()) {
		t.Error("the number of the device whose name is taken is still there")
	}
	if err := v.Remove("zram0"); err != nil {
		t.Fatal(err)
	}
	if got := realpath(t, "/sys/dev/block/"+kernel.number()); got != "/sys/devices/virtual/block/zram0" || !exists("/dev/zram0") {
		t.Errorf("the kernel's device is not back: %s", got)
	}
}

// TestView_NoControl: where the kernel has no zram, /sys/class is made anew with all that is in it.
func TestView_NoControl(t *testing.T) {
	if !inside(t) {
		return
	}
	root := t.TempDir()
	for _, dir := range []string{"sys/block", "sys/class/block", "sys/class/tty/tty0", "sys/dev/block", "sys/devices/virtual/block/loop77", "dev/pts", "run", "etc/modprobe.d"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"sys/block/loop77": "../devices/virtual/block/loop77", "sys/class/block/loop77": "../../devices/virtual/block/loop77",
		"sys/dev/block/7:77": "../../devices/virtual/block/loop77", "sys/class/alias": "tty"} {
		if err := os.Symlink(text, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if KernelHasZram(root) {
		t.Error("there is no zram here")
	}
	s := newStandIn(t)
	s.write("block/zram0/dev", "7:77\n")
	if err := os.Mkdir(filepath.Join(root, "sys/devices/virtual/block/loop77/loop"), 0o755); err != nil {
		t.Fatal(err)
	}
	backing := filepath.Join(root, "sys/devices/virtual/block/loop77/loop/backing_file")
	if err := os.WriteFile(backing, []byte(s.dir+"/block/zram0/image\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	v := s.build(Options{Root: root, CopyDev: true, HideLoops: true, Exe: "/bin/true"})
	if !KernelHasZram(root) {
		t.Error("there should be zram now")
	}
	for _, name := range []string{"class/zram-control/hot_add", "class/tty/tty0", "class/alias/tty0", "class/block/zram0/dev", "block/zram0/dev", "dev/block/7:77/dev"} {
		if _, err := os.Stat(filepath.Join(root, "sys", name)); err != nil {
			t.Error(err)
		}
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if exists(filepath.Join(root, "sys/class/zram-control")) || exists(filepath.Join(root, "run/udev")) {
		t.Error("the view left something behind")
	}
}

// TestView_OtherDisk: a mount that names another device than its own loop device gets no node for it.
func TestView_OtherDisk(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	other := newStandIn(t)
	theirs, _ := other.add("zram0")
	s.write("block/zram0/dev", theirs.number()+"\n")
	v := s.build(Options{CopyDev: true, HideLoops: true, Exe: "/bin/true"})
	if exists("/sys/block/zram0") || exists("/dev/zram0") {
		t.Error("the view has the device")
	}
	if err := v.Add(theirs); err == nil || exists("/dev/zram0") {
		t.Errorf("told of it: %v", err)
	}
}

// TestView_Modprobe: modprobe asks this program for zram, and only for that.
func TestView_Modprobe(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	said := filepath.Join(s.dir, "said")
	exe := filepath.Join(s.dir, "some program")
	if err := os.WriteFile(exe, []byte("#!/bin/sh\necho \"$@\" >>'"+said+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.build(Options{CopyDev: true, HideLoops: true, Exe: exe})
	for _, args := range [][]string{{"zram", "num_devices=3"}, {"-r", "zram"}} {
		if out, err := exec.Command("modprobe", args...).CombinedOutput(); err != nil {
			t.Errorf("modprobe %q: %v: %s", args, err, out)
		}
	}
	if err := exec.Command("modprobe", "no-such-module").Run(); err == nil {
		t.Error("modprobe finds a module that is not there")
	}
	want := ModuleVerb + " add num_devices=3\n" + ModuleVerb + " remove\n"
	if text, err := os.ReadFile(said); err != nil || string(text) != want {
		t.Errorf("modprobe ran %q, %v; want %q", text, err, want)
	}
}

// TestUndo: what a view leaves whose process is killed can be taken down.
func TestUndo(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	s.add("zram0")
	before := state(t)
	if _, err := Build(Options{Dir: s.dir, CopyDev: true, HideLoops: true, Exe: "/bin/true"}); err != nil {
		t.Fatal(err)
	}
	if found, err := Undo(); !found || err != nil {
		t.Errorf("Undo: %v, %v", found, err)
	}
	if after := state(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if found, err := Undo(); found || err != nil {
		t.Errorf("Undo again: %v, %v", found, err)
	}
}

// TestClose_Covered: what others have mounted over a view's directories, or in their place, stays.
func TestClose_Covered(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	before := state(t)
	v, err := Build(Options{Dir: s.dir, CopyDev: true, HideLoops: true, Exe: "/bin/true"})
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("other", "/sys/block", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Unmount("/dev", unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("Close: %v", err)
	}
	if _, err := Undo(); err != nil {
		t.Error(err)
	}
	if m, err := mountinfo.At("/sys/block"); err != nil || m.Source != "other" {
		t.Errorf("what was mounted over the view: %+v, %v", m, err)
	}
	if err := unix.Unmount("/sys/block", 0); err != nil {
		t.Fatal(err)
	}
	if found, err := Undo(); !found || err != nil {
		t.Errorf("Undo: %v, %v", found, err)
	}
	if after := state(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestUndo_Served: what a view is whose process lives is left to that, and another one cannot lie over it.
func TestUndo_Served(t *testing.T) {
	if !inside(t) {
		return
	}
	s, other := newStandIn(t), newStandIn(t)
	o := Options{Dir: s.dir, CopyDev: true, HideLoops: true, Exe: "/bin/true"}
	w, err := Start(o, true, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	stands := state(t)
	if found, err := Undo(); found || err == nil || !strings.Contains(err.Error(), "--dir "+s.dir) {
		t.Errorf("Undo: %v, %v", found, err)
	}
	o.Dir = other.dir
	if _, err := Start(o, true, func(error) {}); !errors.Is(err, unix.EBUSY) {
		t.Errorf("a view over another: %v", err)
	}
	if now := state(t); now != stands {
		t.Errorf("before:\n%s\nafter:\n%s", stands, now)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestRunDir_Long: the sockets of a mount with a long name can be made, and its name is known.
func TestRunDir_Long(t *testing.T) {
	for _, n := range []int{longestName - len("%2F"), longestName, 4000} {
		dir := "/" + strings.Repeat("a", n)
		t.Cleanup(func() { RemoveRunDir(dir) })
		if err := MakeRunDir(dir); err != nil {
			t.Fatal(err)
		}
		l, err := listen(filepath.Join(RunDir(dir), "4194304"+socketSuffix))
		if err != nil {
			t.Fatal(err)
		}
		if RemoveRunDir(dir); dirOf(RunDir(dir)) != dir {
			t.Error("its name was removed before its sockets")
		}
		l.Close()
		if got := dirOf(RunDir(dir)); got != dir {
			t.Errorf("the directory %q is that of %q", dir, got)
		}
		RemoveRunDir(dir)
		if exists(RunDir(dir)) {
			t.Error("it is still there")
		}
	}
}

// TestClose_Shared: where mounts are shared, what lies in those that a view has bound stays when the view goes.
func TestClose_Shared(t *testing.T) {
	if !inside(t) {
		return
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
	const nested = "/dev/shm/nested"
	for _, dir := range []string{"/dev/shm", nested} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount(dir, dir, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	v, err := Build(Options{Dir: newStandIn(t).dir, CopyDev: true, HideLoops: true, Exe: "/bin/true"})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if m, err := mountinfo.At(nested); err != nil || m.Source != nested {
		t.Errorf("on %s is %+v, %v", nested, m, err)
	}
}
