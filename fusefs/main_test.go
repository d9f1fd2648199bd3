package fusefs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/mountinfo"
	"uzram/internal/status"
	"uzram/store"
)

// A process must never touch a mount that it serves. So tests that mount start
// this test binary again as the server, and are themselves the client.

const serverEnv = "UZRAM_FUSEFS_SERVER"

// serverConfig is what a server is told.
type serverConfig struct {
	Dir     string
	Loop    bool
	Helped  bool
	Multi   bool   // without devices to begin with
	Hook    string // what is told goes into that file; one that says "fail" fails
	Workers int
	Vault   int  // descriptor of a socket to who keeps things for a successor; 0 = none
	Standby bool // wait for the vault to say go, and take over
}

// retirePatience is how long a server that is told to retire waits for commands.
const retirePatience = 3 * time.Second

func TestMain(m *testing.M) {
	if text := os.Getenv(serverEnv); text != "" {
		os.Exit(serve(text))
	}
	os.Exit(m.Run())
}

// serve is the server's life: it mounts, says so, and carries out one command
// per line of its input. Lines of its output are the answers.
func serve(config string) int {
	var c serverConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		fmt.Println("error", err)
		return 2
	}
	goOn := make(chan struct{})
	faults := &faultyConn{}
	m, err := mountHere(c, faults, func(verb string, args []string) error {
		switch {
		case verb == "wait" && len(args) == 0:
			<-goOn
			return nil
		case verb == "fail":
			return errors.New("no errno in here")
		case verb == "note" && len(args) == 1:
			return note(args[0])
		}
		return unix.EINVAL
	})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("ready", strings.Join(m.LoopPaths(), " "))
	commands := make(chan string)
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			commands <- in.Text()
		}
		close(commands)
	}()
	ended := make(chan error, 1)
	wait := func(m *Mount) { ended <- m.Wait() }
	go wait(m)
	for {
		select {
		case err := <-ended:
			if loops := m.LoopPaths(); len(loops) > 0 {
				fmt.Println("error", loops)
			}
			fmt.Println("ended", err)
			return 0
		case c := <-commands:
			switch c {
			case "go on":
				close(goOn)
			case "mute", "hold", "hold releases":
				faults.set(c)
				fmt.Println("so be it")
			case "taken":
				fmt.Println(faults.taken.Load())
			case "adopt":
				if m, err = adoptInPlace(m, faults); err != nil {
					fmt.Println("error", err)
					return 1
				}
				go wait(m)
				fmt.Println("adopted")
			case "commands":
				fmt.Println(m.nodes.commands.Load())
			case "retire":
				fmt.Println(m.Retire(retirePatience))
			case "resume":
				m.Resume()
				fmt.Println("so be it")
			case "unmount", "":
				if err := m.Unmount(); err != nil {
					var busy *mountinfo.BusyError
					fmt.Println("error", errors.As(err, &busy), err)
					if c == "" { // the test is gone: nobody will ask again
						return 1
					}
				}
			}
		}
	}
}

// mountHere mounts in this process, or takes over what another one mounted.
func mountHere(c serverConfig, faults *faultyConn, control func(string, []string) error) (*Mount, error) {
	workers, err := store.NewWorkers(c.Workers)
	if err != nil {
		return nil, err
	}
	o := Options{
		Dir:     c.Dir,
		Loop:    c.Loop,
		helped:  c.Helped,
		wrap:    faults.wrap,
		Workers: workers,
		Version: "test",
		Guards:  func(Reserve) []status.Guard { return []status.Guard{{Name: "mlock", State: status.GuardOff}} },
		Control: control,
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if c.Vault != 0 {
		o.Vault = vaultSocket(c.Vault)
	}
	if c.Multi {
		o.Multi = multiHere(workers, o.Vault, c.Hook)
	}
	if c.Standby {
		held, err := vaultSocket(c.Vault).await()
		if err != nil {
			return nil, err
		}
		if o.Multi == nil {
			if o.Device, err = store.AdoptDevice(workers, o.Vault, "d0.", held); err != nil {
				return nil, err
			}
		}
		return Adopt(o, held)
	}
	if o.Multi == nil {
		if o.Device, err = newDevice(workers, o.Vault, "d0."); err != nil {
			return nil, err
		}
	}
	faults.options = o
	return New(o)
}

// newDevice makes a device that a vault keeps if there is one.
func newDevice(workers *store.Workers, vault store.Vault, prefix string) (*store.Device, error) {
	d := store.NewDevice(workers)
	if vault == nil {
		return d, nil
	}
	return d, d.SetVault(vault, prefix)
}

func multiHere(workers *store.Workers, vault store.Vault, hook string) *Multi {
	m := &Multi{
		New: func(prefix string) (*store.Device, error) { return newDevice(workers, vault, prefix) },
		Adopt: func(prefix string, fds map[string]int) (*store.Device, error) {
			return store.AdoptDevice(workers, vault, prefix, fds)
		},
	}
	if hook != "" {
		m.Hook = func(action, name string, dev uint64) error {
			return told(hook, fmt.Sprintf("%s %s %d", action, name, unix.Major(dev)))
		}
	}
	return m
}

// told adds a line to the hook's file, and fails if its first one says so.
func told(name, line string) error {
	var err error
	if text, rerr := os.ReadFile(name); rerr == nil && strings.HasPrefix(string(text), "fail\n") {
		err = errors.New("told to fail")
	}
	f, ferr := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if ferr != nil {
		return ferr
	}
	fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}

// server is a mount served by another process.
type server struct {
	t    *testing.T
	dir  string
	loop string
	pid  int
	in   *os.File // commands
	pipe *os.File // answers
	out  *bufio.Scanner
	gone bool

	process *os.Process
}

// mounted mounts a device and unmounts it when the test ends.
func mounted(t *testing.T, c serverConfig) *server {
	t.Helper()
	s := &server{t: t, dir: c.Dir}
	s.start(c)
	t.Cleanup(s.finish)
	return s
}

// start starts a process that serves.
func (s *server) start(c serverConfig) {
	s.t.Helper()
	s.launch(c)
	s.ready()
}

// launch starts a process; it inherits the files from descriptor 3 on.
func (s *server) launch(c serverConfig, files ...*os.File) {
	s.t.Helper()
	c.Workers = max(c.Workers, 2)
	config, err := json.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	inR, inW, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.process, err = os.StartProcess("/proc/self/exe", []string{"fusefs.test"}, &os.ProcAttr{
		Env:   append(os.Environ(), serverEnv+"="+string(config), "GORACE=atexit_sleep_ms=0"),
		Files: append([]*os.File{inR, outW, os.Stderr}, files...),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	s.pid, s.in, s.pipe, s.out = s.process.Pid, inW, outR, bufio.NewScanner(outR)
}

// ready waits until it serves.
func (s *server) ready() {
	s.t.Helper()
	word, rest, _ := strings.Cut(s.line(), " ")
	if word != "ready" {
		s.gone = true
		s.finish()
		s.t.Fatalf("server: %s %s", word, rest)
	}
	s.loop = rest
}

// finish unmounts and waits for the process.
func (s *server) finish() {
	s.end()
	s.in.Close()
	if s.process != nil {
		if st, err := s.process.Wait(); err != nil || !st.Success() {
			s.t.Errorf("server: %v, %v", st, err)
		}
	}
	s.process = nil
	s.pipe.Close()
}

// mountedHere is mounted in a fresh directory, without loop device.
func mountedHere(t *testing.T) *server {
	t.Helper()
	return mounted(t, serverConfig{Dir: t.TempDir()})
}

func (s *server) line() string {
	if !s.out.Scan() {
		return "closed its output"
	}
	return s.out.Text()
}

// command sends a line and returns the next one that the server says.
func (s *server) command(c string) string {
	s.t.Helper()
	s.send(c)
	return s.line()
}

func (s *server) send(c string) {
	s.t.Helper()
	if _, err := s.in.WriteString(c + "\n"); err != nil {
		s.t.Fatal(err)
	}
}

// end unmounts, unless it ended by itself. What cannot be unmounted is taken out
// of the tree and fails the test.
func (s *server) end() {
	if s.gone {
		return
	}
	if said := s.command("unmount"); said != "ended <nil>" {
		s.t.Errorf("unmount: %s", said)
		if err := unix.Unmount(s.dir, unix.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
		_ = unix.Kill(s.pid, unix.SIGKILL)
	}
	s.gone = true
}

// path is a file of the mount.
func (s *server) path(name string) string { return s.dir + "/" + name }

// read is the text of a control file.
func (s *server) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// try writes one command, as a program that opens the file for writing only.
func (s *server) try(name, command string) error {
	fd, err := unix.Open(s.path(name), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	n, err := unix.Write(fd, []byte(command))
	if err == nil && n != len(command) {
		return fmt.Errorf("%d of %d bytes written", n, len(command))
	}
	return err
}

// set writes a command that must succeed.
func (s *server) set(name, command string) {
	s.t.Helper()
	if err := s.try(name, command); err != nil {
		s.t.Fatalf("%s <- %q: %v", name, command, err)
	}
}

// open opens a file of the mount until the test ends or it is closed.
func (s *server) open(name string, flags int) int {
	s.t.Helper()
	fd, err := unix.Open(s.path(name), flags|unix.O_CLOEXEC, 0)
	if err != nil {
		s.t.Fatalf("open %s: %v", name, err)
	}
	return fd
}

// status is the mount's own account.
func (s *server) status() status.Status {
	s.t.Helper()
	var st status.Status
	if err := json.Unmarshal([]byte(s.read("debug/status")), &st); err != nil {
		s.t.Fatal(err)
	}
	return st
}

// eventually waits until ok, for what another process does on its own.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
