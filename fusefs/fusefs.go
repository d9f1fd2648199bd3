package fusefs

import (
	"errors"
	"fmt"
	"log/slog"
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
	Loop       bool   // attach a loop device to each image
	Swap       bool   // shown in debug/status: the loop devices are swap space that goes with the mount
	Workers    *store.Workers
	Device     *store.Device                          // the one device; nil with Multi
	Multi      *Multi                                 // nil: the mount is the directory of one device
	Version    string                                 // shown in debug/status
	Guards     func(Reserve) []status.Guard           // shown in debug/status; nil = none
	Control    func(verb string, args []string) error // verbs of debug/control; an unknown one wraps EINVAL; nil = none
	Keeper     func(*status.Status)                   // fills in what debug/status shows of the keeper; nil = there is none
	Kept       func(*atomic.Uint64)                   // called before anything is served, with a word that is the caller's and outlives his process; nil = no use
	Vault      store.Vault                            // keeps the mount for a process that comes after this one; nil = it ends with this one
	Logger     *slog.Logger                           // nil = discard

	helped bool            // mount with the helper even where it is not needed
	wrap   func(conn) conn // stands between the workers and the kernel; nil = nothing
}

// Reserve is the memory that the engine has ready for requests to come, of one
// device or of all.
type Reserve struct {
	Bytes uint64
	SetUp bool // a disk is set up, so that there may be one
}

// Multi is what a mount with many devices needs beyond Options.
type Multi struct {
	Devices int // to begin with
	// New makes a device that is kept under names that begin with prefix, if anything is kept.
	New func(prefix string) (*store.Device, error)
	// Adopt makes the device that a process before this one kept so, and takes its descriptors out of fds.
	Adopt func(prefix string, fds map[string]int) (*store.Device, error)
	// Hook is called when a device has come, before anybody is told, and when it is about to go: "add" or
	// "remove", its name, the number of its loop device. An error undoes what it was called for. nil = no hook.
	Hook func(action, name string, dev uint64) error
}

// Mount is a mounted device. Its methods may be called concurrently.
type Mount struct {
	dir     string // absolute, without symbolic links
	conn    fuseConn
	options Options
	state   *connState
	devices *devices
	tree    *tree          // once there is a crew
	buffers *offheap.Arena // the workers'
	gate    *turnstile     // the workers'
	nodes   *nodeServer    // the workers'
	vault   store.Vault    // nil = none
	notify  notifier
	log     *slog.Logger
	done    chan struct{}
	device  uint64 // number of the mount; no other has it as long as this one lives

	endMu  sync.Mutex // who uses state or conn from outside a request, Unmount among them, holds it
	closed bool       // they are gone; guarded by endMu

	err error // why serving ended; written before done is closed
}

// New mounts a device and serves it. When it returns, the mount answers, and the
// devices are there, with their loop devices if any were asked for. On an error
// nothing stays behind; the error wraps a syscall.Errno.
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
	crew, err := m.newCrew()
	if err == nil {
		err = crew[0].greet()
	}
	if err != nil {
		m.abandon()
		return nil, err
	}
	close(crew[0].nodes.ready)
	m.start(crew)
	if err := m.whileOpen(m.furnish); err != nil {
		return nil, m.giveUp(err)
	}
	return m, nil
}

// furnish makes what a new mount has from the start, when it answers.
func (m *Mount) furnish() error {
	if m.options.Multi == nil {
		if m.options.Loop {
			return m.devices.first().attach()
		}
		return nil
	}
	for range m.options.Multi.Devices {
		if _, err := m.add(&journalEntry{}); err != nil {
			return err
		}
	}
	return nil
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
	numbers := uint64(1)
	if o.Multi != nil {
		numbers = MaxDevices
	}
	arena, err := newDeviceArena(numbers)
	if err == nil {
		m.devices = newDevices(arena)
		m.buffers, err = newBufferArena(o.Workers.Len())
	}
	if err == nil {
		err = m.hold(heldState, m.state.arena.FD())
	}
	if err == nil {
		err = m.hold(heldDevices, m.devices.arena.FD())
	}
	if err == nil {
		err = m.hold(heldBuffers, m.buffers.FD())
	}
	if err != nil {
		m.withdraw()
		m.close()
		return nil, err
	}
	m.state.crew.Store(uint64(o.Workers.Len()))
	return m, nil
}

func newMount(o Options, dir string) *Mount {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Mount{dir: dir, conn: -1, options: o, vault: o.Vault, log: log, done: make(chan struct{})}
}

// newCrew makes the workers, in the state and the buffers that there are. The one
// device of a mount that has no more is made with them.
func (m *Mount) newCrew() ([]*worker, error) {
	m.notify = notifier{m.conn, m.log}
	o := &m.options
	var top *layout
	if o.Multi != nil {
		top = m.layout()
	} else {
		d, err := m.newDisk(o.Device, deviceID(0, 0))
		if err != nil {
			return nil, err
		}
		d.record.phase.Store(devicePresent)
		m.devices.used[0].Store(1)
		m.devices.publish(d)
	}
	m.tree = newTree(m.devices, deviceLayout(shownHere()), top)
	if o.Kept != nil {
		o.Kept(&m.state.kept)
	}
	c := conn(m.conn)
	if o.wrap != nil {
		c = o.wrap(c)
	}
	crew := newCrew(c, o.Workers, m.tree, m.state, buffersIn(m.buffers), m.log)
	m.gate, m.nodes = crew[0].gate, crew[0].nodes
	return crew, nil
}

// canonical is the name that the kernel will show for dir.
func canonical(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	return abs, err
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
		m.sayGoodbye()
		m.endMu.Lock()
		m.close()
		m.closed = true
		m.endMu.Unlock()
		close(m.done)
	}()
}

// sayGoodbye tells the hook that all devices are gone.
func (m *Mount) sayGoodbye() {
	if m.options.Multi == nil {
		return
	}
	for _, d := range m.devices.all() {
		if err := m.hook("remove", d); err != nil {
			m.log.Error("the hook may not have undone what it did", "reason", err)
		}
	}
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
	if m.devices != nil {
		m.devices.close()
	}
	m.state.close()
}

// withdraw takes a mount that did not come about out of the vault, whose copy of
// the connection would keep it alive.
func (m *Mount) withdraw() {
	if m.vault != nil {
		for _, name := range []string{heldConnection, heldBuffers, heldDevices, heldState} {
			m.vault.Drop(name)
		}
	}
}

// Names under which the vault keeps a mount.
const (
	heldConnection = "fuse"
	heldState      = "conn"
	heldDevices    = "devices"
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

// LoopPaths are the names of the mount's own loop devices, in the order of the
// devices' numbers; none if it has ended.
func (m *Mount) LoopPaths() (paths []string) {
	_ = m.whileOpen(func() error {
		paths = m.loopPaths()
		return nil
	})
	return paths
}

// loopPaths is LoopPaths with endMu held, or in a request.
func (m *Mount) loopPaths() (paths []string) {
	for _, d := range m.devices.all() {
		if path := d.loopPath(); path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// Wait returns when the connection has ended: nil if it was unmounted, else why
// it broke.
func (m *Mount) Wait() error {
	<-m.done
	return m.err
}
