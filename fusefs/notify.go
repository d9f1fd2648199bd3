package fusefs

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"syscall"
)

// Codes of notifications.
const (
	notifyInvalInode = 2
	notifyInvalEntry = 3
	notifyStore      = 4
	notifyRetrieve   = 5
	notifyResend     = 7
)

// notifier tells the kernel what it could not know. It may wait for the kernel,
// and the kernel for the mount, so no worker may call it.
type notifier struct {
	conn conn
	log  *slog.Logger
}

// resized makes the kernel forget a file's size and everything it has cached of
// it, then has it take the new one at once if the file grew.
//
// Forgetting is enough for every open and stat to come. It is not enough for a
// descriptor that is open already: an asynchronous direct read compares with the
// remembered size without asking, and returns 0 at once. No notification sets a
// size, but storing the last byte of the file into the page cache makes the
// kernel extend it; that byte is thrown away again with the rest.
func (n notifier) resized(node uint64, size int64) {
	if size > 0 {
		n.send(notifyStore, storeOut(node, uint64(size-1), []byte{0}))
	}
	n.send(notifyInvalInode, invalInodeOut(node, 0, 0))
}

// removed makes the kernel forget a name in a directory, which is answered with
// ENOENT by now.
func (n notifier) removed(dir uint64, name string) {
	b := binary.NativeEndian.AppendUint64(nil, dir)
	b = binary.NativeEndian.AppendUint32(b, uint32(len(name)))
	b = binary.NativeEndian.AppendUint32(b, 0)
	n.send(notifyInvalEntry, append(append(b, name...), 0))
}

// resend makes the kernel send again what it has sent and not had answered.
func (n notifier) resend() { n.send(notifyResend, nil) }

// retrieveOut asks for no byte of what is cached of a node.
func retrieveOut(node uint64) []byte {
	b := binary.NativeEndian.AppendUint64(nil, 0) // names the answer, of which there may be many
	b = binary.NativeEndian.AppendUint64(b, node)
	return append(b, make([]byte, 16)...) // offset, size, padding
}

// invalInodeOut forgets the attributes of a node, and what is cached of its
// contents from offset on, n bytes, 0 = all.
func invalInodeOut(node uint64, offset, n int64) []byte {
	b := binary.NativeEndian.AppendUint64(nil, node)
	b = binary.NativeEndian.AppendUint64(b, uint64(offset))
	return binary.NativeEndian.AppendUint64(b, uint64(n))
}

// storeOut puts data into the page cache of a node.
func storeOut(node, offset uint64, data []byte) []byte {
	b := binary.NativeEndian.AppendUint64(nil, node)
	b = binary.NativeEndian.AppendUint64(b, offset)
	b = binary.NativeEndian.AppendUint32(b, uint32(len(data)))
	b = binary.NativeEndian.AppendUint32(b, 0)
	return append(b, data...)
}

func (n notifier) send(code int32, body []byte) {
	// ENOENT: the kernel does not know the node, so there is nothing to forget.
	// ENODEV: it has forgotten the whole mount.
	if err := n.try(code, body); err != nil && !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENODEV) {
		n.log.Warn("notification not taken", "code", code, "reason", err)
	}
}

func (n notifier) try(code int32, body []byte) error {
	msg := make([]byte, outHeaderLen, outHeaderLen+len(body))
	putOutHeader(msg, outHeaderLen+len(body), code, 0)
	return n.conn.write(append(msg, body...))
}
