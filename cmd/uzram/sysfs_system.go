package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"uzram/internal/logging"
	"uzram/internal/sysview"

	"golang.org/x/sys/unix"
)

// The process behind the machine's view says on readyFD that the view stands, or why not.
const (
	readyFD   = 3 // the first of exec.Cmd's ExtraFiles
	readyText = "ready"
)

// system makes the view for the whole machine.
func (o sysfsOptions) system() error {
	s, err := openSession(o.dir)
	if err != nil {
		return err
	}
	err = o.startSystem()
	if err != nil {
		return errors.Join(err, s.end())
	}
	return s.end() // which leaves a mount alone that a view shows
}

func (o sysfsOptions) startSystem() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ours.Close()
	cmd := exec.Command(exe, o.args(true)...)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	line, _ := bufio.NewReader(ours).ReadString('\n')
	text := strings.TrimSpace(line)
	if text == readyText {
		return nil
	}
	end := cmd.Wait()
	if text == "" {
		return fmt.Errorf("the process behind the view ended before it stood: %v", end)
	}
	return withCode(cmd.ProcessState.ExitCode(), errors.New(text))
}

// undo takes the machine's view down, whether its process lives or not.
func (o sysfsOptions) undo() error {
	s, err := joinSession(o.dir) // the mount may be gone before its view
	if err != nil {
		return err
	}
	told, err := sysview.Stop(o.dir)
	found := false
	if !told && err == nil { // a view that goes slowly is still at it
		var uerr error
		found, uerr = sysview.Undo()
		err = errors.Join(err, uerr)
	}
	if err == nil && !told && !found {
		err = fmt.Errorf("there is no view for the whole machine to take down")
	}
	if s != nil {
		err = errors.Join(err, s.end())
	}
	return err
}

// systemView is the process behind the view of the whole machine.
func systemView(o sysview.Options) error {
	ready := os.NewFile(readyFD, "ready")
	err := watchSystem(o, func() {
		fmt.Fprintln(ready, readyText)
		ready.Close()
	})
	if err != nil {
		fmt.Fprintln(ready, sentence(err)) // fails once the view stands, and then syslog has it
		return withCode(exitCode(err), errSaid)
	}
	return nil
}

// watchSystem builds the view, follows mount and kernel, and takes it down when it is told to.
func watchSystem(o sysview.Options, stands func()) error {
	signals := make(chan os.Signal, 1)
	catch(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	handler := logging.New(&logging.Syslog{Tag: "uzram"}, logging.Options{})
	defer handler.Close()
	log := slog.New(handler)
	w, err := sysview.Start(o, true, func(err error) { log.Error("view: " + sentence(err)) })
	if err != nil {
		return fmt.Errorf("make the view: %w", err)
	}
	stands()
	_ = os.Chdir("/")
	select {
	case <-w.Ordered():
	case <-signals:
	}
	if err = w.Close(); err != nil {
		log.Error("view: " + sentence(err))
	}
	return err
}
