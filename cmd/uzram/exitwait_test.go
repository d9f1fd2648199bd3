package main

import (
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestExitWait(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := watchExit(cmd.Process.Pid)
	defer w.close()
	if err := w.wait(time.Millisecond); err == nil || !strings.Contains(err.Error(), "still runs") {
		t.Errorf("a running process: %v, want that it still runs", err)
	}
	go func() {
		io.WriteString(in, "x")
		in.Close()
		cmd.Wait()
	}()
	if err := w.wait(time.Minute); err != nil {
		t.Error(err)
	}
	gone := watchExit(cmd.Process.Pid)
	defer gone.close()
	if err := gone.wait(time.Minute); err != nil {
		t.Errorf("a process that is gone: %v", err)
	}
}
