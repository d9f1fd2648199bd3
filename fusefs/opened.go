package fusefs

import (
	"bytes"
	"sync"
	"syscall"

	"uzram/internal/zramabi"
)

// opened is one open of a control file. read, write and flush run beside the
// workers and may wait for the mount; several may run at once. Errors are
// answered by the errno that they wrap.
//
// Nothing of it outlives the process. For a descriptor that was opened before
// this process took over, it is made anew at the first request that comes: a file
// that keeps a state between requests finds itself asked for an offset at which
// it does not stand, or flushed with nothing written, and has to say EIO then.
type opened interface {
	// read fills dest (up to maxIO bytes for a stream, maxReply for others) from
	// offset off on and returns how much of it; 0 is the end.
	read(dest []byte, off int64) (int, error)
	// write takes data (up to maxIO bytes for a stream, MaxWrite for others), which
	// is the callee's until it returns, and returns how many bytes it took.
	write(data []byte, off int64) (int, error)
	// flush is close(2) of one of the descriptors that share the open; what it
	// returns, close returns.
	flush() error
	// release is the end; nothing else runs any more, and nobody waits for it.
	release()
}

// readOnly is what an open has that cannot be written and holds nothing.
type readOnly struct{}

func (readOnly) write([]byte, int64) (int, error) { return 0, syscall.EBADF }
func (readOnly) flush() error                     { return nil }
func (readOnly) release()                         {}

// textFile is one open of a file that is read and written as a whole.
type textFile struct {
	disk *disk
	row  *row
	here bool // opened in this process; immutable

	mu    sync.Mutex
	text  []byte // what is being read, guarded by mu
	fresh bool   // text is there, guarded by mu
}

// read makes the text anew at offset 0 and serves the rest from it, so that a
// reader in pieces sees one text and a re-reader from the start a new one.
func (f *textFile) read(dest []byte, off int64) (int, error) {
	if f.row.show == nil && f.row.make == nil {
		return 0, syscall.EBADF
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if off != 0 && !f.fresh && !f.here {
		// The beginning was of a text that is gone; nearly always it was the
		// whole, and this asks whether there is more.
		return 0, nil
	}
	if f.row.make != nil && !f.fresh {
		return 0, nil
	}
	if f.row.make == nil && (off == 0 || !f.fresh) {
		text, err := f.row.show(f.disk, f.text[:0])
		f.text, f.fresh = text, err == nil
		if err != nil {
			return 0, err
		}
	}
	if off < 0 || off >= int64(len(f.text)) {
		return 0, nil
	}
	return copy(dest, f.text[off:]), nil
}

// make is a read of at most n bytes from offset 0 on of a file that makes something
// by it.
func (f *textFile) make(n int, e *journalEntry) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := f.row.make(e)
	f.text, f.fresh = text, err == nil
	return min(n, len(text)), err
}

func (f *textFile) write(data []byte, _ int64) (int, error) { return f.command(data, &journalEntry{}) }

// command takes the data, cut at MaxWrite bytes, as one command, wherever the
// descriptor stands. As in C a command ends at its first NUL.
func (f *textFile) command(data []byte, e *journalEntry) (int, error) {
	data = data[:min(len(data), zramabi.MaxWrite)]
	text, _, _ := bytes.Cut(data, []byte{0})
	if err := f.row.run(f.disk, string(text), e); err != nil {
		if f.disk != nil {
			f.disk.log.Debug("refused", "file", f.row.abi.Name, "reason", err)
		}
		return 0, err
	}
	return len(data), nil
}

func (f *textFile) flush() error { return nil }
func (f *textFile) release()     {}

// run carries out a command.
func (r *row) run(d *disk, text string, e *journalEntry) error {
	switch {
	case r.once != nil:
		return r.once(d, text, e)
	case r.store != nil:
		return r.store(d, text)
	}
	return syscall.EBADF
}

// opened is a fresh open of the row's file.
func (r *row) opened(d *disk) (opened, error) {
	if r.open != nil {
		return r.open(d)
	}
	return &textFile{disk: d, row: r}, nil
}

// mayOpen enforces the mode for root too, who passes the kernel's own check.
func (r *row) mayOpen(flags uint32) bool {
	access := flags & syscall.O_ACCMODE
	return (access == syscall.O_WRONLY || r.abi.Readable()) && (access == syscall.O_RDONLY || r.abi.Writable())
}
