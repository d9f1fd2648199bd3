package sysview

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

const answerDone = "done"

// Watch is a view that follows its mount and the kernel.
type Watch struct {
	view    *View
	listen  net.Listener
	stop    *os.File // closed to end the goroutines
	stopped *os.File
	tasks   sync.WaitGroup
	report  func(error)
	ordered chan struct{} // closed when the view is told to go
	once    sync.Once
	answer  chan error // what came of it
}

// Start makes a view that follows. Of the machine's view there is one. report is told what went wrong and
// cannot be answered to anybody.
func Start(o Options, system bool, report func(error)) (*Watch, error) {
	if err := MakeRunDir(o.Dir); err != nil {
		return nil, err
	}
	o.system = system
	if system {
		unlock, err := lockSystem()
		if err != nil {
			return nil, err
		}
		defer unlock()
		if err := noOtherView(o.Dir); err != nil {
			return nil, err
		}
	}
	socket := filepath.Join(RunDir(o.Dir), strconv.Itoa(os.Getpid())+socketSuffix)
	if system {
		socket = filepath.Join(RunDir(o.Dir), systemSocket)
	} else {
		os.Remove(socket) // of a process that had this number
	}
	// Before anything else: whoever tells of a device waits until the view stands, and no other view removes what this needs.
	l, err := listen(socket)
	if err != nil {
		return nil, err
	}
	w := &Watch{listen: l, report: report, ordered: make(chan struct{}), answer: make(chan error, 1)}
	if w.stopped, w.stop, err = os.Pipe(); err != nil {
		l.Close()
		return nil, err
	}
	events, eventsErr := listenUevents()
	if eventsErr != nil {
		report(fmt.Errorf("devices that the kernel makes will not be seen: %w", eventsErr))
	}
	if w.view, err = build(o, socket); err != nil {
		unix.Close(events)
		l.Close()
		w.stop.Close()
		w.stopped.Close()
		return nil, err
	}
	w.tasks.Go(w.accept)
	if eventsErr == nil {
		w.tasks.Go(func() {
			defer unix.Close(events)
			w.view.followKernel(events, int(w.stopped.Fd()), report)
		})
	}
	return w, nil
}

// noOtherView says whether a view for the whole machine can be made: two would lie one over the other.
func noOtherView(dir string) error {
	if other, ok := systemViewOf(); ok {
		return fmt.Errorf("there is a view of %s for the whole machine already: %w", other, unix.EBUSY)
	}
	all, err := mountinfo.All()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(m mountinfo.Mount) bool { return m.Source == source }) {
		return fmt.Errorf("there is a view here already, or what one left, which uzram sysfs --undo --dir %s takes down: %w", dir, unix.EBUSY)
	}
	return nil
}

// View is what follows.
func (w *Watch) View() *View { return w.view }

// listen takes a socket that nobody else listens at.
func listen(socket string) (net.Listener, error) {
	l, err := net.Listen("unix", socket)
	if !errors.Is(err, unix.EADDRINUSE) {
		return l, err
	}
	if listening(socket) {
		return nil, err
	}
	os.Remove(socket)
	return net.Listen("unix", socket)
}

// Ordered is closed when the view is to go. Whoever takes it down then calls Close.
func (w *Watch) Ordered() <-chan struct{} { return w.ordered }

// Close ends the watch and takes the view down.
func (w *Watch) Close() error {
	err := w.view.Close()
	w.listen.Close() // removes the socket; before the answer, after which nobody finds a view here
	w.answer <- err
	w.stop.Close()
	w.tasks.Wait()
	w.stopped.Close()
	return err
}

// accept has orders obeyed as they come, one after another.
func (w *Watch) accept() {
	before := make(chan struct{})
	close(before)
	for {
		conn, err := w.listen.Accept()
		if err != nil {
			return
		}
		turn, done := before, make(chan struct{})
		before = done
		w.tasks.Go(func() {
			defer close(done)
			w.obey(conn, turn)
		})
	}
}

// obey takes one order, and obeys it when those before it are done.
func (w *Watch) obey(conn net.Conn, turn <-chan struct{}) {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(tellTimeout)); err != nil {
		return
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	<-turn
	text := answerDone
	if err := w.do(strings.Fields(line)); err != nil {
		text = strings.Join(strings.Fields(err.Error()), " ")
	}
	_, _ = io.WriteString(conn, text+"\n")
}

func (w *Watch) do(order []string) error {
	switch {
	case len(order) == 1 && order[0] == actionStop:
		first := false
		w.once.Do(func() { first = true; close(w.ordered) })
		if !first {
			return errors.New("it is being taken down already")
		}
		return <-w.answer
	case len(order) == 1 && order[0] == actionLeave:
		return w.view.leave()
	case len(order) == 4 && zramName.MatchString(order[1]):
		major, minor, err := parseNumber(order[2] + ":" + order[3])
		if err != nil {
			return err
		}
		if order[0] == ActionAdd {
			return w.view.Add(Device{order[1], major, minor})
		}
		if order[0] == ActionRemove {
			return w.view.Remove(order[1])
		}
	}
	return fmt.Errorf("no such order: %q", order)
}
