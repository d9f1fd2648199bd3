package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"uzram/fusefs"
	"uzram/internal/guard"
	"uzram/internal/logging"
	"uzram/internal/mountinfo"
	"uzram/internal/offheap"
	"uzram/internal/status"
	"uzram/store"

	"golang.org/x/sys/unix"
)

// face is the side of the daemon that its starter sees.
type face interface {
	// guarded is called when this process will not start itself again.
	guarded()
	// mounted is called when the mount answers and returns when the settings are made; on an error nothing may stay. loops
	// are the mount's own loop devices, one a line.
	mounted(loops string) error
	// settled is called once afterwards, when the daemon is on its own.
	settled()
}

// daemon serves one mount.
type daemon struct {
	opts   mountOptions
	log    *slog.Logger
	level  *slog.LevelVar
	kept   *atomic.Uint64 // the level that was set while serving; 0 = none
	guards []status.Guard
	device *store.Device // the one device; nil with many
	dev    uint64        // device number of the mount; 0: not known
	lost   func() uint64 // records of the log
	next   successor     // nil: the data end with this process
	hooks  *hooks        // nil: no --hook
}

func newDaemon(o mountOptions) *daemon {
	d := &daemon{opts: o, level: new(slog.LevelVar)}
	d.level.Set(o.logLevel)
	return d
}

// serve mounts, or takes a mount over, and serves until the mount is gone. next is nil if nobody keeps the data.
func serve(o mountOptions, f face, next successor) error {
	guards := guard.Apply(guard.Kernel{}) // may start this program again: nothing may stand before it
	f.guarded()
	var h *hooks
	if o.hook != "" {
		var err error
		if h, err = startHooks(o.hook); err != nil {
			return err
		}
		defer h.close()
	}
	guards = append(guards, guard.Confine(guard.Kernel{})...) // before there is a mount that a thread could wait for
	guards = append(guards, guard.NoSwap(offheap.Unswappable()))
	d := newDaemon(o)
	d.guards, d.next, d.hooks = guards, next, h
	handler, err := d.openLog()
	if err != nil {
		return err
	}
	defer handler.Close()
	d.lost = handler.Dropped
	d.log = slog.New(handler).With("dir", o.dir)

	err = d.run(f)
	if err != nil && o.detach {
		d.log.Error("ended", "reason", sentence(err))
	}
	return err
}

// run is serve with guards and log in place.
func (d *daemon) run(f face) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	// A log that nobody reads any more must not end the daemon, and with it the data: the write fails, that is all.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	n := max(2, runtime.NumCPU())
	runtime.GOMAXPROCS(n + 2) // a worker that waits in the kernel keeps no other goroutine from running
	workers, err := store.NewWorkers(n)
	if err != nil {
		return err
	}
	if d.next != nil {
		return d.runKept(f, workers, signals)
	}
	return d.runFirst(f, workers, signals)
}

// runFirst is run for a mount that is made here.
func (d *daemon) runFirst(f face, workers *store.Workers, signals <-chan os.Signal) error {
	m, err := d.mount(workers)
	if err != nil {
		return fmt.Errorf("mount %s: %w", d.opts.dir, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Wait() }()
	err = d.serving()
	if err == nil {
		err = f.mounted(loopLines(m))
	}
	if err == nil {
		err = d.settled()
	}
	if err != nil {
		if d.takeDown(m) {
			<-ended // what comes then is told to the hook
		}
		return err
	}
	f.settled()
	d.log.Info("mounted", "pid", os.Getpid(), "loop", loopLines(m), "transport", m.Transport())
	d.logGuards()
	return d.untilEnd(m, signals, ended)
}

// loopLines are the mount's own loop devices, one a line.
func loopLines(m *fusefs.Mount) string { return strings.Join(m.LoopPaths(), "\n") }

// mount mounts a new device, or many.
func (d *daemon) mount(workers *store.Workers) (m *fusefs.Mount, err error) {
	if !d.opts.multi {
		if d.device, err = d.newDevice(workers, devicePrefix); err != nil {
			return nil, err
		}
	}
	m, err = fusefs.New(d.fuseOptions(workers))
	d.noteDevice()
	return m, err
}

// newDevice makes a device, which is kept under names that begin with prefix if anything is kept.
func (d *daemon) newDevice(workers *store.Workers, prefix string) (*store.Device, error) {
	device := store.NewDevice(workers)
	if d.next != nil {
		if err := device.SetVault(d.next, prefix); err != nil {
			return nil, err
		}
	}
	d.tellLocked(device)
	if err := device.SetWipe(d.opts.wipe); err != nil {
		return nil, errors.Join(err, device.Retire())
	}
	return device, nil
}

// adoptDevice takes a device over that newDevice made in a worker before this one.
func (d *daemon) adoptDevice(workers *store.Workers, prefix string, fds map[string]int) (*store.Device, error) {
	device, err := store.AdoptDevice(workers, d.next, prefix, fds)
	if err != nil {
		return nil, err
	}
	d.tellLocked(device)
	if a := device.Adoption(); len(a.Findings) > 0 {
		what := "pages are lost"
		if a.Lost == 0 {
			what = "the backing device could not be taken over"
		}
		d.log.Error(what, "device", prefix, "pages", a.Lost, "of", a.Slots, "first", a.Findings[0])
	}
	return device, nil
}

// noteDevice notes which mount is ours: later another one may lie on the directory.
func (d *daemon) noteDevice() {
	if m, err := mountinfo.Find(d.opts.dir); err == nil {
		d.dev = m.Dev
	}
}

// tellLocked tells a device whether its memory can be swapped out.
func (d *daemon) tellLocked(device *store.Device) {
	for _, g := range d.guards {
		if g.Name == guard.Mlock {
			device.SetMemoryLocked(g.State == status.GuardActive)
		}
	}
}

func (d *daemon) fuseOptions(workers *store.Workers) fusefs.Options {
	o := fusefs.Options{
		Dir:        d.opts.dir,
		AllowOther: d.opts.allowOther,
		Loop:       d.opts.loop,
		Swap:       d.opts.swap != swapNone,
		Workers:    workers,
		Device:     d.device,
		Version:    version,
		Guards:     d.guardStates,
		Control:    d.control,
		Logger:     d.log,
		Kept:       d.keepLevel,
	}
	if d.next != nil {
		o.Vault, o.Keeper = d.next, d.showKeeper
	}
	if d.opts.multi {
		o.Multi = &fusefs.Multi{
			Devices: d.opts.devices,
			Hook:    d.deviceHook,
			New:     func(prefix string) (*store.Device, error) { return d.newDevice(workers, prefix) },
			Adopt: func(prefix string, fds map[string]int) (*store.Device, error) {
				return d.adoptDevice(workers, prefix, fds)
			},
		}
	}
	return o
}

// untilEnd waits for the end of the mount. A signal unmounts; a mount that is in use stays, and is served on.
func (d *daemon) untilEnd(m *fusefs.Mount, signals <-chan os.Signal, ended <-chan error) error {
	if d.next != nil {
		go d.retireWhenTold(m)
	}
	for {
		select {
		case <-d.keeperLost():
			d.log.Error("the keeper is gone: nothing would survive a crash any more, so the mount is taken down")
			err := d.unmount(m)
			if err == nil {
				<-ended
				return errKeeperLost
			}
			d.log.Warn("taking the mount out of the tree", "reason", sentence(err))
			if err := abandon(d.opts.dir, d.dev); err != nil {
				d.log.Error("the mount stays behind", "reason", sentence(err))
			}
			return errKeeperLost
		case sig := <-signals:
			d.log.Info("unmounting", "signal", sig.String())
			if err := d.unmount(m); err != nil {
				d.log.Error("not unmounted, going on", "reason", sentence(err))
			}
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("the connection to the kernel broke: %w", err)
			}
			d.log.Info("unmounted")
			return nil
		}
	}
}

// takeDown unmounts what could not be finished. If something got hold of it already, the mount is taken out of the tree and
// ends with its last user. It reports whether it is unmounted.
func (d *daemon) takeDown(m *fusefs.Mount) bool {
	err := d.unmount(m)
	if err == nil {
		return true
	}
	d.log.Warn("taking the mount out of the tree", "reason", sentence(err))
	leaveViews(d.opts.dir)
	if err := takeOut(d.opts.dir, d.dev); err != nil {
		d.log.Error("the mount stays behind", "reason", sentence(err))
	}
	return false
}

// guardStates returns the guards in the order of the documentation.
func (d *daemon) guardStates(r fusefs.Reserve) []status.Guard {
	reserve := guard.Reserve(r.Bytes, r.SetUp)
	return append(append(slices.Clone(d.guards), reserve, guard.Log(d.lost())), d.keeperGuards()...)
}

func (d *daemon) logGuards() {
	for _, g := range d.guardStates(fusefs.Reserve{}) {
		if g.State == status.GuardRefused {
			d.log.Warn("guard refused", "guard", g.Name, "reason", g.Reason)
		}
	}
}

// control is the daemon's part of debug/control.
func (d *daemon) control(verb string, args []string) error {
	if verb == "upgrade" {
		return d.upgrade(args)
	}
	if verb == "gc" && len(args) == 0 {
		runtime.GC()
		return nil
	}
	if verb != "log-level" || len(args) != 1 {
		return unix.EINVAL
	}
	level, err := logging.ParseLevel(args[0])
	if err != nil {
		return unix.EINVAL
	}
	d.setLevel(level)
	return nil
}

// keepLevel has the level outlive this process; one that was set before is set again.
func (d *daemon) keepLevel(word *atomic.Uint64) {
	d.kept = word
	if n := word.Load(); n != 0 {
		d.level.Set(slog.Level(int64(n) >> 1))
	}
}

func (d *daemon) setLevel(level slog.Level) {
	d.kept.Store(uint64(level)<<1 | 1)
	d.level.Set(level)
}

// openLog opens where the log goes.
func (d *daemon) openLog() (*logging.Handler, error) {
	o := logging.Options{Level: d.level, Time: true}
	switch {
	case d.opts.logFile != "":
		f, err := openLogFile(d.opts.logFile)
		if err != nil {
			return nil, usagef("--log: %w", err)
		}
		return logging.New(logging.Writer{Writer: f}, o), nil
	case d.opts.detach:
		o.Time = false
		return logging.New(&logging.Syslog{Tag: "uzram"}, o), nil
	}
	return logging.New(logging.Writer{Writer: os.Stderr}, o), nil
}
