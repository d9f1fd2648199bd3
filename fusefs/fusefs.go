package fusefs

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"uzram/internal/fusermount"
	"uzram/internal/mountinfo"
	"uzram/internal/status"
	"uzram/store"
)

// Options say what to mount and where.
type Options struct {
	Dir        string // an existing directory
	AllowOther bool   // let other users in, as far as modes allow
	Loop       bool   // attach a loop device to the image
	Workers    *store.Workers
	Device     *store.Device
	Version    string                                 // shown in debug/status
	Guards     func() []status.Guard                  // shown in debug/status; nil = none
	Control    func(verb string, args []string) error // verbs of debug/control; an unknown one wraps EINVAL; nil = none
	Logger     *slog.Logger                           // nil = discard

	helped bool // mount with the helper even where it is not needed
}

// Mount is a mounted device. Its methods may be called concurrently.
type Mount struct {
	dir   string // absolute, without symbolic links
	dev   uint64 // device number of the mount: no other has it as long as this one lives
	conn  fuseConn
	disk  *disk
	log   *slog.Logger
	free  func() // gives the buffers back
	done  chan struct{}
	endMu sync.Mutex // one Unmount at a time

	err error // why serving ended; written before done is closed
}

// New mounts a device and serves it. When it returns, the mount answers, and the
// loop device is attached if one was asked for. On an error nothing stays
// behind; the error wraps a syscall.Errno.
func New(o Options) (*Mount, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := canonical(o.Dir)
	if err != nil {
		return nil, err
	}
	buffers, free, err := newBuffers(o.Workers.Len())
	if err != nil {
		return nil, err
	}
	c, err := mount(dir, o)
	if err != nil {
		free()
		return nil, err
	}
	m := &Mount{dir: dir, conn: c, log: o.Logger, free: free, done: make(chan struct{})}
	if shown, err := mountinfo.Find(dir); err == nil {
		m.dev = shown.Dev
	} else {
		m.abandon()
		return nil, fmt.Errorf("look for the mount: %w", err)
	}
	m.disk = m.newDisk(o)
	crew := newCrew(c, o.Workers, []*disk{m.disk}, newDeviceDir(m.disk), buffers, o.Logger)
	if err := crew[0].greet(); err != nil {
		m.abandon()
		return nil, err
	}
	m.start(crew)
	if o.Loop {
		if err := m.attach(); err != nil {
			return nil, m.giveUp(err)
		}
	}
	return m, nil
}

// canonical is the name that the kernel will show for dir.
func canonical(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	return abs, err
}

func (m *Mount) newDisk(o Options) *disk {
	d := &disk{
		dev:     o.Device,
		io:      newIOStats(o.Workers.Len()),
		notify:  notifier{m.conn, o.Logger},
		log:     o.Logger,
		control: o.Control,
	}
	d.about = func() status.Status {
		st := status.Status{
			Version:   o.Version,
			WorkerPID: os.Getpid(),
			Dir:       m.dir,
			Image:     m.image(),
			Transport: m.Transport(),
			Workers:   o.Workers.Len(),
			Guards:    []status.Guard{},
		}
		if o.Guards != nil {
			st.Guards = o.Guards()
		}
		return st
	}
	return d
}

// start lets all workers serve. What the connection needed is given back when
// nobody can use it any more: an answer written late, to a descriptor whose
// number means something else by then, would be a disaster.
func (m *Mount) start(crew []*worker) {
	var wg sync.WaitGroup
	errs := make([]error, len(crew))
	for i, w := range crew {
		wg.Go(func() { errs[i] = w.run() })
	}
	go func() {
		wg.Wait()
		crew[0].nodes.wait()
		m.err = errors.Join(errs...)
		m.close()
		close(m.done)
	}()
}

func (m *Mount) close() {
	unix.Close(int(m.conn))
	m.free()
}

// abandon takes down a mount that is not served yet.
func (m *Mount) abandon() {
	// Without a connection nobody can be waited for, so this cannot hang.
	m.close()
	if err := fusermount.Unmount(m.dir, fusermount.Lazily); err != nil {
		m.log.Error("the mount stays behind", "dir", m.dir, "reason", err)
	}
}

// giveUp unmounts because of an error, which it returns.
func (m *Mount) giveUp(err error) error {
	if m.Unmount() != nil { // somebody looks into it already: it ends with its last user
		return errors.Join(err, fusermount.Unmount(m.dir, fusermount.Lazily))
	}
	_ = m.Wait() // nobody used the mount yet: the error that counts is err
	return err
}

// Transport names the way in which requests travel.
func (m *Mount) Transport() string { return "classic" }

// LoopPath is the name of the mount's own loop device, "" if it has none.
func (m *Mount) LoopPath() string {
	if loop := m.disk.loop.Load(); loop != nil {
		return loop.Path()
	}
	return ""
}

// Wait returns when the connection has ended: nil if it was unmounted, else why
// it broke.
func (m *Mount) Wait() error {
	<-m.done
	return m.err
}

// image is the name of the disk's file.
func (m *Mount) image() string { return filepath.Join(m.dir, "image") }
