package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"uzram/fusefs"
	"uzram/internal/fusermount"
	"uzram/internal/guard"
	"uzram/internal/logging"
	"uzram/internal/status"
	"uzram/store"

	"golang.org/x/sys/unix"
)

// face is the side of the daemon that its starter sees.
type face interface {
	// guarded is called when this process will not start itself again.
	guarded()
	// mounted is called when the mount answers and returns when the settings are made; on an error nothing may stay.
	mounted(loop string) error
	// settled is called once afterwards, when the daemon is on its own.
	settled()
}

// daemon serves one mount.
type daemon struct {
	opts   mountOptions
	log    *slog.Logger
	level  *slog.LevelVar
	guards []status.Guard
	device *store.Device
}

// serve mounts and serves until the mount is gone.
func serve(o mountOptions, f face) error {
	guards := guard.Apply(guard.Kernel{}) // may start this program again: nothing may stand before it
	f.guarded()
	d := &daemon{opts: o, level: new(slog.LevelVar), guards: guards}
	d.level.Set(o.logLevel)
	handler, err := d.openLog()
	if err != nil {
		return err
	}
	defer handler.Close()
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
	m, err := d.mount()
	if err != nil {
		return fmt.Errorf("mount %s: %w", d.opts.dir, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Wait() }()
	if err := f.mounted(m.LoopPath()); err != nil {
		d.takeDown(m)
		return err
	}
	f.settled()
	d.log.Info("mounted", "pid", os.Getpid(), "loop", m.LoopPath(), "transport", m.Transport())
	d.logGuards()
	return d.untilEnd(m, signals, ended)
}

// mount builds workers and device and mounts them.
func (d *daemon) mount() (*fusefs.Mount, error) {
	n := max(2, runtime.NumCPU())
	runtime.GOMAXPROCS(n + 2) // a worker that waits in the kernel keeps no other goroutine from running
	workers, err := store.NewWorkers(n)
	if err != nil {
		return nil, err
	}
	d.device = store.NewDevice(workers)
	for _, g := range d.guards {
		if g.Name == guard.Mlock {
			d.device.SetMemoryLocked(g.State == status.GuardActive)
		}
	}
	return fusefs.New(fusefs.Options{
		Dir:        d.opts.dir,
		AllowOther: d.opts.allowOther,
		Loop:       d.opts.loop,
		Workers:    workers,
		Device:     d.device,
		Version:    version,
		Guards:     d.guardStates,
		Control:    d.control,
		Logger:     d.log,
	})
}

// untilEnd waits for the end of the mount. A signal unmounts; a mount that is in use stays, and is served on.
func (d *daemon) untilEnd(m *fusefs.Mount, signals <-chan os.Signal, ended <-chan error) error {
	for {
		select {
		case sig := <-signals:
			d.log.Info("unmounting", "signal", sig.String())
			if err := m.Unmount(); err != nil {
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
// ends with its last user.
func (d *daemon) takeDown(m *fusefs.Mount) {
	err := m.Unmount()
	if err == nil {
		return
	}
	d.log.Warn("taking the mount out of the tree", "reason", sentence(err))
	if err := fusermount.Unmount(d.opts.dir, fusermount.Lazily); err != nil {
		d.log.Error("the mount stays behind", "reason", sentence(err))
	}
}

// guardStates returns the guards in the order of the documentation.
func (d *daemon) guardStates() []status.Guard {
	reserve := guard.Reserve(d.device.Stats().Reserve, d.device.Initialised())
	return append(append([]status.Guard(nil), d.guards...), reserve)
}

func (d *daemon) logGuards() {
	for _, g := range d.guardStates() {
		if g.State == status.GuardRefused {
			d.log.Warn("guard refused", "guard", g.Name, "reason", g.Reason)
		}
	}
}

// control is the daemon's part of debug/control.
func (d *daemon) control(verb string, args []string) error {
	if verb != "log-level" || len(args) != 1 {
		return unix.EINVAL
	}
	level, err := logging.ParseLevel(args[0])
	if err != nil {
		return unix.EINVAL
	}
	d.level.Set(level)
	return nil
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
