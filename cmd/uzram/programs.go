package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// adminPath is where the programs of mkfs and swapon are, which an ordinary PATH may lack.
const adminPath = "/usr/local/sbin:/usr/sbin:/sbin"

// runProgram runs a program of the system; the error has what it said.
func runProgram(name string, args ...string) error {
	if path := os.Getenv("PATH"); !strings.Contains(path, adminPath) {
		os.Setenv("PATH", strings.TrimPrefix(path+":"+adminPath, ":")) // an empty entry is the working directory
	}
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return withCode(exitMissing, fmt.Errorf("the program %s is missing", name))
	}
	if said := strings.TrimSpace(stderr.String()); said != "" {
		return errors.New(said)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// runSelf runs this program; the error has its exit code.
func runSelf(args ...string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := exec.Command(exe, args...)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return childError(err, stderr.String())
	}
	return nil
}
