package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// backedDev is a mount with a backing file of as many bytes, and data on its first MiB; it is set up once set was applied.
func backedDev(t *testing.T, backing int64, set map[string]string) (dev *harness.Dev, data []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backing")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, backing); err != nil {
		t.Fatal(err)
	}
	dev = harness.Mount(t, harness.Options{})
	dev.Set("backing_dev", file)
	for attr, value := range set {
		dev.Set(attr, value)
	}
	dev.Set("disksize", "64M")
	data = mixed(mib, newSeed(t))
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, data, 0)
	shut(t, fd)
	return dev, data
}

// wantData reads the first MiB of the image back, past all caches.
func wantData(t *testing.T, dev *harness.Dev, data []byte) {
	t.Helper()
	fd := open(t, dev.Image, unix.O_RDONLY|unix.O_DIRECT)
	defer shut(t, fd)
	got := aligned(t, len(data))[:len(data)]
	if n, err := unix.Pread(fd, got, 0); n != len(got) || err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v; what was written is not there", n, err)
	}
}

// TestPostScripts: marking, writing back and recompressing by the scripts, which know nothing but the control files.
func TestPostScripts(t *testing.T) {
	dev, data := backedDev(t, 8*mib, map[string]string{"recomp_algorithm": "algo=zstd"})
	idle := func() int { return strings.Count(dev.Get("debug/block_state"), "i") }
	run := func(name string, args ...string) string {
		t.Helper()
		return harness.Run(t, append([]string{script(t, name)}, args...)...)
	}
	if run("idle-mark.sh", dev.Dir, "3600"); idle() != 0 {
		t.Errorf("%d pages idle for an hour", idle())
	}
	if run("idle-mark.sh", dev.Dir); idle() == 0 {
		t.Error("no page is idle")
	}

	before := dev.MM()
	if out := run("recompress.sh", dev.Dir+"/", "type=idle"); !strings.Contains(out, "of memory came free") {
		t.Errorf("recompress.sh says %q", out)
	}
	if after := dev.MM(); after.Compr >= before.Compr || idle() != 0 {
		t.Errorf("%d bytes of objects, were %d; %d pages are idle", after.Compr, before.Compr, idle())
	}
	wantData(t, dev, data)

	run("idle-mark.sh", dev.Dir)
	marked := int64(idle())
	if out := run("writeback.sh", dev.Dir, "idle", "40K"); !strings.HasSuffix(strings.TrimSpace(out), "the budget is used up") {
		t.Errorf("writeback.sh says %q", out)
	}
	if bd := dev.Numbers("bd_stat"); bd[0] != 10 || bd[2] != 10 {
		t.Errorf("bd_stat is %v after a budget of 10 blocks", bd)
	}
	if limit := dev.Get("writeback_limit") + dev.Get("writeback_limit_enable"); limit != "00" {
		t.Errorf("the limit and its switch are %s afterwards, were 00", limit)
	}
	// A limit that holds bounds the budget, which counts against it.
	dev.Set("writeback_limit_enable", "1")
	dev.Set("writeback_limit", "6")
	run("writeback.sh", dev.Dir, "idle", "16K")
	if limit, used := dev.Get("writeback_limit"), dev.Numbers("bd_stat")[2]; limit != "2" || used != 14 {
		t.Errorf("the limit is %s and %d blocks are written; want 2 of 6, and 14", limit, used)
	}
	run("writeback.sh", dev.Dir, "idle", "1M")
	if limit := dev.Get("writeback_limit") + dev.Get("writeback_limit_enable"); limit != "01" || dev.Numbers("bd_stat")[2] != 16 {
		t.Errorf("the limit and its switch are %s, %d blocks are written; want 01 and 16", limit, dev.Numbers("bd_stat")[2])
	}
	dev.Set("writeback_limit_enable", "0")
	run("writeback.sh", dev.Dir)
	if bd := dev.Numbers("bd_stat"); bd[0] != marked || idle() != 0 {
		t.Errorf("bd_stat is %v, %d pages were idle and %d are", bd, marked, idle())
	}
	wantData(t, dev, data)
}

// TestIdleWritebackLoop: what is used meanwhile stays, and a dry run writes nothing.
func TestIdleWritebackLoop(t *testing.T) {
	dev, data := backedDev(t, 8*mib, nil)
	loop := script(t, "idle-writeback-loop.sh")
	out := harness.Run(t, loop, "-1", "-n", "-a", "0", "-b", "40K", dev.Dir)
	if !strings.Contains(out, "would write 10 pages back, 0.0 MiB") || dev.Numbers("bd_stat")[2] != 0 {
		t.Errorf("a dry run says %q, bd_stat is %v", out, dev.Numbers("bd_stat"))
	}
	wantData(t, dev, data) // takes the marks off
	p := harness.Start(t, loop, "-a", "2", "-b", "1G", "-1", dev.Dir)
	for !strings.Contains(dev.Get("debug/block_state"), "i") {
	}
	wantData(t, dev, data[:100*page]) // used after the mark
	if code, stderr := p.Wait(t, time.Minute); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, line := range strings.Split(strings.TrimSpace(dev.Get("debug/block_state")), "\n") {
		f := strings.Fields(line)
		index, flags := f[0], f[2]
		used := len(index) < 3 // pages 0 to 99
		if back := flags[1] == 'w'; back == used && flags[0] != 's' {
			t.Errorf("page %s is %s", index, flags)
		}
	}
	wantData(t, dev, data)
}

// TestPostScripts_BadInput: what the scripts say of a mistake, and of a device that cannot.
func TestPostScripts_BadInput(t *testing.T) {
	dev, _ := backedDev(t, 8*mib, nil)
	plain := harness.Mount(t, harness.Options{Disksize: "1M"})
	unset := harness.Mount(t, harness.Options{})
	for _, c := range []struct {
		want string
		args []string
	}{
		{"2 usage: idle-mark.sh", []string{"idle-mark.sh"}},
		{"2 idle-mark.sh: age '1h': accepted is a number of seconds", []string{"idle-mark.sh", dev.Dir, "1h"}},
		{"1 idle-mark.sh: /proc is neither a uzram device nor one in /sys/block", []string{"idle-mark.sh", "/proc"}},
		{"1 idle-mark.sh: " + unset.Dir + " has no disksize yet", []string{"idle-mark.sh", unset.Dir}},
		{"2 writeback.sh: type 'all': accepted are idle, huge, huge_idle and incompressible", []string{"writeback.sh", dev.Dir, "all"}},
		{"2 writeback.sh: '1X' is not a size", []string{"writeback.sh", dev.Dir, "huge", "1X"}},
		{"1 writeback.sh: " + plain.Dir + " has no backing device", []string{"writeback.sh", plain.Dir}},
		{"1 recompress.sh: " + dev.Dir + " has no secondary algorithm", []string{"recompress.sh", dev.Dir}},
		{"2 idle-writeback-loop.sh: -t 'huge': accepted are idle and huge_idle", []string{"idle-writeback-loop.sh", "-t", "huge", dev.Dir}},
		{"2 idle-writeback-loop.sh: -a 'x': accepted is a number of seconds", []string{"idle-writeback-loop.sh", "-a", "x", dev.Dir}},
		{"1 idle-writeback-loop.sh: " + plain.Dir + " has no backing device", []string{"idle-writeback-loop.sh", plain.Dir}},
	} {
		p := harness.Start(t, append([]string{script(t, c.args[0])}, c.args[1:]...)...)
		code, stderr := p.Wait(t, time.Minute)
		if got := string(rune('0'+code)) + " " + stderr; !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: %q, want %q", c.args, got, c.want)
		}
	}
}
