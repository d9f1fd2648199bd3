package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"uzram/internal/ctldir"
	"uzram/internal/zramabi"

	"golang.org/x/sys/unix"
)

// What a directory of many devices has, ours or the kernel's /sys.
const (
	blockDir      = "block"
	hotAdd        = "class/zram-control/hot_add"
	hotRemove     = "class/zram-control/hot_remove"
	kernelControl = "/sys"
)

// isMulti says whether dir has the shape of /sys with many devices. A dead mount has none.
func isMulti(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, hotAdd))
	return err == nil
}

// deviceName is the name of a device within block.
func deviceName(number int) string { return zramabi.DeviceName(uint64(number)) }

// deviceNumber reads what deviceName gives.
func deviceNumber(name string) (number int, ok bool) {
	n, ok := zramabi.DeviceNumber(name)
	return int(n), ok
}

// numbersIn returns the numbers of the devices in a directory of devices, ascending.
func numbersIn(block string) (numbers []int, err error) {
	entries, err := os.ReadDir(block)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if n, ok := deviceNumber(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// multiArg returns a directory of many devices: that of a mount --multi, or /sys.
func multiArg(arg string) (ctldir.Dir, error) {
	dir := arg
	if filepath.Clean(arg) != kernelControl {
		var err error
		if dir, err = mounted(arg); err != nil {
			return ctldir.Dir{}, err
		}
		if _, err := os.Lstat(filepath.Join(dir, hotAdd)); isDead(err) {
			return ctldir.Dir{}, deadOr(arg, err)
		}
	}
	if !isMulti(dir) {
		return ctldir.Dir{}, usagef("%s has no class/zram-control; accepted is the directory of a uzram mount --multi", arg)
	}
	return ctldir.Open(dir), nil
}

// deviceArg returns the control directory of the one device that arg names: a mount of one device, or DIR/block/zramN of
// many; the kernel's are in /sys.
func deviceArg(arg string) (ctldir.Dir, error) {
	path, err := filepath.Abs(arg)
	if err != nil {
		return ctldir.Dir{}, err
	}
	block, name := filepath.Split(path)
	if _, named := deviceNumber(name); named && filepath.Base(block) == blockDir {
		return numberedDevice(arg, filepath.Dir(filepath.Clean(block)), name)
	}
	if path, err = mounted(arg); err != nil {
		return ctldir.Dir{}, err
	}
	if isMulti(path) {
		return ctldir.Dir{}, usagef("%s has many devices; name one of them, as in %s/block/zram0", arg, arg)
	}
	return ctldir.Open(path), nil
}

// numberedDevice is the device called name in a directory of many.
func numberedDevice(arg, dir, name string) (ctldir.Dir, error) {
	if dir != kernelControl {
		var err error
		if dir, err = mounted(dir); err != nil {
			return ctldir.Dir{}, err
		}
	}
	path := filepath.Join(dir, blockDir, name)
	if _, err := os.Lstat(path); errors.Is(err, unix.ENOENT) {
		return ctldir.Dir{}, withCode(exitNotMounted, errors.New(arg+" is not there: no device has that number"))
	}
	return ctldir.Open(path), nil
}

// deviceOf is the control directory of a device.
func deviceOf(multi ctldir.Dir, number int) ctldir.Dir {
	return ctldir.Open(multi.Path() + "/" + blockDir + "/" + deviceName(number))
}

// secondName is the other name of the image of a device of many by its control directory, "" if that is no such device's.
func secondName(path string) string {
	block, name := filepath.Split(path)
	if _, named := deviceNumber(name); !named || filepath.Base(block) != blockDir {
		return ""
	}
	return filepath.Join(block, "../dev", name)
}
