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
	// Await returns when this process is to serve. first: nothing is there to be taken over.
	Await(keeper.Formats) (fds map[string]int, first bool, err error)
	// Serving says that requests are answered; Settled that the start is over; Ended that the mount is gone.
	Serving() error
	Settled() error
	Ended()
	State() keeper.State
	Lost() <-chan struct{}
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
	fds, first, err := d.next.Await(keeper.Formats{
		Min: offheap.OldestVersion, Max: offheap.FormatVersion, Makes: offheap.FormatVersion,
	})
	if errors.Is(err, keeper.ErrLost) {
		return withCode(exitFailed, errSaid) // the worker says it, if there is one
	}
	if err != nil {
		return err
	}
	if first {
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
	if err := d.next.Serving(); err != nil {
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

// adopt takes over what a worker before this one has left.
func (d *daemon) adopt(workers *store.Workers, fds map[string]int) (m *fusefs.Mount, err error) {
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
