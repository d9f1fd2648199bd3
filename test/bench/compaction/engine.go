package main

import (
	"context"

	"uzram/store"
	"uzram/test/bench/internal/undo"
)

const (
	faceEngine = "engine"
	faceMount  = "mount"
)

var faceNames = []string{faceEngine, faceMount}

// faces make an empty disk each.
var faces = map[string]func(context.Context, options, *undo.Stack) (disk, error){
	faceEngine: newEngine,
	faceMount:  newMount,
}

// engine is a device in process.
type engine struct {
	device  *store.Device
	scratch *store.Scratch
}

func newEngine(_ context.Context, o options, cleanup *undo.Stack) (disk, error) {
	crew, err := store.NewWorkers(1)
	if err != nil {
		return nil, err
	}
	e := &engine{device: store.NewDevice(crew), scratch: crew.Scratch(0)}
	if err := e.device.SetAlgorithm(o.algorithm); err != nil {
		return nil, err
	}
	if err := e.device.SetDisksize(uint64(o.size)); err != nil {
		return nil, err
	}
	cleanup.Push("reset the device", func() error { return e.device.Reset(0) })
	return e, nil
}

func (e *engine) ReadAt(p []byte, off int64) (int, error) { return e.device.ReadAt(e.scratch, p, off) }

func (e *engine) WriteAt(p []byte, off int64) (int, error) {
	return e.device.WriteAt(e.scratch, p, off)
}

func (e *engine) discard(off, n int64) error { return e.device.Discard(e.scratch, off, n) }
func (e *engine) compact() error             { return e.device.Compact() }

func (e *engine) compacted() (uint64, error) { return e.device.Stats().PagesCompacted, nil }
