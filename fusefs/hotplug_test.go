package fusefs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMulti_Shape(t *testing.T) {
	s := multi(t, serverConfig{})
	for dir, want := range map[string]string{
		"": "block class debug dev", "class": "zram-control", "class/zram-control": "hot_add hot_remove",
		"block": "", "dev": "", "debug": "control status",
	} {
		if got := s.names(dir); got != want {
			t.Errorf("%s/: %q, want %q", dir, got, want)
		}
	}
	s.add("0")
	s.add("1")
	if block, dev := s.names("block"), s.names("dev"); block != "zram0 zram1" || dev != block {
		t.Errorf("block %q, dev %q", block, dev)
	}
	var image, name unix.Stat_t
	if err := unix.Stat(s.path("block/zram1/image"), &image); err != nil {
		t.Fatal(err)
	}
	if err := unix.Stat(s.path("dev/zram1"), &name); err != nil || image.Ino != name.Ino || name.Nlink != 2 || name.Mode&0o777 != 0o600 {
		t.Errorf("dev/zram1: %+v, %v; block/zram1/image: %+v", name, err, image)
	}
	if to, err := os.Readlink(s.path("block/zram1/subsystem")); err != nil || filepath.Base(to) != "block" {
		t.Errorf("subsystem: %q, %v", to, err)
	}
	for file, want := range map[string]string{
		"dev": "0:0\n", "range": "1\n", "hidden": "0\n", "queue/logical_block_size": "4096\n", "queue/rotational": "0\n",
		"queue/discard_max_bytes": "2199023255040\n", "queue/stable_writes": "1\n", "inflight": "        0         0\n",
		"uevent": "MAJOR=0\nMINOR=0\nDEVNAME=zram1\nDEVTYPE=disk\n",
	} {
		if got := s.read("block/zram1/" + file); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	if err := s.try("block/zram1/uevent", "change\n"); err != nil {
		t.Errorf("uevent: %v", err)
	}
	if err := s.try("block/zram1/uevent", "nonsense"); err != unix.EINVAL {
		t.Errorf("uevent: %v", err)
	}
	if st := s.status(); !st.Multi || st.Dir != s.dir || len(st.Devices) != 2 || st.Devices[1].Dir != s.path("block/zram1") {
		t.Errorf("%+v", st)
	}
	for _, d := range []string{"0", "1"} {
		if err := s.remove(d); err != nil {
			t.Error(err)
		}
	}
}

func TestMulti_HotRemove(t *testing.T) {
	s := multi(t, serverConfig{})
	for _, n := range []string{"0", "1", "2"} {
		s.add(n)
	}
	for text, want := range map[string]error{
		"9": unix.ENODEV, "65536": unix.ENODEV, "2147483647": unix.ENODEV, "2147483648": unix.ERANGE, "x": unix.EINVAL, "-1": unix.EINVAL,
	} {
		if err := s.remove(text); err != want {
			t.Errorf("hot_remove %q: %v, want %v", text, err, want)
		}
	}
	s.set("block/zram1/disksize", "1M")
	image := s.open("dev/zram1", unix.O_RDWR)
	if err := pwrite(image, 3, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.remove("1"); err != unix.EBUSY {
		t.Errorf("with the image open: %v", err)
	}
	checkPage(t, image, 3, 1)
	stat, dir := s.open("block/zram1/mm_stat", unix.O_RDONLY), s.open("block/zram1", unix.O_RDONLY|unix.O_DIRECTORY)
	defer unix.Close(dir)
	unix.Close(image)
	if err := s.remove("1"); err != nil {
		t.Fatalf("initialised and closed: %v", err)
	}
	if names := s.names("block"); names != "zram0 zram2" {
		t.Errorf("left are %q", names)
	}
	if _, err := unix.Pread(stat, make([]byte, 100), 0); err != unix.ENODEV {
		t.Errorf("a file that was open: %v", err)
	}
	unix.Close(stat)
	if fd, err := unix.Openat(dir, "disksize", unix.O_RDONLY, 0); err != unix.ESTALE && err != unix.ENOENT {
		t.Errorf("a directory that was open has a file: %d, %v", fd, err)
	}
	if _, err := os.Lstat(s.path("block/zram1/disksize")); !os.IsNotExist(err) {
		t.Errorf("a name that was known: %v", err)
	}
	s.add("1")
	if got := s.read("block/zram1/disksize"); got != "0\n" {
		t.Errorf("the next device of that number has disksize %q", got)
	}
	if fd, err := unix.Openat(dir, "disksize", unix.O_RDONLY, 0); err != unix.ESTALE && err != unix.ENOENT {
		t.Errorf("the directory of the one before shows it: %d, %v", fd, err)
	}
}

// A device goes though somebody is writing a snapshot into it, who gets an error.
func TestMulti_RemoveBesideRestore(t *testing.T) {
	s := multi(t, serverConfig{})
	s.add("0")
	s.add("1")
	s.set("block/zram0/disksize", "8M")
	image := s.open("dev/zram0", unix.O_RDWR)
	defer unix.Close(image)
	data := pages(t, 4<<20)
	rand.NewChaCha8([32]byte{}).Read(data)
	if n, err := unix.Pwrite(image, data, 0); n != len(data) || err != nil {
		t.Fatal(n, err)
	}
	from := s.open("block/zram0/debug/snapshot", unix.O_RDONLY)
	defer unix.Close(from)
	part := make([]byte, 64<<10)
	if n, err := unix.Read(from, part); n != len(part) || err != nil {
		t.Fatal(n, err)
	}
	to := s.open("block/zram1/debug/restore", unix.O_WRONLY)
	if n, err := unix.Write(to, part); n != len(part) || err != nil {
		t.Fatal(n, err)
	}
	if err := s.remove("1"); err != nil {
		t.Error(err)
	}
	if n, err := unix.Write(to, part); err == nil {
		t.Errorf("%d bytes more are taken for a device that is gone", n)
	}
	unix.Close(to)
	s.add("1")
	if got := s.read("block/zram1/initstate"); got != "0\n" {
		t.Errorf("the next one has initstate %q", got)
	}
}

// Each read from the beginning makes a device, and the rest of a read goes on with
// the number.
func TestMulti_HotAdd(t *testing.T) {
	s := multi(t, serverConfig{})
	fd := s.open("class/zram-control/hot_add", unix.O_RDONLY)
	defer unix.Close(fd)
	if got := pread(t, fd, 1, 0) + pread(t, fd, 10, 1) + pread(t, fd, 10, 2); got != "0\n" {
		t.Errorf("in pieces: %q", got)
	}
	if got := pread(t, fd, 10, 0); got != "1\n" {
		t.Errorf("again: %q", got)
	}
	if err := s.try("class/zram-control/hot_add", "1"); err != unix.EACCES {
		t.Errorf("a write: %v", err)
	}
	if _, err := unix.Open(s.path("class/zram-control/hot_remove"), unix.O_RDONLY, 0); err != unix.EACCES {
		t.Errorf("a read of hot_remove: %v", err)
	}
	if names := s.names("dev"); names != "zram0 zram1" {
		t.Errorf("devices %q", names)
	}
}

// A failing hook undoes what it was told of.
func TestMulti_Hook(t *testing.T) {
	hook := filepath.Join(t.TempDir(), "told")
	s := multi(t, serverConfig{Hook: hook, Loop: true})
	s.add("0")
	if err := s.remove("0"); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(hook); string(text) != "add zram0 7\nremove zram0 7\n" {
		t.Errorf("told %q", text)
	}
	s.add("0")
	if err := os.WriteFile(hook, []byte("fail\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	adding := s.open("class/zram-control/hot_add", unix.O_RDONLY)
	if _, err := unix.Pread(adding, make([]byte, 10), 0); err != unix.EIO {
		t.Errorf("hot_add with a failing hook: %v", err)
	}
	unix.Close(adding)
	if err := s.remove("0"); err != unix.EIO {
		t.Errorf("hot_remove with a failing hook: %v", err)
	}
	if names := s.names("block"); names != "zram0" {
		t.Errorf("devices %q", names)
	}
	if text, _ := os.ReadFile(hook); string(text) != "fail\nadd zram1 7\nremove zram1 7\nremove zram0 7\n" {
		t.Errorf("told %q", text)
	}
	s.set("block/zram0/disksize", "1M") // it is as it was
	if err := os.Remove(hook); err != nil {
		t.Fatal(err)
	}
	if err := s.remove("0"); err != nil {
		t.Error(err)
	}
}

// With loop devices of the mount's own it is these that must not be in use; a mere
// open by another program is a use too, as it is of a block device of the kernel's.
func TestMulti_Loop(t *testing.T) {
	s := multi(t, serverConfig{Loop: true})
	s.add("0")
	var major, minor int
	if _, err := fmt.Sscanf(s.read("block/zram0/dev"), "%d:%d\n", &major, &minor); err != nil || major != 7 {
		t.Fatalf("dev %d:%d, %v", major, minor, err)
	}
	loop := *s.status().Devices[0].Loop
	s.set("block/zram0/disksize", "3M")
	if n := capacity(t, loop); n != 3<<20 {
		t.Errorf("%s has %d bytes", loop, n)
	}
	if got := s.read("block/zram0/queue/logical_block_size"); got != "4096\n" {
		t.Errorf("logical_block_size %q", got)
	}
	s.set("block/zram0/queue/read_ahead_kb", "64")
	if got := s.read("block/zram0/queue/read_ahead_kb"); got != "64\n" {
		t.Errorf("read_ahead_kb %q", got)
	}
	for what, flags := range map[string]int{"held exclusively": unix.O_RDWR | unix.O_EXCL, "open": unix.O_RDONLY} {
		fd, err := unix.Open(loop, flags|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.remove("0"); err != unix.EBUSY {
			t.Errorf("with the loop device %s: %v", what, err)
		}
		unix.Close(fd)
		if got := s.read("block/zram0/dev"); !strings.HasPrefix(got, "7:") {
			t.Errorf("after the loop device was %s: dev %q", what, got)
		}
	}
	s.set("block/zram0/reset", "1")
	if n := capacity(t, loop); n != 0 {
		t.Errorf("%s has %d bytes after a reset", loop, n)
	}
	eventually(t, "the device is removed", func() bool { return s.remove("0") == nil })
	if _, err := os.Lstat(filepath.Join("/sys/block", filepath.Base(loop), "loop/backing_file")); err == nil {
		t.Errorf("%s is still attached", loop)
	}
}

// Many at a time come and go, beside readers of everything.
func TestMulti_Crowd(t *testing.T) {
	s := multi(t, serverConfig{Workers: 4})
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, dir := range []string{"block", "dev"} {
					entries, err := os.ReadDir(s.path(dir))
					if err != nil {
						t.Error(err)
						return
					}
					for _, e := range entries {
						_, _ = os.ReadFile(s.path("block/" + e.Name() + "/mm_stat"))
						_, _ = os.ReadFile(s.path("block/" + e.Name() + "/debug/status"))
						var st unix.Statfs_t
						_ = unix.Statfs(s.path("dev/"+e.Name()), &st)
					}
				}
				s.status()
			}
		})
	}
	for range 4 {
		writers.Go(func() {
			for range 30 {
				text, err := os.ReadFile(s.path("class/zram-control/hot_add"))
				if err != nil {
					t.Error(err)
					return
				}
				number := strings.TrimSpace(string(text))
				if err := s.try("block/zram"+number+"/disksize", "64K"); err != nil {
					t.Errorf("%s: %v", number, err)
				}
				if err := s.remove(number); err != nil {
					t.Errorf("%s: %v", number, err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if names := s.names("block"); names != "" {
		t.Errorf("left are %q", names)
	}
}
