package fusefs

import (
	"io"
	"sync"
	"sync/atomic"
	"syscall"

	"uzram/internal/snapshot"
)

// restoreFile is one open of debug/restore. A snapshot is written to it in
// order; the first close after its end says what came of it. A close before that
// is an error and ends nothing, since descriptors are shared: what was written is
// forgotten only when all of them are closed.
type restoreFile struct {
	disk *disk

	mu  sync.Mutex
	pos int64       // guarded by mu
	job *restoreJob // nil before the first write, guarded by mu
}

func openRestore(d *disk) (opened, error) { return &restoreFile{disk: d}, nil }

func (f *restoreFile) read([]byte, int64) (int, error) { return 0, syscall.EBADF }

func (f *restoreFile) write(data []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if off != f.pos {
		return 0, errNotInTurn
	}
	if f.job == nil {
		f.job = newRestoreJob(f.disk)
	}
	if err := f.job.take(data); err != nil {
		return 0, err
	}
	f.pos += int64(len(data))
	return len(data), nil
}

func (f *restoreFile) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.job == nil {
		return snapshot.ErrTruncated
	}
	return f.job.judge()
}

func (f *restoreFile) release() {
	if f.job != nil {
		f.job.endInput()
		<-f.job.done
	}
}

// restoreJob is a snapshot on its way into the device, on a goroutine of its own.
type restoreJob struct {
	in       chan []byte   // what is being written, the writer's until it is taken
	taken    chan struct{} // receives when more is wanted
	end      chan struct{} // closed when no more will come
	gone     chan struct{} // closed when the device is removed
	endOnce  sync.Once
	complete atomic.Bool   // all has come but the end
	done     chan struct{} // closed when the device is set up, and all know its size, or it failed
	err      error         // valid then

	rest []byte // the goroutine's
	any  bool   // the goroutine's: rest was given
}

func newRestoreJob(d *disk) *restoreJob {
	j := &restoreJob{
		in: make(chan []byte), taken: make(chan struct{}, 1),
		end: make(chan struct{}), gone: d.users.closing, done: make(chan struct{}),
	}
	if !d.users.enter() {
		j.err = errGone
		close(j.done)
		return j
	}
	go func() {
		defer close(j.done)
		defer d.users.leave()
		if j.err = d.dev.Restore(j, func() { j.complete.Store(true) }); j.err != nil {
			d.log.Error("snapshot not restored", "reason", j.err)
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.refresh()
	}()
	return j
}

// Read gives what is being written.
func (j *restoreJob) Read(p []byte) (int, error) {
	for len(j.rest) == 0 {
		if j.any {
			j.any = false
			j.taken <- struct{}{}
		}
		select {
		case j.rest = <-j.in:
			j.any = true
		case <-j.end:
			return 0, io.EOF
		case <-j.gone:
			return 0, errGone
		}
	}
	n := copy(p, j.rest)
	j.rest = j.rest[n:]
	return n, nil
}

// take returns when all of data was dealt with.
func (j *restoreJob) take(data []byte) error {
	select {
	case j.in <- data:
		select {
		case <-j.taken:
			return nil
		case <-j.done:
		}
	case <-j.done:
	}
	if j.err != nil {
		return j.err
	}
	return syscall.EINVAL // the device is set up already
}

// judge says what came of a snapshot that is complete.
func (j *restoreJob) judge() error {
	select {
	case <-j.done:
		return j.err
	default:
	}
	if !j.complete.Load() {
		return snapshot.ErrTruncated
	}
	j.endInput()
	<-j.done
	return j.err
}

func (j *restoreJob) endInput() { j.endOnce.Do(func() { close(j.end) }) }
