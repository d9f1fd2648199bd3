package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// listedDevice is a device that list may show.
type listedDevice struct {
	name  string // as shown: /dev/zramN, or the control directory
	dir   ctldir.Dir
	block []string // block devices that the disk can be used through: its own one first
	loop  string   // its own loop device, "" if there is none
}

const sysBlock = kernelControl + "/" + blockDir

// allDevices returns the kernel's devices, then those of all uzram mounts. A device that is to be found under several names
// is there once. What could not be looked into is told, too.
func allDevices() (list []listedDevice, problems []error) {
	numbers, err := numbersIn(sysBlock)
	if err != nil {
		problems = append(problems, err)
	}
	for _, n := range numbers {
		list = append(list, kernelDevice(n))
	}
	mounts, err := mountinfo.Uzram()
	if err != nil {
		problems = append(problems, err)
	}
	for _, m := range mounts {
		found, err := mountedDevices(m.Point)
		if err != nil {
			problems = append(problems, err)
		}
		list = append(list, found...)
	}
	return onceEach(list), problems
}

func kernelDevice(number int) listedDevice {
	name := deviceName(number)
	return listedDevice{
		name: "/dev/" + name, dir: ctldir.Open(filepath.Join(sysBlock, name)), block: []string{"/dev/" + name},
	}
}

// mountedDevices returns the devices of the uzram mounted on dir; of a bind mount of something within one, the device that
// it is, if it is one.
func mountedDevices(dir string) ([]listedDevice, error) {
	if isMulti(dir) {
		numbers, err := numbersIn(filepath.Join(dir, blockDir)) // the kernel may remember names of a dead mount
		var list []listedDevice
		for _, n := range numbers {
			list = append(list, uzramDevice(filepath.Join(dir, blockDir, deviceName(n))))
		}
		return list, deadOr(dir, err)
	}
	switch _, err := os.Lstat(filepath.Join(dir, "disksize")); {
	case isDead(err):
		return nil, deadOr(dir, err)
	case errors.Is(err, unix.EACCES):
		return nil, fmt.Errorf("%s is another user's mount, which you may not look into", dir)
	case err != nil:
		return nil, nil
	}
	return []listedDevice{uzramDevice(dir)}, nil
}

// uzramDevice is the device whose control directory is dir.
func uzramDevice(dir string) listedDevice {
	d := listedDevice{name: dir, dir: ctldir.Open(dir), loop: ownBlockDevice(ctldir.Open(dir))}
	if d.loop != "" {
		d.block = append(d.block, d.loop)
	}
	return d
}

// ownBlockDevice returns the name of the block device whose number the attribute dev has, "" if there is none.
func ownBlockDevice(dir ctldir.Dir) string {
	text, err := dir.Read("dev")
	if err != nil {
		return ""
	}
	link, err := os.Readlink(filepath.Join(kernelControl, "dev/block", strings.TrimSpace(text)))
	if err != nil {
		return ""
	}
	return "/dev/" + filepath.Base(link)
}

// onceEach keeps the first of each device. The same file of the same file system is the same device.
func onceEach(list []listedDevice) (kept []listedDevice) {
	type identity struct{ dev, ino uint64 }
	seen := map[identity]bool{}
	for _, d := range list {
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(d.dir.Path(), "disksize"), &st); err == nil {
			id := identity{st.Dev, st.Ino}
			if seen[id] {
				continue
			}
			seen[id] = true
		}
		kept = append(kept, d)
	}
	return kept
}

// namedDevices returns the devices that an argument of list names: /dev/zramN, a control directory, or a directory of many.
func namedDevices(arg string) ([]listedDevice, error) {
	path, err := filepath.Abs(arg) // in /sys/block are links
	if err != nil {
		return nil, err
	}
	name := filepath.Base(path)
	if n, ok := deviceNumber(name); ok && (filepath.Dir(path) == "/dev" || filepath.Dir(path) == sysBlock) {
		if _, err := os.Lstat(filepath.Join(sysBlock, name)); err != nil {
			return nil, withCode(exitNotMounted, fmt.Errorf("%s: there is no such device", arg))
		}
		return []listedDevice{kernelDevice(n)}, nil
	}
	if path, err = canonical(arg); err != nil {
		return nil, err
	}
	if _, err := mountinfo.Find(path); err == nil {
		return mountedDevices(path)
	}
	dir, err := deviceArg(arg)
	if err != nil {
		return nil, err
	}
	return []listedDevice{uzramDevice(dir.Path())}, nil
}

// uses tells where block devices are in use.
type uses struct {
	mounts []mountinfo.Mount
	swaps  map[uint64]bool     // by device number
	loops  map[string][]string // by the file that they are attached to
}

// findUses looks at all mounts, swap spaces and loop devices.
func findUses() (*uses, error) {
	u := &uses{swaps: map[uint64]bool{}, loops: map[string][]string{}}
	var err error
	if u.mounts, err = mountinfo.All(); err != nil {
		return nil, err
	}
	attached, err := loopdev.FindInside("")
	if err != nil {
		return nil, err
	}
	for _, a := range attached {
		u.loops[a.File] = append(u.loops[a.File], a.Loop)
	}
	text, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return u, nil // a kernel without swap space
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 {
			if number := blockNumber(f[0]); number != 0 {
				u.swaps[number] = true
			}
		}
	}
	return u, nil
}

// blockNumber returns the number of a block device by its name, 0 if it is none.
func blockNumber(path string) uint64 {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return 0
	}
	return st.Rdev
}

// of returns where a device is mounted, swapMark for swap space, "" if it is not in use.
func (u *uses) of(d listedDevice) string {
	blocks := d.block
	if len(blocks) == 0 { // one that the user attached
		for _, image := range d.images() {
			blocks = append(blocks, u.loops[image]...)
		}
	}
	for _, b := range blocks {
		number := blockNumber(b)
		if number == 0 {
			continue
		}
		if u.swaps[number] {
			return swapMark
		}
		for _, m := range u.mounts {
			if m.Dev == number || m.Source == b { // the number of a btrfs is its own
				return m.Point
			}
		}
	}
	return ""
}

// images are the names of the disk's image: of many devices each has two.
func (d listedDevice) images() []string {
	names := []string{filepath.Join(d.dir.Path(), "image")}
	if second := secondName(d.dir.Path()); second != "" {
		names = append(names, second)
	}
	return names
}

// swapMark stands for the mount point of swap space.
const swapMark = "[SWAP]"
