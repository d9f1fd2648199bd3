package keeper

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is keeper and worker too: keepers reap all their children and take over all signals, and workers are there
// to be killed.
const (
	roleEnv  = "UZRAM_TEST_ROLE"
	planEnv  = "UZRAM_TEST_PLAN"
	firstEnv = "UZRAM_TEST_FIRST"
)

// plan says what keeper and workers of a test do.
type plan struct {
	Dir     string
	Standby bool
	Deaths  int
	Worker  behaviour
}

// behaviour is how a worker behaves. A program that is upgraded to has its own beside it, in a file with .json at its end.
type behaviour struct {
	Name     string
	Formats  Formats
	Fails    string // "start": exits before it stands by; "standby": the same, but the first; "serve": exits instead of serving; "later": the same, but the first; "settle": panics when it serves
	Deaf     bool   // never reads
	Sluggish time.Duration
	Stays    bool          // retires when commanded to
	Slow     time.Duration // to stand by, but the first
}

func TestMain(m *testing.M) {
	var p plan
	if text := os.Getenv(planEnv); text != "" {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			panic(err)
		}
	}
	switch os.Getenv(roleEnv) {
	case "keeper":
		os.Exit(p.keep())
	case "stored":
		os.Exit(stored())
	case "worker":
		exe, err := os.Executable()
		if err != nil {
			panic(err)
		}
		if text, err := os.ReadFile(exe + ".json"); err == nil {
			if err := json.Unmarshal(text, &p.Worker); err != nil {
				panic(err)
			}
		}
		os.Exit(p.work())
	}
	os.Exit(m.Run())
}

func (p plan) keep() int {
	touch := func(name string) func() {
		return func() { check(os.WriteFile(filepath.Join(p.Dir, name), nil, 0o600)) }
	}
	check(os.Setenv(roleEnv, "worker")) // in place of the keeper's own: the first of two counts
	env := os.Environ()
	code, err := Run(Options{
		Command: func(first bool) Command {
			c := Command{Args: []string{"worker"}, Env: env, Files: []int{2}}
			if first {
				c.Env = append(c.Env[:len(c.Env):len(c.Env)], firstEnv+"=1")
			}
			return c
		},
		Standby: p.Standby,
		Log:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Started: touch("started"),
		Settled: touch("settled"),
		Abandon: touch("abandoned"),
		Deaths:  p.Deaths,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "keeper:", err)
	}
	return code
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// work is a worker: it takes commands, a line each, from whoever connects to DIR/sock.
func (p plan) work() int {
	b := p.Worker
	if b.Deaf {
		time.Sleep(time.Hour)
	}
	if b.Fails == "start" {
		return 3
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	c, ok, err := Inherited()
	check(err)
	if !ok {
		panic("not started by a keeper")
	}
	if b.Fails == "standby" && os.Getenv(firstEnv) == "" {
		return 3
	}
	if os.Getenv(firstEnv) == "" {
		fds := []unix.PollFd{{Fd: int32(c.socket)}} // what is sent does not count, but that nobody is there any more
		n, err := 0, error(unix.EINTR)
		for err == unix.EINTR {
			n, err = unix.Poll(fds, int(b.Slow.Milliseconds()))
		}
		if n > 0 || err != nil {
			return 4
		}
	}
	fds, first, err := c.Await(b.Formats)
	if err != nil {
		return 4
	}
	if b.Fails == "serve" || b.Fails == "later" && !first {
		return 5
	}
	time.Sleep(b.Sluggish)
	w := &worker{Client: c, fds: fds, first: first, name: b.Name, signals: signals, orders: make(chan Retirement, 8)}
	go func() {
		for r := range c.Retirements() {
			w.orders <- r
			if b.Stays || r.Resume {
				continue
			}
			w.commands.Lock() // all are answered, and no more will be taken
			check(c.Retired(r))
		}
	}()
	sock := filepath.Join(p.Dir, strconv.Itoa(os.Getpid()))
	l, err := net.Listen("unix", sock)
	check(err)
	check(c.Serving())
	if b.Fails == "settle" {
		panic("told to")
	}
	if first {
		check(c.Settled())
	}
	check(os.Rename(sock, filepath.Join(p.Dir, "sock")))
	go func() {
		<-c.Lost()
		check(os.WriteFile(filepath.Join(p.Dir, "lost"), nil, 0o600))
		os.Exit(6)
	}()
	for {
		conn, err := l.Accept()
		check(err)
		go w.serve(conn)
	}
}

type worker struct {
	*Client
	fds     map[string]int
	first   bool
	name    string
	signals chan os.Signal
	orders  chan Retirement
	told    Retirement

	commands sync.RWMutex // held while one is carried out and answered
}

func (w *worker) serve(conn net.Conn) {
	for in := bufio.NewScanner(conn); in.Scan(); {
		w.answer(conn, in.Text())
	}
}

func (w *worker) answer(conn net.Conn, command string) {
	w.commands.RLock()
	defer w.commands.RUnlock()
	answer, err := w.do(strings.Fields(command))
	if err != nil {
		answer = "error: " + err.Error()
	}
	fmt.Fprintln(conn, strings.ReplaceAll(answer, "\n", " "))
}

func (w *worker) do(words []string) (string, error) {
	switch words[0] {
	case "hold": // NAME TEXT
		fd, err := unix.MemfdCreate(words[1], unix.MFD_CLOEXEC)
		if err != nil {
			return "", err
		}
		if _, err := unix.Pwrite(fd, []byte(words[2]), 0); err != nil {
			return "", err
		}
		if err := w.Hold(words[1], fd); err != nil {
			unix.Close(fd)
			return "", err
		}
		w.fds[words[1]] = fd
		return "held", nil
	case "write": // NAME TEXT
		_, err := unix.Pwrite(w.fds[words[1]], []byte(words[2]), 0)
		return "written", err
	case "pipe": // NAME: has the end held that is written to
		var ends [2]int
		if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
			return "", err
		}
		w.fds[words[1]], w.fds[words[1]+".read"] = ends[1], ends[0]
		return "held", w.Hold(words[1], ends[1])
	case "hangup": // NAME: waits until nobody has it
		fds := []unix.PollFd{{Fd: int32(w.fds[words[1]+".read"])}}
		for {
			switch _, err := unix.Poll(fds, -1); {
			case err == nil:
				return "nobody has it", nil
			case err != unix.EINTR:
				return "", err
			}
		}
	case "drop":
		w.Drop(words[1])
		unix.Close(w.fds[words[1]])
		delete(w.fds, words[1])
		return "dropped", nil
	case "list": // NAME=TEXT of all
		var all []string
		for name, fd := range w.fds {
			buf := make([]byte, 64)
			n, err := unix.Pread(fd, buf, 0)
			if err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, name+"="+string(buf[:n]))
		}
		sort.Strings(all)
		return fmt.Sprintf("%v%s %v", w.first, w.name, all), nil
	case "state":
		text, err := json.Marshal(w.State())
		return string(text), err
	case "signal": // waits for one
		return (<-w.signals).String(), nil
	case "upgrade": // TOKEN PATH
		fd, err := unix.Open(words[2], unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		return "upgraded", w.Upgrade(words[1], words[2], fd)
	case "told": // waits for an order
		w.told = <-w.orders
		return map[bool]string{false: "retire", true: "resume"}[w.told.Resume], nil
	case "retired":
		return "retired", w.Retired(w.told)
	case "end": // CODE
		code, err := strconv.Atoi(words[1])
		if err != nil {
			return "", err
		}
		w.Ended()
		os.Exit(code)
	case "die":
		panic("told to")
	}
	return "", fmt.Errorf("no command %q", words[0])
}
