package fusefs

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/internal/fusermount"
	"uzram/internal/mountinfo"
)

const fuseDevice = "/dev/fuse"

// mount mounts on dir and returns the connection: by mount(2) where that is
// allowed, else with the helper for ordinary users.
func mount(dir string, o Options) (fuseConn, error) {
	if os.Geteuid() == 0 && !o.helped {
		c, err := mountDirect(dir, o.AllowOther)
		if !errors.Is(err, syscall.EPERM) {
			return c, err
		}
	}
	return mountHelped(dir, o.AllowOther)
}

// options are those of both ways to mount.
func options(allowOther bool) string {
	o := fmt.Sprintf("default_permissions,max_read=%d", maxIO)
	if allowOther {
		o += ",allow_other"
	}
	return o
}

func mountDirect(dir string, allowOther bool) (fuseConn, error) {
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", fuseDevice, err)
	}
	data := fmt.Sprintf("fd=%d,rootmode=%o,user_id=%d,group_id=%d,%s",
		fd, unix.S_IFDIR, os.Geteuid(), os.Getegid(), options(allowOther))
	err = unix.Mount(mountinfo.Source, dir, mountinfo.Type, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, data)
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("mount: %w", err)
	}
	return fuseConn(fd), nil
}

// mountHelped has fusermount3 mount; it sends the connection over a socket.
func mountHelped(dir string, allowOther bool) (fuseConn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socketpair: %w", err)
	}
	defer unix.Close(pair[0])
	_, subtype, _ := strings.Cut(mountinfo.Type, ".")
	o := fmt.Sprintf("fsname=%s,subtype=%s,nosuid,nodev,noexec,%s", mountinfo.Source, subtype, options(allowOther))
	err = fusermount.Run(pair[1], "-o", o, "--", dir)
	unix.Close(pair[1])
	if err != nil {
		return -1, err
	}
	fd, err := receiveFD(pair[0])
	if err != nil {
		return -1, fmt.Errorf("%s sent no connection: %w", fusermount.Name, err)
	}
	return fuseConn(fd), nil
}

// receiveFD takes one descriptor from a socket.
func receiveFD(socket int) (int, error) {
	var data [8]byte
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, data[:], control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return -1, fmt.Errorf("%d control messages: %w", len(messages), syscall.EPROTO)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return -1, fmt.Errorf("%d descriptors: %w", len(fds), syscall.EPROTO)
	}
	return fds[0], nil
}
