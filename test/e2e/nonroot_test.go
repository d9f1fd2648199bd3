package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// The user who has no rights at all on a Debian-like system; fusermount3 wants one with a name.
const (
	nobodyUID = 65534
	nobodyGID = 65534
)

// sandbox is a private mount namespace in which every user may open /dev/fuse, as is usual, and fusermount3 has its default
// settings, whatever the machine's are.
type sandbox struct {
	t   *testing.T
	dir string // belongs to nobody
	bin string // a copy of the binary that nobody can read
	ns  *harness.Namespace
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := &sandbox{t: t, dir: harness.Dir(t)}
	s.bin = filepath.Join(s.dir, "uzram")
	harness.Run(t, "cp", harness.Bin(), s.bin)
	if err := os.Chown(s.dir, nobodyUID, nobodyGID); err != nil {
		t.Fatal(err)
	}
	s.ns = harness.NewNamespace(t, `mount -t tmpfs none "$1"
		mknod -m 666 "$1/fuse" c 10 229
		mount --bind "$1/fuse" /dev/fuse
		: > "$1/fuse.conf"
		[ ! -e /etc/fuse.conf ] || mount --bind "$1/fuse.conf" /etc/fuse.conf`)
	return s
}

// root runs a command as root in the namespace.
func (s *sandbox) root(args ...string) harness.Result {
	s.t.Helper()
	return s.ns.Try(args...)
}

// nobody runs a command as the ordinary user.
func (s *sandbox) nobody(args ...string) harness.Result {
	s.t.Helper()
	user := []string{"setpriv", "--reuid", strconv.Itoa(nobodyUID), "--regid", strconv.Itoa(nobodyGID), "--clear-groups", "--"}
	return s.root(append(user, args...)...)
}

// must is nobody for what has to work; it returns the output.
func (s *sandbox) must(args ...string) string {
	s.t.Helper()
	res := s.nobody(args...)
	if res.Err != nil {
		s.t.Fatalf("%q as nobody: %v\n%s%s", args, res.Err, res.Stdout, res.Stderr)
	}
	return res.Stdout
}

// mount mounts a device for the ordinary user and sees to its end.
func (s *sandbox) mount(args ...string) (dir string) {
	s.t.Helper()
	dir = filepath.Join(s.dir, "dev")
	s.must("mkdir", dir)
	args = append([]string{s.bin, "mount", "--detach", "--log", filepath.Join(s.dir, "log")}, args...)
	s.must(append(args, dir)...)
	s.t.Cleanup(func() { s.root("umount", "-l", dir) })
	return dir
}

// status returns the status of the mount on dir, and checks that nobody's process serves it.
func (s *sandbox) status(dir string) (st harness.Status) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.must(s.bin, "status", "--json", dir)), &st); err != nil {
		s.t.Fatal(err)
	}
	var proc unix.Stat_t
	if err := unix.Stat(filepath.Join("/proc", strconv.Itoa(st.WorkerPID)), &proc); err != nil || proc.Uid != nobodyUID {
		s.t.Fatalf("process %d of user %d serves the mount: %v", st.WorkerPID, proc.Uid, err)
	}
	return st
}

// TestNonRoot: an ordinary user mounts, stores, reads back and unmounts, with the help of fusermount3 alone.
func TestNonRoot(t *testing.T) {
	s := newSandbox(t)
	dir := s.mount("--disksize", "64M", "--algorithm", "zstd")
	st := s.status(dir)
	checkGuards(t, st.Guards)
	for _, g := range st.Guards {
		if (g.Name == "io_flusher" || g.Name == "oom_score_adj") && (g.State != "refused" || g.Reason == "") {
			t.Errorf("guard %s of an ordinary user is %s (%s), want refused with a reason", g.Name, g.State, g.Reason)
		}
	}
	mounts := s.must("cat", "/proc/self/mountinfo")
	if !strings.Contains(mounts, " "+dir+" ") || !strings.Contains(mounts, " - fuse.uzram uzram ") {
		t.Errorf("not in mountinfo as fuse.uzram of uzram:\n%s", mounts)
	}

	s.must("sh", "-ec", `cd "$1"
		cat "$2" > copy
		dd if=copy of=dev/image bs=64K conv=notrunc status=none
		cmp -n "$(stat -c %s copy)" copy dev/image
		awk '$1 > 0 && $3 < $1 { found = 1 } END { exit !found }' dev/mm_stat
		echo 1 > dev/compact`, "sh", s.dir, s.bin)
	if res := s.nobody("sh", "-c", `echo 1 > "$1/reset"`, "sh", dir); res.Err != nil {
		t.Errorf("reset as nobody: %s", res.Stderr)
	}

	if res := s.root("cat", filepath.Join(dir, "disksize")); res.Code == 0 || !strings.Contains(res.Stderr, "Permission denied") {
		t.Errorf("root looks into the mount without --allow-other: status %d, %q", res.Code, res.Stderr)
	}
	s.must(s.bin, "umount", dir)
	if !harness.WaitGone(st.WorkerPID, patience) {
		t.Error("the daemon still runs after umount")
	}
	if strings.Contains(s.must("cat", "/proc/self/mountinfo"), " "+dir+" ") {
		t.Error("still mounted after umount")
	}
}

// TestNonRoot_Busy: the ordinary user is told who holds the mount.
func TestNonRoot_Busy(t *testing.T) {
	s := newSandbox(t)
	dir := s.mount("--disksize", "1M")
	st := s.status(dir)
	res := s.nobody("sh", "-c", `exec 3< "$1/image"; "$2" umount "$1"`, "sh", dir, s.bin)
	if res.Code != 4 || !strings.Contains(res.Stderr, "(sh)") {
		t.Errorf("umount of a busy mount: status %d, %q; want 4 and the shell's name", res.Code, res.Stderr)
	}
	s.must("cat", filepath.Join(dir, "disksize"))
	s.must("fusermount3", "-u", dir)
	if !harness.WaitGone(st.WorkerPID, patience) {
		t.Error("the daemon still runs after fusermount3 -u")
	}
}

// TestNonRoot_Refused: what an ordinary user may not do is named, exit code 5, and leaves nothing.
func TestNonRoot_Refused(t *testing.T) {
	s := newSandbox(t)
	dir := filepath.Join(s.dir, "dev")
	s.must("mkdir", dir)
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"loop", []string{"--loop"}, "loop"},
		{"loop, foreground", []string{"--loop"}, "loop"},
	} {
		args := append([]string{s.bin, "mount"}, tt.args...)
		if !strings.Contains(tt.name, "foreground") {
			args = append(args, "--detach")
		}
		res := s.nobody(append(args, dir)...)
		if res.Code != 5 || !strings.Contains(res.Stderr, tt.says) || strings.Count(res.Stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q; want 5 and one line about %q", tt.name, res.Code, res.Stderr, tt.says)
		}
		if mounts := s.must("cat", "/proc/self/mountinfo"); strings.Contains(mounts, " "+dir+" ") {
			t.Errorf("%s: left a mount", tt.name)
		}
	}
}

// TestNonRoot_Sysfs: root does not look at an ordinary user's mount as if it were the kernel's, for that user could change it.
func TestNonRoot_Sysfs(t *testing.T) {
	s := newSandbox(t)
	dir := s.mount("--multi")
	if res := s.root(harness.Bin(), "sysfs", "--dir", dir, "true"); res.Code != 2 || !strings.Contains(res.Stderr, "another user's mount") {
		t.Errorf("status %d: %s", res.Code, res.Stderr)
	}
	s.must(s.bin, "umount", dir)
}

// TestAllowOther: other users see nothing of a mount unless --allow-other says so, and then what the modes allow.
func TestAllowOther(t *testing.T) {
	nobody := func(script, dir string) harness.Result {
		t.Helper()
		return harness.Try(t, "setpriv", "--reuid", strconv.Itoa(nobodyUID), "--regid", strconv.Itoa(nobodyGID), "--clear-groups", "--",
			"sh", "-c", script, "sh", dir)
	}
	own := harness.Mount(t, harness.Options{Disksize: "1M"})
	for _, script := range []string{`cat "$1/mm_stat"`, `ls "$1"`} {
		if res := nobody(script, own.Dir); res.Code == 0 {
			t.Errorf("without --allow-other nobody can %s: %s", script, res.Stdout)
		}
	}
	shared := harness.Mount(t, harness.Options{Disksize: "1M", Args: []string{"--allow-other"}})
	for _, tt := range []struct {
		script string
		works  bool
	}{
		{`cat "$1/mm_stat" "$1/debug/status"`, true},
		{`echo 1M > "$1/disksize"`, false},
		{`echo 1 > "$1/reset"`, false},
		{`echo 1 > "$1/debug/control"`, false},
		{`cat "$1/image"`, false},
		{`cat "$1/debug/block_state"`, false},
	} {
		if res := nobody(tt.script, shared.Dir); (res.Code == 0) != tt.works {
			t.Errorf("with --allow-other nobody's %s: status %d, %s", tt.script, res.Code, res.Stderr)
		}
	}
	if got := shared.Get("disksize"); got != "1048576" {
		t.Errorf("disksize is %s afterwards", got)
	}
}
