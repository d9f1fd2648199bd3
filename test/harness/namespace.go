package harness

import (
	"path/filepath"
	"strconv"
	"testing"
)

// Namespace is a private mount namespace: what is mounted in it nobody else sees.
type Namespace struct {
	t    testing.TB
	file string
}

// NewNamespace makes a namespace for the length of the test and runs a shell script in it; dir, an empty directory of its
// own, is $1 and args are the rest.
func NewNamespace(t testing.TB, script string, args ...string) *Namespace {
	t.Helper()
	command := []string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", script + "\necho ready\nexec cat >&2", "sh", Dir(t)}
	holder := Start(t, append(command, args...)...)
	if line := holder.Stdout.Line(t, mountTimeout); line != "ready" {
		t.Fatalf("the first process of the namespace says %q", line)
	}
	return &Namespace{t: t, file: filepath.Join("/proc", strconv.Itoa(holder.PID), "ns/mnt")}
}

// Try runs a command in the namespace.
func (n *Namespace) Try(args ...string) Result {
	n.t.Helper()
	return Try(n.t, append([]string{"nsenter", "--mount=" + n.file, "--"}, args...)...)
}
