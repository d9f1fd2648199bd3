package fusefs

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"uzram/store"
)

// fakeConn is a kernel that takes all answers and keeps the last.
type fakeConn struct {
	requests [][]byte
	sent     int
	last     []byte
	room     [outHeaderLen + maxIO]byte
	fail     error // of every write
}

func (c *fakeConn) read(p []byte) (int, error) {
	if len(c.requests) == 0 {
		return 0, syscall.ENODEV
	}
	r := c.requests[0]
	c.requests = c.requests[1:]
	return copy(p, r), nil
}

func (c *fakeConn) write(p []byte) error {
	c.sent++
	c.last = c.room[:copy(c.room[:], p)]
	return c.fail
}

// bench is a worker on such a connection, with a device of its own.
type bench struct {
	t    testing.TB
	conn *fakeConn
	dev  *store.Device
	disk *disk
	*worker
}

func newBench(t testing.TB) *bench {
	t.Helper()
	all, free, err := newBuffers(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(free)
	return newBenchOn(t, newWorkers(t, 1), all)
}

func newWorkers(t testing.TB, n int) *store.Workers {
	t.Helper()
	workers, err := store.NewWorkers(n)
	if err != nil {
		t.Fatal(err)
	}
	return workers
}

func newBenchOn(t testing.TB, workers *store.Workers, all []buffers) *bench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	b := &bench{t: t, conn: &fakeConn{}, dev: store.NewDevice(workers)}
	state, err := newConnState()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(state.close)
	arena, err := newDeviceArena(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(arena.close)
	m := newMount(Options{Device: b.dev, Workers: workers, Logger: log}, "")
	m.state, m.devices, m.notify = state, newDevices(arena), notifier{b.conn, log}
	state.crew.Store(1)
	if b.disk, err = m.newDisk(b.dev, 0); err != nil {
		t.Fatal(err)
	}
	arena.take(0, 0)
	m.devices.publish(b.disk)
	b.worker = newCrew(b.conn, workers, newTree(m.devices, deviceLayout(blockLayer{}), nil), state, all, log)[0]
	close(b.nodes.ready)
	return b
}

// request is a whole request with the right length in its header.
func request(op opcode, node uint64, args ...any) []byte {
	b := make([]byte, inHeaderLen)
	for _, a := range args {
		switch a := a.(type) {
		case uint32:
			b = binary.NativeEndian.AppendUint32(b, a)
		case uint64:
			b = binary.NativeEndian.AppendUint64(b, a)
		case []byte:
			b = append(b, a...)
		}
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint32(b[4:], uint32(op))
	binary.NativeEndian.PutUint64(b[8:], 7) // unique
	binary.NativeEndian.PutUint64(b[16:], node)
	return b
}

var image = nodeID(0, imageRow)

func readRequest(off uint64, n uint32) []byte {
	return request(opRead, image, uint64(0), off, n, uint32(0), uint64(0), uint32(0), uint32(0))
}

func writeRequest(off uint64, data []byte) []byte {
	return request(opWrite, image, uint64(0), off, uint32(len(data)), uint32(0), uint64(0), uint32(0), uint32(0), data)
}

func fallocRequest(off, n uint64, mode uint32) []byte {
	return request(opFallocate, image, uint64(0), off, n, mode, uint32(0))
}

// do serves one request and returns the errno and the data of the answer.
func (b *bench) do(req []byte) (syscall.Errno, []byte) {
	b.t.Helper()
	b.conn.sent = 0
	b.serve(b.request[:copy(b.request, req)])
	b.nodes.wait()
	if b.conn.sent != 1 {
		b.t.Fatalf("%d answers to a request, want 1", b.conn.sent)
	}
	last := b.conn.last
	if n := binary.NativeEndian.Uint32(last); int(n) != len(last) {
		b.t.Fatalf("an answer of %d bytes says it has %d", len(last), n)
	}
	if unique := binary.NativeEndian.Uint64(last[8:]); unique != 7 {
		b.t.Fatalf("an answer to request %d", unique)
	}
	return replyErrno(last), last[outHeaderLen:]
}

func TestBuffersAreAligned(t *testing.T) {
	b := newBench(t)
	for name, p := range map[string]*byte{
		"data":               &b.data[0],
		"payload of a WRITE": &b.request[inHeaderLen+ioInLen],
		"data of an answer":  &b.answer[outHeaderLen],
	} {
		if off := pageOffset(p); off != 0 {
			t.Errorf("%s lies %d bytes behind a page's start", name, off)
		}
	}
	if len(b.request) != requestLen || len(b.data) != maxIO || cap(b.data) < maxIO+64 {
		t.Errorf("request %d, data %d (%d)", len(b.request), len(b.data), cap(b.data))
	}
}

func TestGreetAgreesOnWhatWasMeasured(t *testing.T) {
	b := newBench(t)
	const all = ^uint32(0)
	b.conn.requests = [][]byte{request(opInit, 0, uint32(7), uint32(45), uint32(1<<17), all, all, make([]byte, 44))}
	if err := b.greet(); err != nil {
		t.Fatal(err)
	}
	out := b.conn.last[outHeaderLen:]
	u16 := func(at int) uint16 { return binary.NativeEndian.Uint16(out[at:]) }
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(out[at:]) }
	want := uint32(fuse.CAP_ASYNC_READ | fuse.CAP_BIG_WRITES | fuse.CAP_ASYNC_DIO | fuse.CAP_MAX_PAGES | fuse.CAP_PARALLEL_DIROPS | fuse.CAP_INIT_EXT | fuse.CAP_ABORT_ERROR)
	if got := u32(12); got != want {
		t.Errorf("capabilities %#x, want %#x", got, want)
	}
	if bg, cong, write, pages := u16(16), u16(18), u32(20), u16(28); bg != 64 || cong != 48 || write != 1<<20 || pages != 256 {
		t.Errorf("max_background %d, congestion %d, max_write %d, max_pages %d", bg, cong, write, pages)
	}
}

func TestGreetRefuses(t *testing.T) {
	for name, req := range map[string][]byte{
		"another request": readRequest(0, 4096),
		"nothing":         {},
		"another major":   request(opInit, 0, uint32(8), uint32(0), uint32(0), uint32(0), make([]byte, 48)),
		"an old minor":    request(opInit, 0, uint32(7), uint32(1), uint32(0), uint32(0), make([]byte, 48)),
	} {
		b := newBench(t)
		b.conn.requests = [][]byte{req}
		if err := b.greet(); err == nil {
			t.Errorf("%s: welcome", name)
		}
	}
	if err := newBench(t).greet(); errnoOf(err) != syscall.ENODEV {
		t.Errorf("no connection: %v", err)
	}
}

func TestServeImage(t *testing.T) {
	b := newBench(t)
	if err := b.dev.SetDisksize(1 << 20); err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("uzram"), 3000)
	for name, c := range map[string]struct {
		req   []byte
		errno syscall.Errno
		data  []byte
	}{
		"write":                     {writeRequest(4000, data), 0, []byte{0x98, 0x3a, 0, 0, 0, 0, 0, 0}},
		"read of nothing":           {readRequest(1<<20, 4096), 0, nil},
		"read at a negative offset": {readRequest(1<<63, 4096), 0, nil},
		"read of too much":          {readRequest(0, maxIO+1), syscall.EINVAL, nil},
		"write past the end":        {writeRequest(1<<20, data), syscall.ENOSPC, nil},
		"write far past the end":    {writeRequest(1<<63, data), syscall.ENOSPC, nil},
		"write cut short":           {writeRequest(0, data)[:inHeaderLen+ioInLen-1], syscall.EIO, nil},
		"read without arguments":    {request(opRead, image), syscall.EINVAL, nil},
		"write without arguments":   {request(opWrite, image), syscall.EINVAL, nil},
		"write of another size":     {request(opWrite, image, make([]byte, 16), uint32(5), make([]byte, 20), data), syscall.EINVAL, nil},
		"lseek without arguments":   {request(opLseek, image), syscall.EINVAL, nil},
		"lseek of another kind":     {request(opLseek, image, uint64(0), uint64(0), uint32(9), uint32(0)), syscall.EINVAL, nil},
		"lseek to a hole":           {request(opLseek, image, uint64(0), uint64(1<<19), uint32(unix.SEEK_HOLE), uint32(0)), 0, []byte{0, 0, 8, 0, 0, 0, 0, 0}},
		"fallocate, no arguments":   {request(opFallocate, image), syscall.EINVAL, nil},
		"fallocate, negative":       {fallocRequest(1<<63, 1, punchHole), syscall.EINVAL, nil},
		"fallocate, plain":          {fallocRequest(0, 4096, 0), syscall.EOPNOTSUPP, nil},
		"fsync":                     {request(opFsync, image, make([]byte, 16)), 0, nil},
		"unknown node":              {request(opRead, 12345, make([]byte, 40)), syscall.ENODEV, nil},
		"unknown opcode":            {request(4000, rootID), syscall.ENOSYS, nil},
	} {
		errno, got := b.do(c.req)
		if errno != c.errno || !bytes.Equal(got, c.data) {
			t.Errorf("%s: %v, %x; want %v, %x", name, errno, got, c.errno, c.data)
		}
	}
	if errno, got := b.do(writeRequest(4000, data)); errno != 0 {
		t.Errorf("write: %v, %x", errno, got)
	}
	if errno, got := b.do(readRequest(4000, uint32(len(data)))); errno != 0 || !bytes.Equal(got, data) {
		t.Errorf("read: %v, equal %v", errno, bytes.Equal(got, data))
	}
	if errno, _ := b.do(fallocRequest(5000, 1<<40, punchHole)); errno != 0 {
		t.Errorf("punch: %v", errno)
	}
	if _, got := b.do(readRequest(4000, 5000)); !bytes.Equal(got, append(data[:1000:1000], make([]byte, 4000)...)) {
		t.Error("punching left something else")
	}
}

// A process that takes the connection over is asked for nodes that the kernel
// knows from the one before it.
func TestServeFindsNodesByID(t *testing.T) {
	b := newBench(t)
	for _, row := range []uint64{imageRow, debugRow, deviceRows[0].id, debugRows[0].id} {
		errno, entry := b.do(request(opLookup, nodeID(0, row), []byte(".\x00")))
		if errno != 0 || binary.NativeEndian.Uint64(entry) != nodeID(0, row) {
			t.Errorf("row %d: %v, %x", row, errno, entry)
		}
		if errno, _ := b.do(request(opGetattr, nodeID(0, row), make([]byte, 16))); errno != 0 {
			t.Errorf("row %d: attributes: %v", row, errno)
		}
	}
	if errno, _ := b.do(request(opLookup, nodeID(0, 99), []byte(".\x00"))); errno != syscall.ESTALE {
		t.Errorf("a node that there is not: %v", errno)
	}
}

// What has no answer gets none, and a client that has gone away disturbs nobody.
func TestServeAnswersNobodyWhoDoesNotWait(t *testing.T) {
	b := newBench(t)
	for name, req := range map[string][]byte{
		"interrupt":    request(opInterrupt, 0, uint64(3)),
		"forget":       request(opForget, rootID, uint64(0)),
		"batch forget": request(opBatchForget, 0, uint32(0), uint32(0)),
		"bad forget":   request(opForget, 999, uint64(1)),
		"short":        make([]byte, inHeaderLen-1),
		"empty":        {},
	} {
		b.conn.sent = 0
		b.serve(b.request[:copy(b.request, req)])
		if b.conn.sent != 0 {
			t.Errorf("%s is answered", name)
		}
	}
	for _, err := range []error{syscall.ENOENT, syscall.ENODEV} {
		b.conn.fail = err
		b.do(readRequest(0, 4096))
		b.do(request(opRead, nodeID(0, 16), make([]byte, 40)))
	}
}

// Who waits for an answer that the kernel does not take, or sent a request that
// came in part, gets an error.
func TestServeLeavesNobodyWaiting(t *testing.T) {
	b := newBench(t)
	b.conn.fail = syscall.EINVAL
	for name, req := range map[string][]byte{
		"image":        readRequest(0, 4096),
		"control file": request(opRead, nodeID(0, 16), make([]byte, 40)),
		"cut":          readRequest(0, 4096)[:16],
	} {
		b.serve(b.request[:copy(b.request, req)])
		b.nodes.wait()
		if errno := replyErrno(b.conn.last); errno != syscall.EIO || len(b.conn.last) != outHeaderLen {
			t.Errorf("%s: the last answer is %v", name, errno)
		}
	}
}

func TestRunEndsWithTheConnection(t *testing.T) {
	b := newBench(t)
	b.conn.requests = [][]byte{readRequest(0, 4096), {}, readRequest(0, 4096)}
	if err := b.run(); err != nil || b.conn.sent != 2 {
		t.Errorf("%v after %d answers", err, b.conn.sent)
	}
	for err, want := range map[error]outcome{
		syscall.EINTR: again, syscall.EAGAIN: again, syscall.ENOENT: again, syscall.ENODEV: closed, syscall.ECONNABORTED: aborted, syscall.EINVAL: aborted,
	} {
		if got := readOutcome(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// An image request must not allocate on the Go heap: a daemon that serves swap
// would need memory in order to give memory.
func TestServeAllocatesNothing(t *testing.T) {
	b := newBench(t)
	if err := b.dev.SetDisksize(64 << 20); err != nil {
		t.Fatal(err)
	}
	text := bytes.Repeat([]byte("not much to say here. "), maxIO/22+1)[:maxIO]
	noise := make([]byte, maxIO)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(r.Uint32())
	}
	measure := func(name string, runs int, req []byte) {
		// AllocsPerRun serves once before it counts, so what grows on first use has its size.
		serve := func() { b.serve(b.request[:copy(b.request, req)]) }
		least := testing.AllocsPerRun(runs, serve)
		for try := 0; least > 0 && try < 4; try++ { // the device's goroutines allocate once, when they first wait
			least = min(least, testing.AllocsPerRun(runs, serve))
		}
		if least != 0 {
			t.Errorf("%s: %v allocations", name, least)
		}
		if errno := replyErrno(b.conn.last); errno != 0 {
			t.Errorf("%s: %v", name, errno)
		}
	}
	for name, data := range map[string][]byte{"text": text, "noise": noise, "zeros": make([]byte, maxIO)} {
		for size, c := range map[string]struct{ n, runs int }{"a page": {pageSize, 100}, "1 MiB": {maxIO, 5}, "part of a page": {1000, 100}} {
			measure("WRITE of "+name+", "+size, c.runs, writeRequest(0, data[:c.n]))
			measure("READ of "+name+", "+size, c.runs, readRequest(0, uint32(c.n)))
		}
	}
	measure("READ of nothing", 5, readRequest(32<<20, maxIO))
	measure("FALLOCATE", 100, fallocRequest(0, maxIO, punchHole))
	measure("FSYNC", 100, request(opFsync, image, make([]byte, 16)))
}

// FuzzServe feeds the worker anything. Whatever it is, the loop goes on, and
// who waits for an answer gets one.
func FuzzServe(f *testing.F) {
	for _, req := range [][]byte{
		nil, make([]byte, 40), readRequest(0, 4096), writeRequest(100, []byte("data")), fallocRequest(0, 8192, punchHole),
		request(opLseek, image, uint64(0), uint64(0), uint32(3), uint32(0)),
		request(opInit, 0, uint32(7), uint32(45), make([]byte, 56)),
		request(opLookup, rootID, []byte("disksize\x00")),
		request(opGetattr, nodeID(0, 16), make([]byte, 16)),
		request(opOpen, nodeID(0, 16), make([]byte, 8)),
		request(opRead, nodeID(0, 16), uint64(1), uint64(0), ^uint32(0), uint32(0), make([]byte, 16)),
		request(opWrite, nodeID(0, 16), uint64(1), uint64(0), uint32(2), uint32(0), make([]byte, 16), []byte("4K")),
		request(opReaddir, rootID, uint64(1), uint64(0), ^uint32(0), uint32(0), make([]byte, 16)),
		request(opForget, image, uint64(1)), request(opBatchForget, 0, uint32(9), uint32(0), make([]byte, 32)),
		request(opGetxattr, image, ^uint32(0), uint32(0), []byte("user.x\x00")), request(opStatfs, image), request(38, 0),
	} {
		f.Add(req, true)
	}
	workers := newWorkers(f, 1)
	all, free, err := newBuffers(1)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(free)
	f.Fuzz(func(t *testing.T, req []byte, rightLength bool) {
		b := newBenchOn(t, workers, all)
		if err := b.dev.SetDisksize(64 << 10); err != nil {
			t.Fatal(err)
		}
		defer b.dev.Reset(1 << 30)
		for _, name := range []string{"image", "disksize", "debug"} {
			b.do(request(opLookup, rootID, []byte(name+"\x00")))
		}
		b.do(request(opOpen, nodeID(0, 16), uint32(unix.O_RDWR), uint32(0))) // handle 1
		if n := len(req); rightLength && n >= inHeaderLen {
			binary.NativeEndian.PutUint32(req, uint32(n))
		}
		b.conn.sent = 0
		b.serve(b.request[:copy(b.request, req)])
		b.nodes.wait()
		h, ok := parseHeader(req)
		if want := ok && h.opcode.hasReply(); want != (b.conn.sent >= 1) {
			t.Errorf("%d answers to %q", b.conn.sent, req)
		}
		b.do(readRequest(0, 4096))
	})
}
