package e2e

import (
	"os"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// unchanged reports what a refused umount must not touch.
func unchanged(t *testing.T, dev *harness.Dev) {
	t.Helper()
	if !dev.Mounted() || dev.Get("initstate") != "1" || dev.Loop != "" && detached(dev) {
		t.Fatalf("after a refused umount: mounted %v, initstate %s, loop device %q detached %v",
			dev.Mounted(), dev.Get("initstate"), dev.Loop, detached(dev))
	}
}

// TestUmountLoad_Busy: while others write at full load, on the image and through the loop device, every kind of umount is
// refused and changes nothing. Once they have ended it works at once.
func TestUmountLoad_Busy(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true})
	seed := newSeed(t)
	image, loop := open(t, dev.Image, unix.O_RDONLY), open(t, dev.Loop, unix.O_RDONLY) // so that it is in use from now on
	p := harness.StartScribbler(t, harness.ScribbleOrders{Image: dev.Image, Size: scribbleSize, Seed: seed, For: 3 * time.Second})
	q := harness.Start(t, "fio", "--name=load", "--filename="+dev.Loop, "--offset=16M", "--size=32M", "--rw=randrw", "--bsrange=4k-128k",
		"--ioengine=libaio", "--iodepth=16", "--direct=1", "--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0", "--loops=3",
		"--allow_file_create=0", "--fallocate=none", "--buffer_compress_percentage=50", "--minimal")
	procs := []*harness.Proc{p, q}
	for tries := 0; running(procs); tries++ {
		switch tries % 3 {
		case 0:
			if res := harness.Uzram(t, "umount", dev.Dir); res.Code != 4 {
				t.Fatalf("uzram umount: status %d, %q; want 4", res.Code, res.Stderr)
			}
		case 1:
			if res := harness.Try(t, "umount", dev.Dir); res.Code == 0 {
				t.Fatal("umount(8) works on a mount in use")
			}
		case 2:
			log := len(readLog(t, dev))
			if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			waitLog(t, dev, log, "process "+itoa(os.Getpid())) // later it might be right to unmount
		}
		unchanged(t, dev)
	}
	harness.ScribblerResult(t, p, patience)
	report := q.Stdout.Rest(t, patience)
	if code, stderr := q.Wait(t, patience); code != 0 {
		t.Errorf("fio on the loop device: status %d, %s%s", code, report, stderr)
	}
	shut(t, image)
	shut(t, loop)
	dev.Umount()
}

// TestUmountLoad_Visits: umount beside processes that open and close the image all the time is refused and changes
// nothing, or works; then no visitor has lost anything, and he finds an empty directory.
func TestUmountLoad_Visits(t *testing.T) {
	for _, tt := range []struct {
		name    string
		loop    bool
		command func(dev *harness.Dev) (args []string, busy int)
	}{
		{"uzram umount", false, func(dev *harness.Dev) ([]string, int) { return []string{harness.Bin(), "umount", dev.Dir}, 4 }},
		{"uzram umount, own loop", true, func(dev *harness.Dev) ([]string, int) { return []string{harness.Bin(), "umount", dev.Dir}, 4 }},
		{"umount(8)", false, func(dev *harness.Dev) ([]string, int) { return []string{"umount", dev.Dir}, 32 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 4 {
				dev := harness.Mount(t, harness.Options{Disksize: "16M", Loop: tt.loop})
				args, busy := tt.command(dev)
				umountBesideVisits(t, dev, args, busy)
			}
		})
	}
}

// umountBesideVisits unmounts with a command that may fail with the status busy. It works at the latest when the visitors
// have ended.
func umountBesideVisits(t *testing.T, dev *harness.Dev, args []string, busy int) {
	t.Helper()
	procs := startVisitors(t, visitorOrders{Image: dev.Image, Seed: newSeed(t), For: 2 * time.Second, UntilGone: true}, 3)
	refused := 0
	for ; ; refused++ {
		res := harness.Try(t, args...)
		if res.Code == 0 {
			break
		}
		if res.Code != busy {
			t.Fatalf("%q: status %d, %q; want 0 or %d", args, res.Code, res.Stderr, busy)
		}
		unchanged(t, dev)
	}
	if !harness.WaitGone(dev.PID, patience) || dev.Mounted() || dev.Loop != "" && !detached(dev) {
		t.Errorf("after umount: mounted %v, loop device detached %v", dev.Mounted(), detached(dev))
	}
	t.Logf("refused %d times", refused)
	visitorsResult(t, procs)
}
