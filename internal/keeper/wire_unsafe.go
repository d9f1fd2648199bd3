package keeper

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// wire sends or receives messages with buffers of its own: package unix would allocate for each. It is used by one goroutine
// at a time, and stays where it was made.
type wire struct {
	hdr  unix.Msghdr
	iov  unix.Iovec
	data [headerLen + maxText]byte
	oob  [8]uint64 // room for a control message with one descriptor, aligned
}

// fdOffset is where a control message has its first descriptor.
var fdOffset = unix.CmsgLen(0)

func (w *wire) prepare(length, control int) {
	w.iov.Base = &w.data[0]
	w.iov.SetLen(length)
	w.hdr = unix.Msghdr{Iov: &w.iov}
	w.hdr.SetIovlen(1)
	if control > 0 {
		w.hdr.Control = (*byte)(unsafe.Pointer(&w.oob[0]))
		w.hdr.SetControllen(control)
	}
}

// send hands a message to the socket. EAGAIN if flags have MSG_DONTWAIT and there is no room.
func (w *wire) send(socket int, m message, flags int) error {
	control := 0
	if m.fd >= 0 {
		control = unix.CmsgSpace(4)
		h := (*unix.Cmsghdr)(unsafe.Pointer(&w.oob[0]))
		h.Level, h.Type = unix.SOL_SOCKET, unix.SCM_RIGHTS
		h.SetLen(unix.CmsgLen(4))
		*(*int32)(unsafe.Add(unsafe.Pointer(&w.oob[0]), fdOffset)) = int32(m.fd)
	}
	w.prepare(m.put(w.data[:]), control)
	for {
		_, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(socket), uintptr(unsafe.Pointer(&w.hdr)), uintptr(flags|unix.MSG_NOSIGNAL))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		case unix.EPIPE, unix.ECONNRESET:
			return ErrLost
		default:
			return errno
		}
	}
}

// receive takes a message from the socket. The descriptor that comes with it is the caller's.
func (w *wire) receive(socket int, m *message, flags int) error {
	for {
		w.prepare(len(w.data), len(w.oob)*8)
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(socket), uintptr(unsafe.Pointer(&w.hdr)), uintptr(flags|unix.MSG_CMSG_CLOEXEC))
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.ECONNRESET, errno == 0 && n == 0: // no message of ours is empty
			return ErrLost
		case errno != 0:
			return errno
		}
		m.fd = w.descriptor()
		if err := m.get(w.data[:n]); err != nil {
			if m.fd >= 0 {
				unix.Close(m.fd)
			}
			return err
		}
		return nil
	}
}

// descriptor is the one that came with the last message, -1 for none.
func (w *wire) descriptor() int {
	if uint64(w.hdr.Controllen) < uint64(unix.CmsgLen(4)) {
		return -1
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&w.oob[0]))
	if h.Level != unix.SOL_SOCKET || h.Type != unix.SCM_RIGHTS {
		return -1
	}
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(&w.oob[0]), fdOffset)))
}
