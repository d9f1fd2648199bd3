package fusefs

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/internal/fusermount"
	"uzram/internal/mountinfo"
	"uzram/internal/offheap"
	"uzram/internal/status"
	"uzram/store"
)

// Options say what to mount and where.
type Options struct {
	Dir        string // an existing directory
	AllowOther bool   // let other users in, as far as modes allow
	Loop       bool   // attach a loop device to the image
	Swap       bool   // shown in debug/status: the loop device is swap space that goes with the mount
	Workers    *store.Workers
	Device     *store.Device
	Version    string                                 // shown in debug/status
	Guards     func() []status.Guard                  // shown in debug/status; nil = none
	Control    func(verb string, args []string) error // verbs of debug/control; an unknown one wraps EINVAL; nil = none
	Keeper     func(*status.Status)                   // fills in what debug/status shows of the keeper; nil = there is none
	Kept       func(*atomic.Uint64)                   // called before anything is served, with a word that is the caller's and outlives his process; nil = no use
	Vault      store.Vault                            // keeps the mount for a process that comes after this one; nil = it ends with this one
	Logger     *slog.Logger                           // nil = discard

	helped bool            // mount with the helper even where it is not needed
	wrap   func(conn) conn // stands between the workers and the kernel; nil = nothing
}

// Mount is a mounted device. Its methods may be called concurrently.
type Mount struct {
	dir     string // absolute, without symbolic links
	conn    fuseConn
	state   *connState
	buffers *offheap.Arena // the workers'
	gate    *turnstile     // the workers'
	nodes   *nodeServer    // the workers'
	vault   store.Vault    // nil = none
	disk    *disk
	log     *slog.Logger
	done    chan struct{}
	device  uint64 // number of the mount; no other has it as long as this one lives

	endMu  sync.Mutex // who uses state or conn from outside a request, Unmount among them, holds it
	closed bool       // they are gone; guarded by endMu

	err error // why serving ended; written before done is closed
}

// New mounts a device and serves it. When it returns, the mount answers, and the
// loop device is attached if one was asked for. On an error nothing stays
// behind; the error wraps a syscall.Errno.
func New(o Options) (*Mount, error) {
	dir, err := canonical(o.Dir)
	if err != nil {
		return nil, err
	}
	m, err := prepare(o, dir)
	if err != nil {
		return nil, err
	}
	if m.conn, err = mount(dir, o); err != nil {
		m.conn = -1
		m.withdraw()
		m.close()
		return nil, err
	}
	shown, err := mountinfo.Find(dir)
	if err != nil {
		m.abandon()
		return nil, fmt.Errorf("look for the mount: %w", err)
	}
	m.device = shown.Dev
	m.state.setMounted(dir, shown.Dev)
	if err := m.hold(heldConnection, int(m.conn)); err != nil {
		m.abandon()
		return nil, err
	}
	crew := m.newCrew(o)
	if err := crew[0].greet(); err != nil {
		m.abandon()
		return nil, err
	}
	close(crew[0].nodes.ready)
	m.start(crew)
	if o.Loop {
		if err := m.whileOpen(m.attach); err != nil {
			return nil, m.giveUp(err)
		}
	}
	return m, nil
}

// prepare makes what a mount needs before there is a connection.
func prepare(o Options, dir string) (m *Mount, err error) {
	if n := o.Workers.Len(); n > maxShares {
		return nil, fmt.Errorf("%d workers: a mount has at most %d: %w", n, maxShares, syscall.EINVAL)
	}
	m = newMount(o, dir)
	if m.state, err = newConnState(); err != nil {
		return nil, err
	}
	if m.buffers, err = newBufferArena(o.Workers.Len()); err == nil {
		if err = m.hold(heldState, m.state.arena.FD()); err == nil {
			err = m.hold(heldBuffers, m.buffers.FD())
		}
	}
	if err != nil {
		m.withdraw()
		m.close()
		return nil, err
	}
	return m, nil
}

func newMount(o Options, dir string) *Mount {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Mount{dir: dir, conn: -1, vault: o.Vault, log: log, done: make(chan struct{})}
}

// newCrew makes the disk and the workers, in the state and the buffers that there
// are.
func (m *Mount) newCrew(o Options) []*worker {
	m.disk = m.newDisk(o)
	if o.Kept != nil {
		o.Kept(&m.state.kept)
	}
	c := conn(m.conn)
	if o.wrap != nil {
		c = o.wrap(c)
	}
	crew := newCrew(c, o.Workers, []*disk{m.disk}, newDeviceDir(m.disk), m.state, buffersIn(m.buffers), m.log)
	m.gate, m.nodes = crew[0].gate, crew[0].nodes
	return crew
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
		io:      ioStatsIn(m.state, o.Workers.Len()),
		state:   m.state,
		notify:  notifier{m.conn, m.log},
		log:     m.log,
		control: o.Control,
	}
	d.about = func() status.Status {
		st := status.Status{
			Version:   o.Version,
			WorkerPID: os.Getpid(),
			Dir:       m.dir,
			Image:     m.image(),
			Swap:      o.Swap,
			Transport: m.Transport(),
			Resend:    m.state.resends(),
			Workers:   o.Workers.Len(),
			Guards:    []status.Guard{},
		}
		if o.Guards != nil {
			st.Guards = o.Guards()
		}
		if o.Keeper != nil {
			o.Keeper(&st)
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
		m.endMu.Lock()
		m.close()
		m.closed = true
		m.endMu.Unlock()
		close(m.done)
	}()
}

// whileOpen runs f, which uses the connection or its state, unless they are gone.
func (m *Mount) whileOpen(f func() error) error {
	m.endMu.Lock()
	defer m.endMu.Unlock()
	if m.closed {
		return nil
	}
	return f()
}

// close gives back what the mount consists of. What the vault keeps of it stays:
// a process that takes over from here on finds a connection that has ended.
func (m *Mount) close() {
	if m.conn >= 0 {
		unix.Close(int(m.conn))
	}
	if m.buffers != nil {
		m.buffers.Close()
	}
	m.state.close()
}

// withdraw takes a mount that did not come about out of the vault, whose copy of
// the connection would keep it alive.
func (m *Mount) withdraw() {
	if m.vault != nil {
		for _, name := range []string{heldConnection, heldBuffers, heldState} {
			m.vault.Drop(name)
		}
	}
}

// Names under which the vault keeps a mount.
const (
	heldConnection = "fuse"
	heldState      = "conn"
	heldBuffers    = "buffers"
)

// hold has a descriptor kept for a process that comes after this one.
func (m *Mount) hold(name string, fd int) error {
	if m.vault == nil {
		return nil
	}
	if err := m.vault.Hold(name, fd); err != nil {
		return fmt.Errorf("hand %s over: %w", name, err)
	}
	return nil
}

// abandon takes down a mount that is not served yet.
func (m *Mount) abandon() {
	// Without a connection nobody can be waited for, so this cannot hang.
	m.withdraw()
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
