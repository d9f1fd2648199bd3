package keeper

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Formats are versions of what a worker has the keeper hold.
type Formats struct {
	Min, Max uint32 // that it can take over
	Makes    uint32 // that it makes itself
}

// State is what a keeper says of itself.
type State struct {
	Keeper    int           // process id
	Standby   bool          // one is ready
	Takeovers uint64        // so far
	Last      time.Duration // from the death that led to the last one until the successor served; 0: none yet
	Wait      time.Duration // until the next standby is tried, where too many have died
	Refused   string        // why the last upgrade was refused, "" if it was not
}

// Client is a worker's end of the connection to its keeper. Its methods may be called by several goroutines, but Await and
// Serving once each, and Await before all others.
type Client struct {
	socket int
	state  atomic.Pointer[State]
	lost   chan struct{}
	acks   chan syscall.Errno
	retire chan Retirement

	upgradeMu sync.Mutex
	upgraded  chan verdict

	mu  sync.Mutex // one request at a time
	out wire
}

// Retirement is an order to end what is under way and to begin no more, or one to go on after all.
type Retirement struct {
	Resume bool
	number uint32
}

// verdict is how an upgrade went.
type verdict struct {
	errno syscall.Errno
	why   string
}

// Inherited returns the connection if a keeper started this process.
func Inherited() (*Client, bool, error) {
	text := os.Getenv(socketEnv)
	if text == "" {
		return nil, false, nil
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 0 {
		return nil, false, fmt.Errorf("%s=%q is no descriptor", socketEnv, text)
	}
	if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_SEQPACKET {
		return nil, false, fmt.Errorf("%s=%d is no connection to a keeper (%v)", socketEnv, fd, err)
	}
	return newClient(fd), true, nil
}

func newClient(socket int) *Client {
	c := &Client{
		socket:   socket,
		lost:     make(chan struct{}),
		acks:     make(chan syscall.Errno, 1),
		retire:   make(chan Retirement, 1),
		upgraded: make(chan verdict, 1),
	}
	c.state.Store(&State{})
	return c
}

// Await says that this process can take over at once, and waits until it has to. fds has what is held, under its names, and
// is the caller's; first says that nothing was served before, so that there is nothing to take over. ErrLost if the keeper
// is gone. Before this call the process may start itself again in place; afterwards the connection is not inherited.
func (c *Client) Await(f Formats) (fds map[string]int, first bool, err error) {
	unix.CloseOnExec(c.socket)
	standing := message{kind: kindStanding, a: uint64(f.Min), b: uint64(f.Max), c: uint64(f.Makes), fd: -1}
	if err := c.out.send(c.socket, standing, 0); err != nil {
		return nil, false, err
	}
	in := new(wire)
	fds = map[string]int{}
	for {
		var m message
		if err := in.receive(c.socket, &m, 0); err != nil {
			return nil, false, err
		}
		name := string(m.text)
		if old, ok := fds[name]; ok && (m.kind == kindHold || m.kind == kindDrop) {
			unix.Close(old)
			delete(fds, name)
		}
		switch m.kind {
		case kindHold:
			fds[name] = m.fd
		case kindState:
			c.show(&m)
		case kindPing:
			if err := c.out.send(c.socket, message{kind: kindPong, fd: -1}, 0); err != nil {
				return nil, false, err
			}
		case kindGo:
			go c.listen(in)
			return fds, m.code == 1, nil
		}
	}
}

// listen takes what the keeper says for as long as it lives.
func (c *Client) listen(in *wire) {
	defer close(c.lost)
	pong := new(wire) // a request keeps the other one until this goroutine has its answer
	for {
		var m message
		if err := in.receive(c.socket, &m, 0); err != nil {
			return
		}
		switch m.kind {
		case kindAck:
			c.acks <- syscall.Errno(m.code)
		case kindState:
			c.show(&m)
		case kindPing:
			_ = pong.send(c.socket, message{kind: kindPong, fd: -1}, 0)
		case kindRetire, kindResume:
			select {
			case <-c.retire: // only the last order counts
			default:
			}
			c.retire <- Retirement{m.kind == kindResume, m.code}
		case kindUpgraded:
			select {
			case c.upgraded <- verdict{syscall.Errno(m.code), string(m.text)}:
			default: // he who asked has his answer already
			}
		}
	}
}

func (c *Client) show(m *message) {
	c.state.Store(&State{
		Keeper:    int(m.code >> stateShift),
		Standby:   m.code&stateStanding != 0,
		Takeovers: m.a,
		Last:      time.Duration(m.b) * time.Microsecond,
		Wait:      time.Duration(m.c) * time.Second,
		Refused:   string(m.text),
	})
}

// request sends a message and returns the keeper's answer.
func (c *Client) request(m message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.out.send(c.socket, m, 0); err != nil {
		return err
	}
	select {
	case errno := <-c.acks:
		if errno != 0 {
			return errno
		}
		return nil
	case <-c.lost:
		return ErrLost
	}
}

// Hold has the keeper hold a copy of fd under a name of at most 63 bytes, in place of what it held under it before. When it
// returns nil a successor will get it. ENFILE if the keeper holds too many.
func (c *Client) Hold(name string, fd int) error {
	if len(name) == 0 || len(name) > maxName {
		return fmt.Errorf("hold %q: %w", name, unix.ENAMETOOLONG)
	}
	if err := c.request(message{kind: kindHold, text: []byte(name), fd: fd}); err != nil {
		return fmt.Errorf("hold %s: %w", name, err)
	}
	return nil
}

// Drop has the keeper close what it holds under a name, if there is such a thing.
func (c *Client) Drop(name string) {
	_ = c.request(message{kind: kindDrop, text: []byte(name), fd: -1}) // what fails here fails for Lost too
}

// Settled says that all that the first worker was started for is done: from now on a death leads to a take-over. Before, it
// ends the keeper.
func (c *Client) Settled() error { return c.request(message{kind: kindSettled, fd: -1}) }

// Serving says that requests are answered, or again.
func (c *Client) Serving() error { return c.request(message{kind: kindServing, fd: -1}) }

// Ended says that the work is over: when this process exits, the keeper does so with the same code.
func (c *Client) Ended() { _ = c.request(message{kind: kindEnded, fd: -1}) }

// Retirements gives the keeper's orders before this process is replaced.
func (c *Client) Retirements() <-chan Retirement { return c.retire }

// Retired carries the order out: nothing is under way. This process will be killed.
func (c *Client) Retired(r Retirement) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.send(c.socket, message{kind: kindRetired, code: r.number, fd: -1}, 0)
}

// State returns what the keeper said last.
func (c *Client) State() State { return *c.state.Load() }

// Lost is closed when the keeper is gone.
func (c *Client) Lost() <-chan struct{} { return c.lost }

// Upgrade has the keeper start the program behind fd, which was opened as path, as the next worker, and returns when that
// one is ready: then this process is told to retire, and killed. EBUSY if another upgrade is under way; any other error says
// what is wrong with the program, and this process goes on. A token that has been upgraded by already returns nil at once: it is for
// a request that is made again by a successor.
func (c *Client) Upgrade(token, path string, fd int) error {
	c.upgradeMu.Lock()
	defer c.upgradeMu.Unlock()
	select {
	case <-c.upgraded: // of an upgrade that was given up after it was answered
	default:
	}
	text := append(append([]byte(token), 0), path...)
	if len(text) > maxText {
		return unix.ENAMETOOLONG
	}
	c.mu.Lock()
	err := c.out.send(c.socket, message{kind: kindUpgrade, text: text, fd: fd}, 0)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case v := <-c.upgraded:
		if v.errno != 0 {
			return fmt.Errorf("%s: %w", v.why, v.errno)
		}
		return nil
	case <-c.lost:
		return ErrLost
	}
}
