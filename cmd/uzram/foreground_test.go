package main

import (
	"os/exec"
	"strings"
	"testing"
)

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
