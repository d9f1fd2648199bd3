package main

import (
	"io"

	"uzram/store"
	"uzram/test/bench/internal/directio"
	"uzram/test/internal/zramdev"
)

// side is one of the two devices that are compared. Between fresh and done it
// is an empty disk at first, in 1 MiB requests of page-aligned memory.
type side interface {
	io.ReaderAt
	io.WriterAt
	fresh(algorithm string, size int64) error
	memory() (zramdev.Memory, error)
	done() error
}

// engineSide is the engine, called directly.
type engineSide struct {
	device  *store.Device
	scratch *store.Scratch
}

func newEngineSide() (*engineSide, error) {
	crew, err := store.NewWorkers(1)
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

func (e *engineSide) done() error { return e.device.Reset(0) }

// kernelSide is a kernel device, by O_DIRECT.
type kernelSide struct {
	*zramdev.Device
	*directio.File // between fresh and done
}

func (k *kernelSide) fresh(algorithm string, size int64) (err error) {
	if err = k.Fresh(algorithm, size); err != nil {
		return err
	}
	k.File, err = directio.Open(k.Path())
	return err
}

func (k *kernelSide) memory() (zramdev.Memory, error) { return k.Memory() }

func (k *kernelSide) done() error { return k.File.Close() }
