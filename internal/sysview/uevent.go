package sysview

import (
	"bytes"
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// uevent is what the kernel says of a device that comes or goes.
type uevent struct {
	action    string
	path      string // below /sys
	subsystem string
	number    string // MAJ:MIN, "" if it has none
	node      string // below /dev, "" if it has none
	whole     bool
}

// parseUevent reads the kernel's message: "ACTION@PATH" and KEY=VALUE, each with a zero byte at its end.
func parseUevent(message []byte) (e uevent, ok bool) {
	major, minor := "", ""
	for i, field := range bytes.Split(message, []byte{0}) {
		text := string(field)
		if i == 0 {
			if e.action, e.path, ok = strings.Cut(text, "@/"); !ok {
				return e, false
			}
			continue
		}
		key, value, _ := strings.Cut(text, "=")
		switch key {
		case "SUBSYSTEM":
			e.subsystem = value
		case "MAJOR":
			major = value
		case "MINOR":
			minor = value
		case "DEVNAME":
			e.node = value
		case "DEVTYPE":
			e.whole = value == "disk"
		}
	}
	if major != "" && minor != "" {
		e.number = major + ":" + minor
	}
	return e, true
}

// follow does as the kernel says.
func (v *View) follow(e uevent) error {
	if e.action != "add" && e.action != "remove" {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.devices == nil {
		return nil
	}
	if e.subsystem != "block" {
		return v.followNode(e)
	}
	name := path.Base(e.path)
	if e.action == "add" {
		v.kernel[name] = kernelDevice{path: e.path, number: e.number, whole: e.whole}
		return v.showKernel(name)
	}
	if v.shown(name) {
		v.hideKernel(name)
	}
	delete(v.kernel, name)
	return nil
}

// followNode is follow for what has nothing but a node.
func (v *View) followNode(e uevent) error {
	switch {
	case e.node == "" || e.number == "":
		return nil
	case e.action == "remove":
		v.removeCopy(e.node)
		return nil
	}
	return v.copyNode(e.node)
}

// listenUevents opens the kernel's messages.
func listenUevents() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return -1, err
	}
	const kernels = 1
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20) // best effort: then fewer are lost
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernels}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// followKernel follows the kernel until stop, a descriptor, can be read.
func (v *View) followKernel(events, stop int, report func(error)) {
	buf := make([]byte, 64<<10)
	fds := []unix.PollFd{{Fd: int32(events), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			report(err)
			return
		}
		if fds[1].Revents != 0 {
			return
		}
		if fds[0].Revents == 0 {
			continue
		}
		n, from, err := unix.Recvfrom(events, buf, unix.MSG_DONTWAIT)
		switch {
		case err == unix.ENOBUFS:
			report(errors.New("some of the kernel's devices came or went unseen"))
			continue
		case err != nil:
			continue
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 { // only the kernel is believed
			continue
		}
		if e, ok := parseUevent(buf[:n]); ok {
			if err := v.follow(e); err != nil {
				report(err)
			}
		}
	}
}
