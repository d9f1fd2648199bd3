package main

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestForeground_LogNobodyReads: `uzram mount DIR 2>&1 | head -1` must not lose a disk.
func TestForeground_LogNobodyReads(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(binary, "mount", dir)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(log).ReadString('\n')
	if err != nil || !strings.Contains(line, "msg=mounted") {
		t.Errorf("first line %q, %v", line, err)
	}
	log.Close()
	if err := unix.Kill(cmd.Process.Pid, unix.SIGTERM); err != nil { // says that it unmounts
		t.Fatal(err)
	}
	kill := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer kill.Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the daemon ended with: %v", err)
	}
	if _, err := mounted(dir); err == nil {
		t.Errorf("%s is still mounted", dir)
		_ = unix.Unmount(dir, unix.MNT_DETACH)
	}
}

func TestChildError(t *testing.T) {
	run := func(script string) (stderr string, err error) {
		var b strings.Builder
		cmd := exec.Command("sh", "-c", script)
		cmd.Stderr = &b
		err = cmd.Run()
		return b.String(), err
	}
	for _, c := range []struct {
		script string
		code   int
		text   string
	}{
		{"echo 'uzram: bad value' >&2; exit 2", exitUsage, "bad value"},
		{"exit 2", exitFailed, "apply the settings: exit status 2"},
		{"kill -9 $$", exitFailed, "apply the settings: signal: killed"},
	} {
		stderr, err := run(c.script)
		if err = childError(err, stderr); exitCode(err) != c.code || err.Error() != c.text {
			t.Errorf("%s: %v, code %d; want %q, %d", c.script, err, exitCode(err), c.text, c.code)
		}
	}
}
