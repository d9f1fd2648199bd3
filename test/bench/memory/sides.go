package main

import (
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"uzram/alloc"
	"uzram/store"
	"uzram/test/bench/internal/directio"
	"uzram/test/internal/zramdev"
)

// side is one of the two devices that are compared. Between fresh and done it
// is a disk, empty at first, in whole pages of page-aligned memory.
type side interface {
	io.ReaderAt
	io.WriterAt
	fresh(algorithm string, size int64) error
	discard(off, n int64) error
	compact() error
	memory() (zramdev.Memory, error)
	done() error
}

// engineSide is the engine, called directly.
type engineSide struct {
	device  *store.Device
	scratch *store.Scratch
}

func newEngineSide(workers int) (*engineSide, error) {
	crew, err := store.NewWorkers(workers)
	if err != nil {
		return nil, err
	}
	return &engineSide{device: store.NewDevice(crew), scratch: crew.Scratch(0)}, nil
}

func (e *engineSide) fresh(algorithm string, size int64) error {
	if err := e.device.SetAlgorithm(algorithm); err != nil {
		return err
	}
	return e.device.SetDisksize(uint64(size))
}

func (e *engineSide) ReadAt(p []byte, off int64) (int, error) {
	return e.device.ReadAt(e.scratch, p, off)
}

func (e *engineSide) WriteAt(p []byte, off int64) (int, error) {
	return e.device.WriteAt(e.scratch, p, off)
}

func (e *engineSide) discard(off, n int64) error { return e.device.Discard(e.scratch, off, n) }
func (e *engineSide) compact() error             { return e.device.Compact() }
func (e *engineSide) done() error                { return e.device.Reset(0) }

func (e *engineSide) memory() (zramdev.Memory, error) {
	s := e.device.Stats()
	return zramdev.Memory{
		OrigDataSize:  s.OrigDataSize,
		ComprDataSize: s.ComprDataSize,
		MemUsedTotal:  s.MemUsedTotal,
		SamePages:     s.SamePages,
		HugePages:     s.HugePages,
	}, nil
}

// waste is where the pool's bytes go, by its own account.
func (e *engineSide) waste() (w waste, err error) {
	rows, err := e.device.Classes()
	if err != nil {
		return w, err
	}
	w.objects = int(e.device.Stats().ComprDataSize)
	held := 0 // bytes of all objects in use, huge ones included
	for _, r := range rows {
		held += int(r.Used) * r.Size
		w.partial += int(r.Allocated-r.Used) * r.Size
		w.tail += int(r.Pages)*alloc.PageSize - int(r.Allocated)*r.Size
		if r.Size < alloc.PageSize {
			w.headers += int(r.Used) * headerBytes
		}
	}
	w.internal = held - w.headers - w.objects
	return w, nil
}

// kernelSide is a kernel device, by O_DIRECT.
type kernelSide struct {
	*zramdev.Device
	*directio.File // between fresh and done
	control        int
}

func (k *kernelSide) fresh(algorithm string, size int64) (err error) {
	if err = k.Fresh(algorithm, size); err != nil {
		return err
	}
	if k.File, err = directio.Open(k.Path()); err != nil {
		return err
	}
	if k.control, err = unix.Open(k.Path(), unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		k.File.Close()
		return &os.PathError{Op: "open", Path: k.Path(), Err: err}
	}
	return nil
}

func (k *kernelSide) discard(off, n int64) error {
	if err := discard(k.control, off, n); err != nil {
		return &os.PathError{Op: "discard", Path: k.Path(), Err: err}
	}
	return nil
}

func (k *kernelSide) compact() error {
	return os.WriteFile(filepath.Join("/sys/block", filepath.Base(k.Path()), "compact"), []byte("1"), 0)
}

func (k *kernelSide) memory() (zramdev.Memory, error) { return k.Memory() }

func (k *kernelSide) done() error {
	err := unix.Close(k.control)
	if e := k.File.Close(); err == nil {
		err = e
	}
	return err
}
