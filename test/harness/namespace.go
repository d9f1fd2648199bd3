package harness

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Namespace is a private mount namespace: what is mounted in it nobody else sees.
type Namespace struct {
	t    testing.TB
	file string
}

// forgetOthers drops the mounts of others from a namespace, or their unmounting would not end them while it lasts. One below
// another has gone with it.
const forgetOthers = `awk -v run="$RUN/" 'index($5, run) != 1 && / - fuse.uzram |\/dev\/(loop|zram)/ {print $5}' /proc/self/mountinfo |
	while read -r m; do umount -l "$m" || :; done
`

// NewNamespace makes a namespace for the length of the test and runs a shell script in it; dir, an empty directory of its
// own, is $1 and args are the rest.
func NewNamespace(t testing.TB, script string, args ...string) *Namespace {
	t.Helper()
	script = strings.ReplaceAll(forgetOthers, "$RUN", run.root) + script + "\necho ready\nexec cat >&2"
	command := []string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", Dir(t)}
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
