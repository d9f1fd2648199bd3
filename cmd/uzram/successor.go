package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"uzram/fusefs"
	"uzram/internal/failpoint"
	"uzram/internal/keeper"
	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"
	"uzram/internal/offheap"
	"uzram/internal/status"
	"uzram/store"

	"golang.org/x/sys/unix"
)

// devicePrefix begins the names of what is kept of a mount's one device.
const devicePrefix = "d0."

// successor keeps what the next worker needs: a keeper, or systemd.
type successor interface {
	store.Vault
	// Await returns when this process is to serve. first: nothing is there to be taken over; descriptors then are the
	// remains of a start that was not finished.
	Await(keeper.Formats) (fds map[string]int, first bool, err error)
	// Serving says that requests are answered; Settled that the start is over; Ended that the mount is gone.
	Serving() error
	Settled() error
	Ended()
	State() keeper.State
	Lost() <-chan struct{}
	// Retirements are orders to leave nothing under way, which Retired answers.
	Retirements() <-chan keeper.Retirement
	Retired(keeper.Retirement) error
	// Upgrade has another program take over.
	Upgrade(token, path string, fd int) error
}

var (
	_ successor = (*keeper.Client)(nil)
	_ successor = (*keeper.Store)(nil)

	errKeeperLost = errors.New("the keeper is gone")
)

// runKept is run where somebody keeps the data. A worker that could not take over says nothing: another one will try.
func (d *daemon) runKept(f face, workers *store.Workers, signals chan os.Signal) error {
	fusefs.LookAround()
	fds, first, err := d.next.Await(keeper.Formats{
		Min: offheap.OldestVersion, Max: offheap.FormatVersion, Makes: offheap.FormatVersion,
	})
	if errors.Is(err, keeper.ErrLost) {
		return withCode(exitFailed, errSaid) // the worker says it, if there is one
	}
	if err != nil {
		return err
	}
	unsettled := first && len(fds) > 0
	if unsettled && swappedOn(d.opts.dir) { // which comes last
		first = false
	}
	if first {
		d.forget(fds)
		err := d.runFirst(f, workers, signals)
		d.next.Ended()
		return err
	}
	for len(signals) > 0 { // were for those before this one
		<-signals
	}
	start := time.Now()
	m, err := d.adopt(workers, fds)
	if err != nil {
		d.log.Error("could not take the mount over", "reason", sentence(err))
		return fmt.Errorf("take over %s: %w", d.opts.dir, err)
	}
	err = d.next.Serving()
	if err == nil && unsettled {
		err = d.next.Settled()
	}
	if err != nil {
		d.log.Error("could not tell the keeper", "reason", sentence(err)) // it is gone; untilEnd sees that
	}
	failpoint.Hit(failpoint.AdoptServing)
	ended := make(chan error, 1)
	go func() { ended <- m.Wait() }()
	_ = os.Chdir("/")
	d.log.Info("took over", "pid", os.Getpid(), "loop", loopLines(m), "within", time.Since(start))
	err = d.untilEnd(m, signals, ended)
	d.next.Ended()
	return err
}

// swappedOn says whether a loop device of the mount is swap space, without asking the mount.
func swappedOn(dir string) bool {
	loops, _ := loopdev.FindInside(dir)
	for _, l := range loops {
		if len(mountinfo.SwapsOn(l.Loop)) > 0 {
			return true
		}
	}
	return false
}

// forget takes down what a start that was not finished has left.
func (d *daemon) forget(fds map[string]int) {
	if len(fds) == 0 {
		return
	}
	d.log.Warn("the start before this one was not finished: it begins anew")
	for name, fd := range fds {
		d.next.Drop(name)
		unix.Close(fd)
	}
	abandonUnserved(d.opts.dir)
}

// adopt takes over what a worker before this one has left.
func (d *daemon) adopt(workers *store.Workers, fds map[string]int) (m *fusefs.Mount, err error) {
	format, err := fusefs.FormatOf(fds)
	if err == nil {
		err = offheap.SetFormat(format)
	}
	if err != nil {
		return nil, err
	}
	if !d.opts.multi {
		if d.device, err = d.adoptDevice(workers, devicePrefix, fds); err != nil {
			return nil, err
		}
	}
	d.noteDevice()
	return fusefs.Adopt(d.fuseOptions(workers), fds)
}

func (d *daemon) serving() error {
	if d.next == nil {
		return nil
	}
	return d.next.Serving()
}

func (d *daemon) settled() error {
	if d.next == nil {
		return nil
	}
	return d.next.Settled()
}

// retirePatience is how long commands may take that are under way when another program is to take over.
const retirePatience = 5 * time.Second

// retireWhenTold has the mount retire, or go on, as often as the keeper says.
func (d *daemon) retireWhenTold(m *fusefs.Mount) {
	for {
		var r keeper.Retirement
		select {
		case <-d.next.Lost(): // nobody will come after this process: it takes the mount down, which needs it to serve
			m.Resume()
			return
		case r = <-d.next.Retirements():
		}
		if r.Resume {
			m.Resume()
			continue
		}
		start := time.Now()
		stopped := m.Retire(retirePatience)
		d.log.Debug("retired", "nothing_under_way", stopped, "after", time.Since(start))
		if stopped {
			_ = d.next.Retired(r)
		}
	}
}

// keeperLost is closed when the keeper is gone; nil, which never is, if there is none.
func (d *daemon) keeperLost() <-chan struct{} {
	if d.next == nil {
		return nil
	}
	return d.next.Lost()
}

// keeperState is zero if there is no keeper.
func (d *daemon) keeperState() keeper.State {
	if d.next == nil {
		return keeper.State{}
	}
	return d.next.State()
}

func (d *daemon) showKeeper(st *status.Status) {
	k := d.keeperState()
	if k.Keeper != 0 {
		st.KeeperPID = &k.Keeper
	}
	st.Standby, st.Takeovers = k.Standby, k.Takeovers
	st.TakeoverMS = float64(k.Last.Microseconds()) / 1000
	st.UpgradeRefused = k.Refused
	st.StandbyWaitS = int(k.Wait.Seconds())
}

// upgrade is the verb of debug/control: PATH, escaped as in a URL, and a token that tells one request from the next.
func (d *daemon) upgrade(args []string) error {
	if d.next == nil || len(args) < 1 || len(args) > 2 {
		return unix.EINVAL
	}
	path, err := url.PathUnescape(args[0])
	if err != nil {
		return unix.EINVAL
	}
	token := ""
	if len(args) == 2 {
		token = args[1]
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return d.next.Upgrade(token, path, fd)
}
