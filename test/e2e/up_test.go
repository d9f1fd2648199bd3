package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"uzram/test/harness"
)

// upRoot makes a root directory with so many MiB of memory, as zram-generator looks for it, and this configuration.
func upRoot(t *testing.T, ram int, conf string) string {
	t.Helper()
	root := harness.Dir(t)
	for name, text := range map[string]string{
		"proc/meminfo":                    fmt.Sprintf("MemTotal: %d kB\n", ram*1024),
		"etc/systemd/zram-generator.conf": conf,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// up runs uzram up with the configuration below root; whatever it leaves goes with the test.
func up(t *testing.T, root string, args ...string) (dir string, res harness.Result) {
	t.Helper()
	dir = filepath.Join(harness.Dir(t), "up")
	harness.Undo(t, "mount", dir)
	t.Cleanup(func() {
		if t.Failed() { // else the test has done it
			harness.Uzram(t, "down", "--dir", dir)
		}
	})
	args = append([]string{"env", "ZRAM_GENERATOR_ROOT=" + root, harness.Bin(), "up", "--dir", dir}, args...)
	return dir, harness.Try(t, args...)
}

// down takes dir down and looks whether all is gone.
func down(t *testing.T, dir string, loops ...string) {
	t.Helper()
	harness.Run(t, harness.Bin(), "down", "--dir", dir)
	if text := harness.Run(t, "cat", "/proc/self/mountinfo"); strings.Contains(text, " "+dir+" ") {
		t.Errorf("%s is mounted still", dir)
	}
	for _, loop := range loops {
		if _, ok := harness.Swaps()[loop]; ok {
			t.Errorf("%s is swap space still", loop)
		}
		if slices.Contains(harness.Loops(), loop) {
			t.Errorf("%s is attached still", loop)
		}
	}
}

// attrOf reads an attribute of a device below dir.
func attrOf(t *testing.T, dir string, number int, attr string) string {
	t.Helper()
	text, err := harness.ReadFile(fmt.Sprintf("%s/block/zram%d/%s", dir, number, attr))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// chosen is the algorithm in brackets.
func chosen(text string) string {
	_, text, _ = strings.Cut(text, "[")
	text, _, _ = strings.Cut(text, "]")
	return text
}

// TestUp_Published: the defaults of four distributions, on a machine of 1 GiB and on one of 16, give what they describe.
func TestUp_Published(t *testing.T) {
	for _, c := range []struct {
		name                 string
		small, large         int64 // MiB
		algorithm, secondary string
	}{
		{"fedora", 1024, 8192, "lz4", ""},
		{"arch", 512, 4096, "zstd", ""},
		{"debian", 512, 4096, "lz4", ""},
		{"cachyos", 1024, 16384, "zstd", "#1: lz4"},
	} {
		text, err := os.ReadFile(filepath.Join(harness.Repo(), "internal/zramconf/testdata", c.name, "zram-generator.conf"))
		if err != nil {
			t.Fatal(err)
		}
		for ram, size := range map[int]int64{1024: c.small, 16384: c.large} {
			t.Run(fmt.Sprintf("%s-%d", c.name, ram), func(t *testing.T) {
				dir, res := up(t, upRoot(t, ram, string(text)))
				if res.Code != 0 || res.Stderr != "" {
					t.Fatalf("status %d: %s", res.Code, res.Stderr)
				}
				t.Log(strings.TrimSpace(res.Stdout))
				loop := strings.TrimSpace(harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "loop", dir))
				swap, ok := harness.Swaps()[loop]
				if !ok || swap.Priority != 100 || int64(swap.SizeKiB) != size*1024-4 {
					t.Errorf("swap space on %s: %v, %+v; want priority 100 and %d MiB without a page", loop, ok, swap, size)
				}
				if got := attrOf(t, dir, 0, "disksize"); got != fmt.Sprint(size*mib) {
					t.Errorf("disksize %s, want %d MiB", got, size)
				}
				if got := chosen(attrOf(t, dir, 0, "comp_algorithm")); got != c.algorithm {
					t.Errorf("algorithm %s, want %s", got, c.algorithm)
				}
				secondary := attrOf(t, dir, 0, "recomp_algorithm")
				if head, _, _ := strings.Cut(secondary, ":"); secondary != "" {
					secondary = head + ": " + chosen(secondary)
				}
				if secondary != c.secondary {
					t.Errorf("secondary algorithm %q, want %q", secondary, c.secondary)
				}
				down(t, dir, loop)
			})
		}
	}
}

// TestUp_All: every key does what it says, for swap space, a mounted file system, and one that is only made.
func TestUp_All(t *testing.T) {
	tmp := harness.Dir(t)
	backing, point := filepath.Join(tmp, "back"), filepath.Join(tmp, "new/mount point")
	if err := os.WriteFile(backing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(backing, 32*mib); err != nil {
		t.Fatal(err)
	}
	root := upRoot(t, 256, `
set!quarter = echo 1 / 4
[zram1]
zram-size = ram * quarter
compression-algorithm = lz4(level=2) zstd(level=5) deflate nosuch (type=idle)
writeback-device = `+backing+`
zram-resident-limit = ram / 8
swap-priority = 7
options = discard=once
[zram3]
zram-size = min(ram, 32)
mount-point = `+point+`
fs-type = ext4
options = discard,noatime
[zram4]
zram-size = 16
fs-type = ext2
[zram5]
host-memory-limit = 255
`)
	harness.Undo(t, "mount", point)
	dir, res := up(t, root)
	if res.Code != 0 {
		t.Fatalf("status %d: %s", res.Code, res.Stderr)
	}
	for _, warning := range []string{"zram5 is left out", `there is no algorithm "nosuch"`} {
		if !strings.Contains(res.Stderr, warning) {
			t.Errorf("no warning tells %q:\n%s", warning, res.Stderr)
		}
	}
	list := strings.Fields(harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "name,disksize,algorithm,mem-limit,mountpoint", dir))
	want := []string{
		dir + "/block/zram1", "64M", "lz4", "32M", "[SWAP]",
		dir + "/block/zram3", "32M", "lz4", "0B", strings.ReplaceAll(point, " ", `\x20`),
		dir + "/block/zram4", "16M", "lz4", "0B",
	}
	if !slices.Equal(list, want) {
		t.Errorf("list\n%q\nwant\n%q", list, want)
	}
	loops := strings.Fields(harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "loop", dir))
	if len(loops) != 3 {
		t.Fatalf("loop devices %q", loops)
	}
	if swap := harness.Swaps()[loops[0]]; swap.Priority != 7 {
		t.Errorf("swap space %+v, want priority 7", swap)
	}
	if got := attrOf(t, dir, 1, "backing_dev"); got != backing {
		t.Errorf("backing_dev %s", got)
	}
	status := attrOf(t, dir, 1, "debug/status")
	for _, part := range []string{
		`"priority":0,"name":"lz4","level":2`, `"priority":1,"name":"zstd","level":5`, `"priority":2,"name":"deflate","level":null`,
	} {
		if !strings.Contains(strings.NewReplacer(" ", "", "\n", "").Replace(status), part) {
			t.Errorf("status has not %s:\n%s", part, status)
		}
	}
	if text := harness.Run(t, "cat", "/proc/self/mounts"); !strings.Contains(text, loops[1]+" "+strings.ReplaceAll(point, " ", `\040`)+" ext4 rw,noatime,discard") {
		t.Errorf("mounts:\n%s", text)
	}
	if kind := harness.Run(t, "blkid", "-o", "value", "-s", "TYPE", loops[2]); kind != "ext2\n" {
		t.Errorf("on the third device is %q", kind)
	}

	refused(t, 4, "already mounted", "up", "-c", filepath.Join(root, "etc/systemd/zram-generator.conf"), "--dir", dir)
	f, err := os.Create(filepath.Join(point, "open"))
	if err != nil {
		t.Fatal(err)
	}
	refused(t, 4, "is in use", "down", "--dir", dir)
	f.Close()
	down(t, dir, loops...)
	refused(t, 3, "is not a uzram mount", "down", "--dir", dir)
}

// TestUp_Undone: if one device cannot be set up, none of them stays.
func TestUp_Undone(t *testing.T) {
	point := harness.Dir(t)
	harness.Undo(t, "mount", point)
	for conf, words := range map[string]string{
		"[zram0]\nzram-size=16\n[zram1]\nzram-size=16\nfs-type=nosuchfs":                       "mkfs.nosuchfs",
		"[zram0]\nzram-size=16\n[zram1]\nzram-size=16\nwriteback-device=/nowhere/at/all":       "there is no such file or block device",
		"[zram0]\nzram-size=16\n[zram1]\nzram-size=16\noptions=nonsense\nmount-point=" + point: "mount: ",
		"[zram0]\nzram-size=16\n[zram1]\nzram-size=16\ncompression-algorithm=lz4(level=0)":     "level",
	} {
		dir, res := up(t, upRoot(t, 256, conf))
		if res.Code == 0 || !strings.Contains(res.Stderr, words) || strings.Count(res.Stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %q; want %q", conf, res.Code, res.Stderr, words)
		}
		if text := harness.Run(t, "cat", "/proc/self/mountinfo"); strings.Contains(text, " "+dir+" ") {
			t.Errorf("%q: %s is mounted", conf, dir)
		}
		if loops := harness.Loops(); len(loops) > 0 {
			t.Errorf("%q: loop devices %q", conf, loops)
		}
		if _, err := os.Lstat(dir); err == nil {
			t.Errorf("%q: the directory that was made for the mount is there", conf)
		}
	}
}

// TestUp_Signal: a signal while devices are set up undoes those that are, as soon as the program that runs has ended.
func TestUp_Signal(t *testing.T) {
	tmp := harness.Dir(t)
	started, may := filepath.Join(tmp, "started"), filepath.Join(tmp, "may")
	script := "#!/bin/sh\n: >" + started + "\nuntil test -e " + may + "; do sleep 0.01; done\n"
	if err := os.WriteFile(filepath.Join(tmp, "mkfs.slow"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	root := upRoot(t, 256, "[zram0]\nzram-size=16\n[zram1]\nzram-size=16\nfs-type=slow\n[zram2]\nzram-size=16\nfs-type=nosuchfs")
	dir := filepath.Join(tmp, "up")
	harness.Undo(t, "mount", dir)
	p := harness.Start(t, "env", "ZRAM_GENERATOR_ROOT="+root, "PATH="+tmp+":"+os.Getenv("PATH"), harness.Bin(), "up", "--dir", dir)
	soon(t, "the program of the second device runs", func() bool { _, err := os.Lstat(started); return err == nil })
	p.Signal(t, syscall.SIGTERM)
	if err := os.WriteFile(may, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stderr := p.Wait(t, time.Minute); code != 1 || !strings.Contains(stderr, "ended by a signal") {
		t.Errorf("status %d, %q", code, stderr)
	}
	if loops := harness.Loops(); len(loops) > 0 {
		t.Errorf("loop devices %q", loops)
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("the directory of the mount is there")
	}
}

// TestDown_Covered: what lies over a file system of a device is not unmounted in its place, and somebody else's swap space
// and file systems stay.
func TestDown_Covered(t *testing.T) {
	point := harness.Dir(t)
	dir, res := up(t, upRoot(t, 256, "[zram0]\nzram-size=16\nmount-point="+point+"\n[zram1]\nzram-size=16"))
	if res.Code != 0 {
		t.Fatalf("status %d: %s", res.Code, res.Stderr)
	}
	loops := strings.Fields(harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "loop", dir))
	harness.Undo(t, "mount", point)
	harness.Undo(t, "mount", point)
	harness.Run(t, "mount", "-t", "tmpfs", "uzram-test", point)
	refused(t, 4, "tmpfs is mounted over it", "down", "--dir", dir)
	if text := harness.Run(t, "cat", "/proc/self/mountinfo"); strings.Count(text, " "+point+" ") != 2 {
		t.Errorf("mounts:\n%s", text)
	}
	if _, ok := harness.Swaps()[loops[1]]; !ok {
		t.Error("the swapping ended although down was refused")
	}
	harness.Run(t, "umount", point)
	cwd := harness.Start(t, "sh", "-c", "cd "+dir+" && echo there && exec cat")
	cwd.Stdout.Line(t, time.Minute)
	refused(t, 4, "works in "+dir, "down", "--dir", dir)
	if _, ok := harness.Swaps()[loops[1]]; !ok {
		t.Error("the swapping ended although down was refused")
	}
	cwd.CloseStdin()
	cwd.Wait(t, time.Minute)
	down(t, dir, loops...)
}

// TestDown_Dead: when all of uzram's processes were killed, down cleans up; file systems go, and swap space is named.
func TestDown_Dead(t *testing.T) {
	point := harness.Dir(t)
	dir, res := up(t, upRoot(t, 256, "[zram0]\nzram-size=16\nmount-point="+point+"\n[zram1]\nzram-size=16"))
	if res.Code != 0 {
		t.Fatalf("status %d: %s", res.Code, res.Stderr)
	}
	harness.Undo(t, "mount", point)
	loops := strings.Fields(harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "loop", dir))
	harness.Undo(t, "swap", loops[1])
	soon(t, "no process serves the mount", func() bool {
		all := servants(dir)
		for _, pid := range all { // one that the keeper starts meanwhile is killed the next time
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return len(all) == 0
	})
	refused(t, 4, loops[1]+" is in use as swap space", "down", "--dir", dir)
	harness.Run(t, "swapoff", loops[1])
	down(t, dir, loops...)
	if text := harness.Run(t, "cat", "/proc/self/mountinfo"); strings.Contains(text, " "+point+" ") {
		t.Errorf("%s is mounted still", point)
	}
}
