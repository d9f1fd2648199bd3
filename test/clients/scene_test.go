package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// scene is a multi mount, and the table that a client's rows go into.
type scene struct {
	*testing.T
	dir   string // the mount
	ns    string // the mount namespace of the view, in /proc
	table *table
}

// patience is for what waits for other processes.
const patience = time.Minute

// newScene mounts for the length of a test. What a test before it has left is a failure.
func newScene(t *testing.T, tab *table, devices string) *scene {
	t.Helper()
	s := &scene{T: t, dir: filepath.Join(harness.Dir(t), "zram"), table: tab}
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	before := nodes(t)
	t.Cleanup(func() {
		if after := nodes(t); after != before {
			t.Errorf("nodes before: %s\nafter: %s", before, after)
		}
	})
	harness.Undo(t, "mount", s.dir)
	harness.Run(t, harness.Bin(), "mount", "--multi", "--loop", "--detach", "--devices", devices, s.dir)
	t.Cleanup(func() {
		if res := harness.Uzram(t, "umount", s.dir); res.Err != nil {
			t.Errorf("umount: %s", res.Stderr)
		}
	})
	s.look()
	return s
}

// look makes a view that lasts as long as the scene, as a shell in one does.
func (s *scene) look() {
	s.Helper()
	holder := harness.Start(s.T, harness.Bin(), "sysfs", "--dir", s.dir, "--", "sh", "-c", "echo $$; exec cat")
	pid := holder.Stdout.Line(s.T, patience)
	s.ns = filepath.Join("/proc", pid, "ns/mnt")
	s.Cleanup(func() { // before the mount is taken down
		holder.CloseStdin()
		if code, stderr := holder.Wait(s.T, patience); code != 0 || stderr != "" {
			s.Errorf("the view ends with status %d: %s", code, stderr)
		}
	})
}

// nodes lists what a view makes and another could see. The kernel's own zram devices do not count.
func nodes(t *testing.T) string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"/dev/zram*", "/dev/.uzram*", "/run/udev*", "/run/udev/data/b7:*", "/run/modprobe.d*", "/run/uzram/views/*/*.view"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		const loopMajor = 7
		for _, path := range found {
			var st unix.Stat_t
			if unix.Lstat(path, &st) == nil && (st.Mode&unix.S_IFMT != unix.S_IFBLK || unix.Major(uint64(st.Rdev)) == loopMajor) {
				all = append(all, path)
			}
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "uzram-view") {
			all = append(all, line)
		}
	}
	return strings.Join(all, " ")
}

// try runs a command in the view.
func (s *scene) try(args ...string) harness.Result {
	s.Helper()
	return harness.Try(s.T, append([]string{"nsenter", "--mount=" + s.ns, "--", "env", "SYSTEMD_DEVICE_VERIFY_SYSFS=0"}, args...)...)
}

// run runs a command that must succeed in the view.
func (s *scene) run(args ...string) string {
	s.Helper()
	res := s.try(args...)
	if res.Err != nil {
		s.Fatalf("%q: %v\n%s%s", args, res.Err, res.Stdout, res.Stderr)
	}
	return strings.TrimSpace(res.Stdout)
}

// client begins the rows of a program.
func (s *scene) client(name string) *client { return &client{scene: s, name: name} }

// client is a program whose commands become rows.
type client struct {
	*scene
	name string
}

// works runs a command that must succeed; what it prints is to have all of these words in it, and becomes a row.
func (c *client) works(command string, want ...string) string {
	c.Helper()
	return c.row(command, works, 0, want...)
}

// refused runs a command that must fail with this status, as it does on the kernel's device.
func (c *client) refused(command string, code int, want ...string) {
	c.Helper()
	c.row(command, "pass: refused as by the kernel", code, want...)
}

const works = "pass"

func (c *client) row(command, verdict string, code int, want ...string) string {
	c.Helper()
	res := c.try("sh", "-c", "exec 2>&1; "+command)
	if res.Code != code {
		c.Errorf("%s: status %d, want %d\n%s%s", command, res.Code, code, res.Stdout, res.Stderr)
		verdict = "fails"
	}
	for _, w := range want {
		if !strings.Contains(res.Stdout, w) {
			c.Errorf("%s prints no %q:\n%s", command, w, res.Stdout)
			verdict = "fails"
		}
	}
	c.table.add(c.name, c.plain(command), c.plain(res.Stdout), verdict)
	return strings.TrimSpace(res.Stdout)
}

// cannot is a row for what cannot be as with the kernel's device, and why.
func (c *client) cannot(command, printed, why string) {
	c.table.add(c.name, c.plain(command), c.plain(printed), "does not apply: "+why)
}

// plain takes out of a text what is different each time.
func (s *scene) plain(text string) string {
	unpacked := unpackedDir(s.T) + "/"
	for _, r := range [][2]string{{s.dir, "DIR"}, {filepath.Dir(s.dir), "TMP"}, {unpacked + "zram-tools", ""}, {unpacked + "systemd-zram-generator", ""},
		{unpacked + "udev", ""}} {
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	return mask(text)
}
