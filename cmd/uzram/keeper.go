package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"uzram/internal/fusermount"
	"uzram/internal/guard"
	"uzram/internal/keeper"
	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"
	"uzram/internal/status"

	"golang.org/x/sys/unix"
)

// workerEnv gives a worker its orders, as JSON: another release may be upgraded to, which need not know the same flags.
const workerEnv = "UZRAM_WORKER"

// deathsEnv, for tests, is how many early deaths of workers within a minute are too many; -1: any number is fine.
const deathsEnv = "UZRAM_DEATHS"

// orders are what a worker has to know. Names are never used for something else; what a release does not know it ignores.
type orders struct {
	Dir        string     `json:"dir"`
	Loop       bool       `json:"loop"`
	Multi      bool       `json:"multi"`
	Devices    int        `json:"devices"`
	Hook       string     `json:"hook"`
	Swap       swapMode   `json:"swap"`
	Wipe       bool       `json:"wipe"`
	Detach     bool       `json:"detach"`
	AllowOther bool       `json:"allow_other"`
	Log        string     `json:"log"`
	LogLevel   slog.Level `json:"log_level"`
	Apply      []string   `json:"apply"` // arguments of the child that makes the settings; of use to the first worker alone
}

// ordersOf leaves out what only the start needs.
func ordersOf(o mountOptions) orders {
	return orders{
		Dir: o.dir, Loop: o.loop, Multi: o.multi, Devices: o.devices, Hook: o.hook, Swap: o.swap, Wipe: o.wipe, Detach: o.detach, AllowOther: o.allowOther,
		Log: o.logFile, LogLevel: o.logLevel, Apply: applyArgs(o),
	}
}

func (w orders) options() mountOptions {
	return mountOptions{
		dir: w.Dir, loop: w.Loop, multi: w.Multi, devices: w.Devices, hook: w.Hook,
		swap: w.Swap, wipe: w.Wipe, detach: w.Detach, allowOther: w.AllowOther,
		logFile: w.Log, logLevel: w.LogLevel,
	}
}

// errSaid is the error of a worker, which has told the user itself.
var errSaid = errors.New("the worker has said why")

// runKeeper has a worker serve the mount, and the next one when it dies. link is nil in the foreground.
func runKeeper(o mountOptions, link *starter) error {
	guard.Apply(guard.Kernel{}) // may start this program again; what it starts is marked as I/O flusher then
	var confined []status.Guard
	if o.hook == "" { // a hook has the rights of whoever mounted, and the workers that start it are started here
		confined = guard.ConfineStarter(guard.Kernel{})
	} else {
		_ = guard.Kernel{}.NoCoreDump()
	}
	if link != nil {
		link.guarded()
	}
	d := newDaemon(o)
	handler, err := d.openLog()
	if err != nil {
		return err
	}
	defer handler.Close()
	log := slog.New(handler).With("dir", o.dir, "keeper", os.Getpid())
	for _, g := range confined {
		if g.State == status.GuardRefused {
			log.Debug("guard of the keeper refused", "guard", g.Name, "reason", g.Reason)
		}
	}
	orders, err := json.Marshal(ordersOf(o))
	if err != nil {
		return err
	}
	code, err := keeper.Run(keeper.Options{
		Command: func(first bool) keeper.Command { return workerCommandLine(o.dir, string(orders), first, link) },
		Standby: o.standby,
		Held:    o.held(),
		Log:     log,
		Started: func() {
			if link != nil {
				link.close()
			}
		},
		Settled: func() { _ = os.Chdir("/") },
		Abandon: func() { abandonUnserved(o.dir) },
		Deaths:  deathsAllowed(),
	})
	if err == nil && code != exitOK {
		err = withCode(code, errSaid)
	}
	return err
}

func deathsAllowed() int {
	n, _ := strconv.Atoi(os.Getenv(deathsEnv))
	return n
}

// workerCommandLine is what a worker is started with. The first one gets the link to the starter.
func workerCommandLine(dir, orders string, first bool, link *starter) keeper.Command {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, linkEnv+"=") || strings.HasPrefix(v, workerEnv+"=")
	})
	c := keeper.Command{Args: []string{os.Args[0], workerVerb, dir}, Env: append(env, workerEnv+"="+orders)}
	if first && link != nil && link.fd >= 0 {
		c.Env = append(c.Env, linkEnv+"="+strconv.Itoa(keeper.FirstFile))
		c.Files = []int{link.fd}
	}
	return c
}

// abandon takes down the mount with that device number, which is in use or which nobody serves any more.
func abandon(dir string, dev uint64) error {
	if err := shows(dir, dev); err != nil {
		return err
	}
	leaveViews(dir)
	detachLoops(dir) // first: they are found by the name of the image
	return takeOut(dir, dev)
}

// abandonUnserved is abandon for a mount that nobody will serve again: who waits for it gets an error, a thread of its
// killed worker too, which would keep the connection open for ever.
func abandonUnserved(dir string) {
	if shows(dir, 0) == nil {
		_ = unix.Unmount(dir, unix.MNT_FORCE|unix.UMOUNT_NOFOLLOW)
	}
	_ = abandon(dir, 0) // not there any more if it was not in use
}

// takeOut takes a mount out of the tree; it ends with its last user.
func takeOut(dir string, dev uint64) error {
	if err := shows(dir, dev); err != nil {
		return err
	}
	return fusermount.Unmount(dir, fusermount.Lazily)
}

// shows returns no error if what lies on dir is the uzram mount with that device number; 0: any.
func shows(dir string, dev uint64) error {
	m, err := mountinfo.Find(dir)
	if err == nil && dev != 0 && m.Dev != dev {
		err = fmt.Errorf("%s shows another mount", dir)
	}
	return err
}

// detachLoops detaches the loop devices of a mount. Those that are in use go with their last user.
func detachLoops(dir string) {
	loops, _ := loopdev.FindInside(dir)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, l := range loops {
			_ = loopdev.Attached(l.Loop, l.File).Detach()
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// ordered returns what a keeper ordered this process to do.
func ordered() (orders, error) {
	var w orders
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &w); err != nil {
		return w, fmt.Errorf("%s: %w", workerEnv, err)
	}
	return w, nil
}
