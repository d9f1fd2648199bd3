package fusefs

import (
	"encoding/binary"
	"syscall"
)

// The parts of the FUSE protocol (7.x, little or big endian as the machine) that
// are served without go-fuse. Lengths are in bytes.

type opcode uint32

const (
	opLookup      opcode = 1
	opForget      opcode = 2
	opGetattr     opcode = 3
	opOpen        opcode = 14
	opRead        opcode = 15
	opWrite       opcode = 16
	opStatfs      opcode = 17
	opRelease     opcode = 18
	opFsync       opcode = 20
	opGetxattr    opcode = 22
	opListxattr   opcode = 23
	opFlush       opcode = 25
	opInit        opcode = 26
	opOpendir     opcode = 27
	opReaddir     opcode = 28
	opReleasedir  opcode = 29
	opFsyncdir    opcode = 30
	opInterrupt   opcode = 36
	opNotifyReply opcode = 41
	opBatchForget opcode = 42
	opFallocate   opcode = 43
	opReaddirplus opcode = 44
	opLseek       opcode = 46
)

// hasReply reports whether the kernel waits for an answer.
func (o opcode) hasReply() bool {
	return o != opForget && o != opBatchForget && o != opInterrupt && o != opNotifyReply
}

const (
	inHeaderLen  = 40
	ioInLen      = 40 // read_in and write_in
	fallocInLen  = 32
	lseekInLen   = 24
	outHeaderLen = 16
	writeOutLen  = 8
	openOutLen   = 16

	// rootID is the node id of a mount's root.
	rootID = 1
)

// inHeader is what every request begins with.
type inHeader struct {
	length uint32 // of the whole request
	opcode opcode
	unique uint64 // names the request in its answer
	node   uint64
}

// parseHeader reads the header of a request; ok is false if b holds none.
func parseHeader(b []byte) (h inHeader, ok bool) {
	if len(b) < inHeaderLen {
		return h, false
	}
	return inHeader{
		length: binary.NativeEndian.Uint32(b),
		opcode: opcode(binary.NativeEndian.Uint32(b[4:])),
		unique: binary.NativeEndian.Uint64(b[8:]),
		node:   binary.NativeEndian.Uint64(b[16:]),
	}, true
}

// parseUnique reads what names a request that was cut within its header. 0 names
// none: an answer to it would be a notification.
func parseUnique(b []byte) (unique uint64, ok bool) {
	if len(b) < 16 {
		return 0, false
	}
	unique = binary.NativeEndian.Uint64(b[8:])
	return unique, unique != 0
}

// ioIn is the common part of read_in and write_in.
type ioIn struct {
	offset uint64
	size   uint32
}

// parseIO reads the arguments of a READ or WRITE; ok is false if they are cut.
func parseIO(args []byte) (in ioIn, ok bool) {
	if len(args) < ioInLen {
		return in, false
	}
	return ioIn{binary.NativeEndian.Uint64(args[8:]), binary.NativeEndian.Uint32(args[16:])}, true
}

// parseHandle reads the file handle that most requests of an open file begin
// with; ok is false if there is none.
func parseHandle(args []byte) (handle uint64, ok bool) {
	if len(args) < 8 {
		return 0, false
	}
	return binary.NativeEndian.Uint64(args), true
}

// putOpenOut writes the answer to an OPEN and returns its length, 0 if it is an
// error.
func putOpenOut(b []byte, handle uint64, flags uint32, errno syscall.Errno) int {
	if errno != 0 {
		return 0
	}
	binary.NativeEndian.PutUint64(b, handle)
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], 0)
	return openOutLen
}

// sizeAt is where the size stands in a READ, READDIR or GETXATTR request.
func sizeAt(o opcode) int {
	if o == opGetxattr || o == opListxattr {
		return inHeaderLen
	}
	return inHeaderLen + 16
}

// limitSize lowers the number of bytes that a request asks for to limit.
func limitSize(req []byte, o opcode, limit uint32) {
	if at := sizeAt(o); len(req) >= at+4 {
		binary.NativeEndian.PutUint32(req[at:], min(limit, binary.NativeEndian.Uint32(req[at:])))
	}
}

type fallocIn struct {
	offset, length uint64
	mode           uint32
}

func parseFalloc(args []byte) (in fallocIn, ok bool) {
	if len(args) < fallocInLen {
		return in, false
	}
	return fallocIn{
		offset: binary.NativeEndian.Uint64(args[8:]),
		length: binary.NativeEndian.Uint64(args[16:]),
		mode:   binary.NativeEndian.Uint32(args[24:]),
	}, true
}

type lseekIn struct {
	offset uint64
	whence uint32
}

func parseLseek(args []byte) (in lseekIn, ok bool) {
	if len(args) < lseekInLen {
		return in, false
	}
	return lseekIn{binary.NativeEndian.Uint64(args[8:]), binary.NativeEndian.Uint32(args[16:])}, true
}

// putOutHeader writes the header of an answer of length bytes, or, with unique
// 0, of a notification whose code is status.
func putOutHeader(b []byte, length int, status int32, unique uint64) {
	binary.NativeEndian.PutUint32(b, uint32(length))
	binary.NativeEndian.PutUint32(b[4:], uint32(status))
	binary.NativeEndian.PutUint64(b[8:], unique)
}

// agreedIn are the capabilities in an answer to INIT: 32 bits and, behind them, 32
// more.
func agreedIn(out []byte) uint64 {
	if len(out) < 36 {
		return 0
	}
	return uint64(binary.NativeEndian.Uint32(out[12:])) | uint64(binary.NativeEndian.Uint32(out[32:]))<<32
}

// replyErrno is the errno that an answer carries.
func replyErrno(b []byte) syscall.Errno {
	return syscall.Errno(-int32(binary.NativeEndian.Uint32(b[4:])))
}
