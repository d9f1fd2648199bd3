package fusefs

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// snapshotFile is one open of debug/snapshot. The moment that it shows is that of
// the first read; it is read once, from its beginning to its end.
type snapshotFile struct {
	readOnly
	disk *disk

	mu   sync.Mutex
	pos  int64        // guarded by mu
	rest []byte       // read from here on, guarded by mu
	made *snapshotJob // nil before the first read, guarded by mu
}

func openSnapshot(d *disk) (opened, error) { return &snapshotFile{disk: d}, nil }

// errNotInTurn is for who does not go on where he stood, or where a process
// before this one stood.
var errNotInTurn = syscall.EIO

func (f *snapshotFile) read(dest []byte, off int64) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if off != f.pos {
		return 0, errNotInTurn
	}
	if f.made == nil {
		f.made = newSnapshotJob(f.disk)
	}
	for n < len(dest) && err == nil {
		if len(f.rest) == 0 {
			f.rest, err = f.made.next()
		}
		k := copy(dest[n:], f.rest)
		f.rest = f.rest[k:]
		n += k
	}
	f.pos += int64(n)
	if err == io.EOF || n > 0 {
		err = nil // of an error, the next read will tell
	}
	return n, err
}

func (f *snapshotFile) release() {
	if f.made != nil {
		f.made.abort(nil)
		<-f.made.done
	}
}

// snapshotJob is a snapshot being made on a goroutine of its own, a little ahead
// of who reads it.
type snapshotJob struct {
	full, free chan []byte
	last       []byte        // handed out, guarded by the reader's lock
	gone       chan struct{} // closed when nobody reads any more, or it failed
	goneOnce   sync.Once
	done       chan struct{} // closed at the end
	err        error         // valid then
}

// jobBuffers is how many parts may lie between maker and reader.
const jobBuffers = 2

func newSnapshotJob(d *disk) *snapshotJob {
	j := &snapshotJob{
		full: make(chan []byte, jobBuffers), free: make(chan []byte, jobBuffers),
		gone: make(chan struct{}), done: make(chan struct{}),
	}
	for range jobBuffers {
		j.free <- nil
	}
	if !d.users.enter() {
		j.err = errGone
		close(j.done)
		return j
	}
	go func() {
		defer close(j.done)
		defer d.users.leave()
		j.err = d.dev.Snapshot(d.about().Version, j, j.abort)
		if j.err != nil && !errors.Is(j.err, errReaderGone) {
			d.log.Error("no snapshot", "reason", j.err)
		}
	}()
	return j
}

var errReaderGone = errors.New("nobody reads the snapshot any more")

// Write takes a part as soon as there is room.
func (j *snapshotJob) Write(p []byte) (int, error) {
	select {
	case b := <-j.free:
		j.full <- append(b[:0], p...)
		return len(p), nil
	case <-j.gone:
		return 0, errReaderGone
	}
}

func (j *snapshotJob) abort(error) { j.goneOnce.Do(func() { close(j.gone) }) }

// next is the next part, valid until the call after it; io.EOF at the end.
func (j *snapshotJob) next() ([]byte, error) {
	if j.last != nil {
		j.free <- j.last
		j.last = nil
	}
	select {
	case j.last = <-j.full:
		return j.last, nil
	case <-j.done:
	}
	select {
	case j.last = <-j.full: // both were true
		return j.last, nil
	default:
	}
	if j.err != nil {
		return nil, j.err
	}
	return nil, io.EOF
}
