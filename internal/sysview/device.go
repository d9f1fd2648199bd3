package sysview

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Device is a device of the mount.
type Device struct {
	Name         string // zramN
	Major, Minor uint32 // of its loop device; 0, 0 without one
}

// number is the device number as sysfs writes it, "" if there is none.
func (d Device) number() string {
	if d.Major == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", d.Major, d.Minor)
}

// present lists the devices of the mount that a view may show. One that goes in this moment is left out.
func (v *View) present() ([]Device, error) {
	all, err := scan(v.o.Dir)
	return slices.DeleteFunc(all, func(d Device) bool { return v.verify(d) != nil }), err
}

// verify sees to it that the number of a device is that of a loop device on its image. The mount may be anybody's, and a
// node must not lead to another disk because a file of it says so.
func (v *View) verify(d Device) error {
	st, err := os.Lstat(filepath.Join(v.o.Dir, sysBlock, d.Name))
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s in %s is no directory", d.Name, v.o.Dir)
	}
	if d.number() == "" {
		return nil
	}
	image := filepath.Join(v.o.Dir, sysBlock, d.Name, "image")
	text, err := os.ReadFile(filepath.Join(v.origin.virtual.path(), v.origin.loop(d.number()), "loop/backing_file"))
	if err != nil || strings.TrimSuffix(string(text), "\n") != image {
		return fmt.Errorf("%s: device %s is no loop device on %s", d.Name, d.number(), image)
	}
	return nil
}

// scan lists the devices of the mount on dir.
func scan(dir string) ([]Device, error) {
	entries, err := os.ReadDir(filepath.Join(dir, sysBlock))
	if err != nil {
		return nil, err
	}
	var all []Device
	for _, e := range entries {
		if !zramName.MatchString(e.Name()) {
			continue
		}
		d := Device{Name: e.Name()}
		text, err := os.ReadFile(filepath.Join(dir, sysBlock, e.Name(), "dev"))
		switch {
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ESTALE):
			continue // removed meanwhile
		case err != nil:
			return nil, err
		}
		if d.Major, d.Minor, err = parseNumber(strings.TrimSpace(string(text))); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		all = append(all, d)
	}
	return all, nil
}

// parseNumber reads MAJ:MIN.
func parseNumber(text string) (major, minor uint32, err error) {
	a, b, ok := strings.Cut(text, ":")
	x, err1 := strconv.ParseUint(a, 10, 32)
	y, err2 := strconv.ParseUint(b, 10, 32)
	if !ok || err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("%q is no device number", text)
	}
	return uint32(x), uint32(y), nil
}

// Add shows a device that the mount has now.
func (v *View) Add(d Device) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.devices == nil { // it is going
		return nil
	}
	if old, ok := v.devices[d.Name]; ok {
		if old == d {
			return nil
		}
		if err := v.unmake(d.Name); err != nil {
			return err
		}
	}
	if err := v.verify(d); err != nil {
		return err
	}
	v.take(d)
	v.hideKernel(d.Name)
	if loop := v.loopOf(d); loop != "" && v.o.HideLoops {
		v.hideKernel(loop)
	}
	if err := v.show(d); err != nil {
		return errors.Join(err, v.unmake(d.Name))
	}
	return nil
}

// Remove takes a device out of the view; one that it does not show is no error.
func (v *View) Remove(name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.devices == nil { // it is going
		return nil
	}
	if _, ok := v.devices[name]; !ok {
		return nil
	}
	return v.unmake(name)
}

// leave takes all devices out of the view.
func (v *View) leave() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var errs []error
	for name := range v.devices {
		errs = append(errs, v.unmake(name))
	}
	return errors.Join(errs...)
}

// take notes that the mount has a device.
func (v *View) take(d Device) {
	v.devices[d.Name] = d
	if d.number() == "" {
		return
	}
	loop := v.origin.loop(d.number())
	if loop == "" {
		return
	}
	v.loops[loop] = d.Name
	if _, known := v.kernel[loop]; !known {
		v.kernel[loop] = kernelDevice{path: path.Join(virtualBlock, loop), number: d.number(), whole: true}
	}
}

// loopOf returns the name of the loop device behind a device that was taken, "" if none.
func (v *View) loopOf(d Device) string {
	for loop, name := range v.loops {
		if name == d.Name {
			return loop
		}
	}
	return ""
}

// show makes all that there is of a device that was taken.
func (v *View) show(d Device) error {
	dir := v.sys(virtualBlock, d.Name)
	if err := bindDir(unix.AT_FDCWD, filepath.Join(v.o.Dir, sysBlock, d.Name), dir); err != nil {
		return err
	}
	if err := v.link(d.Name, kernelDevice{path: path.Join(virtualBlock, d.Name), number: d.number(), whole: true}); err != nil {
		return err
	}
	if d.number() == "" {
		return nil
	}
	if err := v.makeNode(d); err != nil {
		return err
	}
	return v.makeRecord(d)
}

// unmake removes all that there may be of a device, and shows what it had taken the place of.
func (v *View) unmake(name string) error {
	d := v.devices[name]
	loop := v.loopOf(d)
	v.unlink(name, d.number())
	dir := v.sys(virtualBlock, name)
	var errs []error
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		errs = append(errs, &os.PathError{Op: "unmount", Path: dir, Err: err})
	}
	os.Remove(dir)
	v.removeNode(d)
	v.removeRecord(d)
	delete(v.devices, name)
	delete(v.loops, loop)
	for _, hidden := range []string{name, loop} {
		if hidden != "" && len(v.covers) > 0 {
			errs = append(errs, v.showKernel(hidden))
		}
	}
	return errors.Join(errs...)
}

// link makes the links to a device.
func (v *View) link(name string, d kernelDevice) error {
	var errs []error
	if d.whole {
		errs = append(errs, setLink("../"+d.path, v.sys(sysBlock, name)))
	}
	errs = append(errs, setLink("../../"+d.path, v.sys(classBlock, name)))
	if d.number != "" {
		errs = append(errs, setLink("../../"+d.path, v.sys(devBlock, d.number)))
	}
	return errors.Join(errs...)
}

// unlink removes the links to a device. That of its number is left to a device that has it now.
func (v *View) unlink(name, number string) {
	os.Remove(v.sys(sysBlock, name))
	os.Remove(v.sys(classBlock, name))
	if number == "" {
		return
	}
	at := v.sys(devBlock, number)
	if text, err := os.Readlink(at); err == nil && path.Base(text) == name {
		os.Remove(at)
	}
}

// hideKernel takes a device of the kernel's out of the view. The directory of a loop device stays.
func (v *View) hideKernel(name string) {
	d, ok := v.kernel[name]
	if !ok {
		return
	}
	v.unlink(name, d.number)
	if !v.isLoop(name) && path.Dir(d.path) == virtualBlock {
		dir := v.sys(virtualBlock, name)
		_ = unix.Unmount(dir, unix.MNT_DETACH)
		os.Remove(dir)
	}
	v.removeCopy(devName(name))
}

// showKernel puts a device of the kernel's into the view, if it is there and to be seen.
func (v *View) showKernel(name string) error {
	d, ok := v.kernel[name]
	if !ok || !v.shown(name) {
		return nil
	}
	if path.Dir(d.path) == virtualBlock {
		dir := v.sys(virtualBlock, name)
		if _, err := os.Lstat(filepath.Join(dir, "uevent")); err != nil {
			if err := bindDir(v.origin.virtual.fd(), name, dir); err != nil {
				return ignoreGone(err)
			}
		}
	}
	if v.isLoop(name) { // its number is that of the device on it
		d.number = ""
	}
	if err := v.link(name, d); err != nil {
		return err
	}
	return v.copyNode(devName(name))
}

// devName is a device's name below /dev.
func devName(name string) string { return strings.ReplaceAll(name, "!", "/") }

// ignoreGone is for what the kernel may take away at any time.
func ignoreGone(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}
