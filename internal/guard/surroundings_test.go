package guard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/internal/status"
)

func TestKeeper(t *testing.T) {
	for _, c := range []struct {
		pid     int
		standby bool
		state   status.GuardState
		says    string
	}{
		{0, false, status.GuardOff, "lose"},
		{7, false, status.GuardActive, "no standby"},
		{7, true, status.GuardActive, "a standby is ready"},
	} {
		if g := Keeper(c.pid, c.standby); g.State != c.state || !strings.Contains(g.Reason, c.says) {
			t.Errorf("%+v, want %s with %q", g, c.state, c.says)
		}
	}
}

func TestSystemd(t *testing.T) {
	if g := Systemd(); g.Name != Keeper(0, false).Name || g.State != status.GuardActive || !strings.Contains(g.Reason, "systemd") {
		t.Errorf("%+v", g)
	}
}

func TestLog(t *testing.T) {
	if g := Log(0); g.State != status.GuardActive || g.Reason != "" {
		t.Errorf("%+v", g)
	}
	if g := Log(3); !strings.HasPrefix(g.Reason, "3 records") {
		t.Errorf("%+v", g)
	}
}

// TestThrottle: limits of both versions of control groups are found, on the group itself and above.
func TestThrottle(t *testing.T) {
	const none1, none2 = "9223372036854771712\n", "max\n"
	for _, c := range []struct {
		name   string
		files  map[string]string
		groups string
		want   string
	}{
		{"no groups", nil, "", ""},
		{"no limit", map[string]string{
			"a/b/memory.max": none2, "a/b/memory.high": none2, "a/b/cpu.max": "max 100000\n",
			"memory/x/memory.limit_in_bytes": none1, "cpu/x/cpu.cfs_quota_us": "-1\n",
		}, "4:memory:/x\n3:cpu,cpuacct:/x\n0::/a/b\n", ""},
		{"its own, version 2", map[string]string{"a/b/memory.high": "1048576\n"}, "0::/a/b\n", "memory.high of /a/b is 1.00 MiB"},
		{"one above", map[string]string{"a/b/memory.max": none2, "a/memory.max": "4096\n"}, "0::/a/b\n", "memory.max of /a is 4.00 KiB"},
		{"processor", map[string]string{"a/cpu.max": "5000 100000\n"}, "0::/a\n", "cpu.max of /a is 5000 100000"},
		{"version 1", map[string]string{"memory/x/memory.limit_in_bytes": "4096\n"}, "4:memory:/x\n0::/\n", "memory.limit_in_bytes of /x is 4.00 KiB"},
		{"processor, version 1", map[string]string{"cpu/cpu.cfs_quota_us": "50\n"}, "3:cpu,cpuacct:/x/y\n", "cpu.cfs_quota_us of / is 50"},
		{"another controller's group", map[string]string{"memory/x/memory.limit_in_bytes": "4096\n"}, "8:pids:/x\n", ""},
		{"a line that is none", nil, "memory\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range c.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := throttle(root, c.groups); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCgroup(t *testing.T) {
	if g := Cgroup(0, os.Getpid()); g.Name != "cgroup" || g.State == status.GuardOff || (g.State == status.GuardRefused) == (g.Reason == "") {
		t.Errorf("%+v", g)
	}
	if g := Cgroup(1 << 30); g.State != status.GuardOff {
		t.Errorf("of no process: %+v", g)
	}
}
