package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"uzram/internal/fusermount"
	"uzram/internal/mountinfo"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// The exit codes.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotMounted = 3
	exitBusy       = 4
	exitMissing    = 5
)

// exitCodes documents them.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "done"},
	{exitFailed, "the operation failed"},
	{exitUsage, "unknown verb or flag, wrong argument, or a setting that the device refuses"},
	{exitNotMounted, "the directory is not a uzram mount"},
	{exitBusy, "something uses the device or the mount; the message says what"},
	{exitMissing, "a right or a kernel feature is missing"},
}

// codedError is an error with an exit code of its own.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// withCode gives an error an exit code; nil stays nil.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code, err}
}

// usagef is an error of the user's.
func usagef(format string, args ...any) error {
	return withCode(exitUsage, fmt.Errorf(format, args...))
}

// errnoCodes is the meaning of an errno where the error has no code of its own.
var errnoCodes = []struct {
	errno error
	code  int
}{
	{mountinfo.ErrNotMounted, exitNotMounted},
	{unix.EBUSY, exitBusy},
	{unix.EPERM, exitMissing},
	{unix.EACCES, exitMissing},
	{unix.ENODEV, exitMissing},
	{unix.ENOSYS, exitMissing},
	{unix.ENOTTY, exitMissing},
	{fusermount.ErrMissing, exitMissing},
}

// exitCode returns the code for an error that a verb returned.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if coded, ok := errors.AsType[*codedError](err); ok {
		return coded.code
	}
	if _, child := errors.AsType[*exec.ExitError](err); child { // happens to have the methods of an ExitCoder
		return exitFailed
	}
	if _, ok := errors.AsType[cli.ExitCoder](err); ok { // the library's own: an unknown topic of help
		return exitUsage
	}
	for _, e := range errnoCodes {
		if errors.Is(err, e.errno) {
			return e.code
		}
	}
	return exitFailed
}

// exitCodeText is the table for help texts.
func exitCodeText() string {
	var b strings.Builder
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "%d  %s\n", e.code, e.meaning)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
