package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"uzram/internal/sysview"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// A view is made by a process of its own:
//
//	uzram sysfs            holds the session, waits
//	  └─ uzram sysfs-view  in the new namespace: builds the view, follows mount and kernel
//	       └─ COMMAND
//
// When COMMAND has ended the view ends too, unless swap space was made in it: /proc/swaps names it as it is called in the
// view, and not at all as other views do once that is gone. Then the process says how COMMAND ended, lets go of the terminal
// and stays until the swap space ends.
//
// With --system it is in the caller's namespace and session leader, and goes on when uzram sysfs has ended.

// viewVerb is for uzram itself and not listed.
const viewVerb = "sysfs-view"

const (
	exitNoProgram  = 127
	exitCannotRun  = 126
	exitSignalBase = 128
)

// args are those of the process that makes the view.
func (o sysfsOptions) args(system bool) []string {
	args := []string{viewVerb, "--dir", o.dir, "--keep-kernel=" + strconv.FormatBool(o.keepKernel), "--system=" + strconv.FormatBool(system), "--"}
	return append(args, o.command...)
}

// private runs the command in a view of its own.
func (o sysfsOptions) private() error {
	s, err := openSession(o.dir)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ours.Close()
	cmd := exec.Command(exe, o.args(false)...)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	released := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(ours).ReadString('\n')
		code, cerr := strconv.Atoi(strings.TrimSpace(line))
		switch {
		case err != nil || cerr != nil: // it ends with the view, and is waited for
		case code == 0:
			released <- nil
		default:
			released <- withCode(code, errSaid)
		}
	}()
	return errors.Join(attend(cmd, func() { theirs.Close() }, released), s.end())
}

// attend runs a program on this process's terminal, hands it the signals that mean it, and ends as it does, or when it is
// released. started is called when the program has what it inherits.
func attend(cmd *exec.Cmd, started func(), released <-chan error) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 8)
	catch(signals, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	err := cmd.Start()
	started()
	if err != nil {
		code := exitCannotRun
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			code = exitNoProgram
		}
		return withCode(code, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-released:
			return err
		case err := <-ended:
			return endedAs(cmd.ProcessState, err)
		case sig := <-signals:
			if sig == unix.SIGTERM || sig == unix.SIGHUP { // the terminal sends the others to all
				_ = cmd.Process.Signal(sig)
			}
		}
	}
}

// catch has the signals sent to c but for those that this process was started to ignore, as by nohup.
func catch(c chan<- os.Signal, all ...os.Signal) {
	if all = slices.DeleteFunc(all, signal.Ignored); len(all) > 0 { // none would mean every one
		signal.Notify(c, all...)
	}
}

// endedAs is the error with a program's own exit code; what there was to say the program has said.
func endedAs(state *os.ProcessState, err error) error {
	if err == nil {
		return nil
	}
	if state == nil {
		return err
	}
	code := state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = exitSignalBase + int(status.Signal())
	}
	return withCode(code, errSaid)
}

func viewCommand() *cli.Command {
	return &cli.Command{
		Name:   viewVerb,
		Hidden: true,
		Flags:  []cli.Flag{&cli.StringFlag{Name: "dir"}, &cli.BoolFlag{Name: "keep-kernel"}, &cli.BoolFlag{Name: "system"}},
		Action: func(c *cli.Context) error {
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			o := sysview.Options{Dir: c.String("dir"), KeepKernel: c.Bool("keep-kernel"), CopyDev: true, HideLoops: true, Exe: exe}
			switch {
			case o.Dir == "":
				return usagef("%s is for uzram itself", viewVerb)
			case c.Bool("system"):
				o.HideLoops = false
				o.CopyDev = sysview.KernelHasZram("/")
				return systemView(o)
			}
			return privateView(o, c.Args().Slice(), c.App.ErrWriter)
		},
	}
}

// privateView is the process in a namespace of its own.
func privateView(o sysview.Options, command []string, stderr io.Writer) error {
	unix.CloseOnExec(readyFD)                    // or whatever runs on behind the command would have it
	catch(make(chan os.Signal, 1), unix.SIGTSTP) // hot_add waits for the view, which must not stop with the command
	// What is mounted and unmounted outside is to happen here too, but not the other way round.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("make the mount namespace private: %w", err)
	}
	if err := sysview.ForgetOthers(o.Dir); err != nil {
		return fmt.Errorf("leave other mounts alone: %w", err)
	}
	w, err := sysview.Start(o, false, func(err error) { fmt.Fprintf(stderr, "uzram: view: %s\n", sentence(err)) })
	if err != nil {
		return fmt.Errorf("make the view: %w", err)
	}
	if len(command) == 0 {
		command = []string{shell()}
	}
	if err := setViewEnv(); err != nil {
		return errors.Join(err, w.Close())
	}
	cmd := exec.Command(command[0], command[1:]...)
	err = attend(cmd, func() {}, nil)
	if v := w.View(); len(v.Swaps()) > 0 {
		if lerr := letGo(err); lerr != nil {
			err = errors.Join(err, lerr)
		} else if lerr := v.WaitSwaps(); lerr != nil {
			err = errors.Join(err, lerr)
		}
	}
	return errors.Join(err, w.Close())
}

// letGo tells the first process how the command ended, and leaves its terminal and session.
func letGo(err error) error {
	released := os.NewFile(readyFD, "released")
	defer released.Close()
	null, nerr := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if nerr != nil {
		return nerr
	}
	defer unix.Close(null)
	for fd := range 3 {
		if err := unix.Dup3(null, fd, 0); err != nil {
			return err
		}
	}
	_, _ = unix.Setsid() // a leader stays one
	_ = os.Chdir("/")
	_, werr := fmt.Fprintln(released, exitCode(err))
	return werr
}

// shell is the user's.
func shell() string {
	if s := os.Getenv("SHELL"); s != "" {
		return s
	}
	return "/bin/sh"
}

// setViewEnv makes the environment that of a command in a view: systemd's programs do not insist on sysfs, and one that this
// machine lacks is found.
func setViewEnv() error {
	if err := os.Setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0"); err != nil {
		return err
	}
	if _, err := os.Stat(sysview.ShimDir); err != nil {
		return nil
	}
	return os.Setenv("PATH", os.Getenv("PATH")+":"+sysview.ShimDir)
}
