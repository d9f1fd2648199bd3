package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestSnapshot: a file system is saved while another part of the disk is written to, from memory and from the backing
// device, and is there again on another mount.
func TestSnapshot(t *testing.T) {
	tmp := harness.Dir(t)
	backing, target := filepath.Join(tmp, "backing"), filepath.Join(tmp, "snapshot")
	dev := harness.Mount(t, harness.Options{Disksize: "256M", Loop: true, Args: []string{
		"--backing-dev", backing + ":128M", "--recomp-algorithm", "1:zstd", "--set", "compressed_writeback=1", "--set", "writeback_pack=1",
	}})
	harness.Run(t, "mkfs.ext4", "-q", dev.Loop, "160M")
	dir := harness.MountFS(t, dev.Loop)
	src := filepath.Join(strings.TrimSpace(harness.Run(t, "go", "env", "GOROOT")), "src")
	want := map[string]file{}
	for _, tree := range sourceTrees {
		to := filepath.Join(dir, filepath.Dir(tree))
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		harness.Run(t, "cp", "-a", filepath.Join(src, tree), to)
		readTree(t, want, src, tree)
	}
	harness.Run(t, "umount", dir)
	dev.Set("recompress", "type=huge")
	dev.Set("recompress", "max_pages=2000")
	dev.Set("writeback", "page_indexes=0-9999")

	p := harness.StartScribbler(t, harness.ScribbleOrders{
		Image: dev.Image, Start: 160 * mib, Size: 64 * mib, Seed: newSeed(t), For: time.Hour,
	})
	writes := func() int64 { return dev.Numbers("stat")[4] }
	before := writes()
	soon(t, "the scribbler writes", func() bool { return writes() > before })
	before = writes()
	saved := harness.Uzram(t, "snapshot", "save", dev.Dir, target)
	if saved.Code != 0 || !strings.HasPrefix(saved.Stdout, dev.Dir+": ") {
		t.Fatalf("status %d: %s%s", saved.Code, saved.Stdout, saved.Stderr)
	}
	t.Log(strings.TrimSpace(saved.Stdout))
	if writes() == before {
		t.Error("nothing was written while the disk was saved")
	}
	p.Signal(t, syscall.SIGTERM)
	harness.ScribblerResult(t, p, time.Minute)
	if st, err := os.Stat(target); err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v: want a file for its owner alone", st, err)
	}
	wantOnly(t, tmp, "backing", "snapshot")

	refused := filepath.Join(tmp, "refused")
	if err := os.Mkdir(refused, 0o755); err != nil {
		t.Fatal(err)
	}
	res := harness.Uzram(t, "mount", "--detach", "--restore", target, refused)
	if res.Code != 4 || !strings.Contains(res.Stderr, "its backing device is used by something else") {
		t.Errorf("a second user of the backing device: status %d, %q", res.Code, res.Stderr)
	}
	again := harness.Mount(t, harness.Options{Loop: true, Args: []string{"--restore", target, "--backing-dev", backing + "2:128M"}})
	for _, attr := range []string{"disksize", "comp_algorithm", "recomp_algorithm", "compressed_writeback", "writeback_pack"} {
		if a, b := again.Get(attr), dev.Get(attr); a != b {
			t.Errorf("%s is %q, was %q", attr, a, b)
		}
	}
	if bd := again.Numbers("bd_stat"); bd[0] == 0 {
		t.Errorf("bd_stat is %v: nothing is on the backing device", bd)
	}
	harness.Run(t, "fsck.ext4", "-fn", again.Loop)
	compareTrees(t, harness.MountFS(t, again.Loop), want)
	if res := harness.Uzram(t, "check", again.Dir); res.Code != 0 {
		t.Errorf("check: %s%s", res.Stdout, res.Stderr)
	}
}

// wantOnly fails if a directory has other files than these.
func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	if strings.Join(found, " ") != strings.Join(names, " ") {
		t.Errorf("%s has %q, want %q", dir, found, names)
	}
}

// TestSnapshot_Interrupted: a save that is interrupted leaves the older file, and nothing else.
func TestSnapshot_Interrupted(t *testing.T) {
	tmp := harness.Dir(t)
	dev := harness.Mount(t, harness.Options{Disksize: "256M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(64*mib, newSeed(t)), 0)
	shut(t, fd)
	file := filepath.Join(tmp, "old")
	if err := os.WriteFile(file, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := harness.Start(t, harness.Bin(), "snapshot", "save", dev.Dir, file)
	for p.Running() {
		if temp, _ := filepath.Glob(filepath.Join(tmp, ".uzram-snapshot-*")); len(temp) > 0 {
			p.Signal(t, syscall.SIGTERM)
			break
		}
	}
	code, _ := p.Wait(t, time.Minute)
	text, err := os.ReadFile(file)
	if err != nil || (code == 0) == bytes.Equal(text, []byte("older")) {
		t.Errorf("status %d, and the file has %d bytes, %v", code, len(text), err)
	}
	wantOnly(t, tmp, "old")
	harness.Run(t, harness.Bin(), "snapshot", "save", dev.Dir, file)
}

// TestSnapshot_BadInput: what uzram says of a mistake, and of files that are no whole snapshots.
func TestSnapshot_BadInput(t *testing.T) {
	tmp := harness.Dir(t)
	in := func(name string) string { return filepath.Join(tmp, name) }
	dev := harness.Mount(t, harness.Options{Disksize: "16M"})
	unset := harness.Mount(t, harness.Options{})
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(mib, newSeed(t)), 0)
	shut(t, fd)
	harness.Run(t, harness.Bin(), "snapshot", "save", dev.Dir, in("good"))
	good, err := os.ReadFile(in("good"))
	if err != nil {
		t.Fatal(err)
	}
	flipped, newer := bytes.Clone(good), bytes.Clone(good)
	flipped[len(good)/2] ^= 4
	newer[8]++
	for name, text := range map[string][]byte{
		"cut": good[:len(good)-1], "flipped": flipped, "newer": newer, "foreign": []byte("something else"), "empty": nil,
	} {
		if err := os.WriteFile(in(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(in("dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	restore := func(name string, more ...string) []string {
		return append(append([]string{"mount", "--detach", "--restore", in(name)}, more...), in("dir"))
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{1, in("cut") + " is a snapshot whose end is missing\n", []string{"snapshot", "show", in("cut")}},
		{1, in("cut") + " is a snapshot whose end is missing\n", restore("cut")},
		{1, in("flipped") + " is a damaged snapshot\n", restore("flipped")},
		{1, in("newer") + " is a snapshot of a newer uzram\n", restore("newer")},
		{1, in("foreign") + " is no snapshot of uzram\n", restore("foreign")},
		{1, in("empty") + " is no snapshot of uzram\n", restore("empty")},
		{2, "there is no file " + in("none") + "\n", restore("none")},
		{2, tmp + "/. is not an ordinary file\n", []string{"snapshot", "show", tmp + "/."}},
		{2, "--restore and --disksize cannot be given together: the file has all settings\n", restore("good", "--disksize", "1M")},
		{2, "--restore and --set cannot be given together: the file has all settings\n", restore("good", "--set", "mem_limit=1M")},
		{2, "snapshot needs a verb; accepted: save, show\n", []string{"snapshot"}},
		{2, "snapshot save needs a directory and a file", []string{"snapshot", "save", dev.Dir}},
		{2, "there is no directory " + in("none") + "; make it first\n", []string{"snapshot", "save", dev.Dir, in("none/file")}},
		{2, in("dir") + " exists and is not an ordinary file\n", []string{"snapshot", "save", dev.Dir, in("dir")}},
		{1, unset.Dir + " is not set up", []string{"snapshot", "save", unset.Dir, in("new")}},
		{3, tmp + " is not a uzram mount", []string{"snapshot", "save", tmp, in("new")}},
	} {
		res := harness.Uzram(t, c.args...)
		if got := strings.TrimPrefix(res.Stderr, "uzram: "); res.Code != c.code || !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: status %d, %q; want %d, %q", c.args, res.Code, got, c.code, c.want)
		}
	}
	if out := harness.Run(t, harness.Bin(), "snapshot", "show", in("good")); !strings.Contains(out, "disk size") {
		t.Errorf("show says %q", out)
	}
	entries, err := os.ReadDir(in("dir"))
	if err != nil || len(entries) > 0 {
		t.Errorf("%v, %v: something is mounted", entries, err)
	}
}

// TestSnapshot_Unit: what the unit runs at boot and at shutdown, twice; and no unit has a mistake that systemd knows of.
func TestSnapshot_Unit(t *testing.T) {
	tmp := harness.Dir(t)
	units, err := filepath.Glob(script(t, "systemd/*"))
	if err != nil || len(units) == 0 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	verify := []string{"systemd-analyze", "verify", "--man=no"}
	var saved string
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		there := strings.NewReplacer("/usr/local/libexec/uzram", script(t, ""), "/usr/local/bin/uzram", harness.Bin()).Replace(string(text))
		if filepath.Base(unit) == "uzram-saved@.service" {
			saved = there
		}
		copied := filepath.Join(tmp, filepath.Base(unit))
		if err := os.WriteFile(copied, []byte(there), 0o644); err != nil {
			t.Fatal(err)
		}
		verify = append(verify, strings.Replace(copied, "@.", "@run-z.", 1))
	}
	if res := harness.Try(t, verify...); res.Code != 0 || strings.Contains(res.Stderr, tmp) {
		t.Errorf("systemd-analyze: status %d\n%s%s", res.Code, res.Stdout, res.Stderr)
	}

	dir := filepath.Join(tmp, "disk")
	stands := strings.NewReplacer("/var/lib/uzram", tmp, "%i", "disk", "%f", dir, "$NEW", "--disksize 64M")
	run := func(key string) {
		t.Helper()
		for _, line := range strings.Split(saved, "\n") {
			if command, ok := strings.CutPrefix(line, key+"="); ok {
				harness.Run(t, append([]string{"env", "UZRAM=" + harness.Bin(), "FLAGS=--loop"}, strings.Fields(stands.Replace(command))...)...)
			}
		}
	}
	harness.Undo(t, "mount", dir)
	data := mixed(8*mib, newSeed(t))
	for boot := range 3 {
		run("ExecStart")
		fd := open(t, filepath.Join(dir, "image"), unix.O_RDWR)
		got := make([]byte, len(data))
		if n, err := unix.Pread(fd, got, 0); n != len(got) || err != nil || bytes.Equal(got, data) != (boot > 0) {
			t.Errorf("boot %d: %d bytes, %v; as they were: %v", boot, n, err, bytes.Equal(got, data))
		}
		pwrite(t, fd, data, 0)
		shut(t, fd)
		run("ExecStop")
	}
}
