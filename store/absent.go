package store

import "syscall"

// absentBacking is in place of a backing device whose descriptor a process that
// took over could not have. I/O on it fails, so what lies there is an error until
// it is written or discarded, and nothing is forgotten: the vault has the
// descriptor still, if it ever had, for the next process.
type absentBacking struct {
	path string
	size int64
}

func (b absentBacking) Path() string { return b.path }

func (b absentBacking) Size() int64 { return b.size }

func (b absentBacking) Close() error { return nil }

func (b absentBacking) ReadAt([]byte, int64) (int, error) { return 0, errAbsent }

func (b absentBacking) WriteAt([]byte, int64) (int, error) { return 0, errAbsent }

// errAbsent is ENXIO, as of a device that is gone.
const errAbsent = syscall.ENXIO
