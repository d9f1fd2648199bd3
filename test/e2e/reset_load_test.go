package e2e

import (
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestResetLoad_Open: while somebody writes and reads at full load, every reset and every second disksize is refused, and
// no byte changes by it.
func TestResetLoad_Open(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M"})
	held := open(t, dev.Image, unix.O_RDONLY) // or a reset before the first scribbler's open would work
	seed := newSeed(t)
	var procs []*harness.Proc
	for i := range int64(scribblers) {
		procs = append(procs, harness.StartScribbler(t, harness.ScribbleOrders{
			Image: dev.Image, Start: i * scribbleSize, Size: scribbleSize, Seed: seed, For: 2 * time.Second,
		}))
	}
	tries := 0
	for ; running(procs); tries++ {
		refuse(t, dev, "reset", "1", unix.EBUSY)
		refuse(t, dev, "disksize", "32M", unix.EBUSY)
		if tries%3 == 0 {
			if res := harness.Uzram(t, "reset", dev.Dir); res.Code != 4 {
				t.Errorf("uzram reset: status %d, %q; want 4", res.Code, res.Stderr)
			}
		}
	}
	for _, p := range procs {
		harness.ScribblerResult(t, p, patience)
	}
	if tries < 3 {
		t.Errorf("only %d tries", tries)
	}
	refuse(t, dev, "reset", "1", unix.EBUSY) // the descriptor held is enough
	shut(t, held)
	dev.Set("reset", "1")
}

// TestResetLoad_Visits: resets, each followed by another disk, beside processes that open and close the image all the
// time. A reset works or is refused; either way an open image keeps its data, and a new disk has none of the old ones.
func TestResetLoad_Visits(t *testing.T) {
	for _, loop := range []bool{false, true} {
		t.Run(map[bool]string{false: "image", true: "image of an owned loop"}[loop], func(t *testing.T) {
			dev := harness.Mount(t, harness.Options{Disksize: "4M", Loop: loop})
			procs := startVisitors(t, visitorOrders{Image: dev.Image, Seed: newSeed(t), For: 3 * time.Second}, 3)
			done, busy := 0, 0
			for sizes := []string{"1M", "64M", "8M"}; running(procs); {
				switch err := dev.Write("reset", "1"); harness.Errno(err) {
				case 0:
					done++
					dev.Set("comp_algorithm", []string{"lz4", "zstd"}[done%2])
					dev.Set("disksize", sizes[done%len(sizes)])
				case unix.EBUSY:
					busy++
				default:
					t.Fatalf("reset: %v", err)
				}
			}
			t.Logf("%d resets, %d refused", done, busy)
			sum := visitorsResult(t, procs)
			if done < 3 || sum.Visits < 20 {
				t.Errorf("want more resets and visits than %d and %d", done, sum.Visits)
			}
			dev.Set("reset", "1")
		})
	}
}

// TestResetLoad_LoopForgets: what was written through an owned loop device, flushed or not, and by a descriptor that stays
// open, is not on the next disk.
func TestResetLoad_LoopForgets(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "16M", Loop: true, KernelErrors: true})
	for _, tt := range []struct {
		name        string
		flags       int
		flush, keep bool
	}{
		{"buffered, closed", 0, false, false},
		{"buffered, flushed, kept open", 0, true, true},
		{"direct, kept open", unix.O_DIRECT, false, true},
		{"buffered, kept open", 0, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fd := open(t, dev.Loop, unix.O_RDWR|tt.flags)
			old := aligned(t, 1<<20)
			harness.FillMixed(old, newSeed(t))
			pwrite(t, fd, old, 0)
			if tt.flush {
				if err := unix.Fsync(fd); err != nil {
					t.Fatal(err)
				}
			}
			if !tt.keep {
				shut(t, fd)
			}
			dev.Set("reset", "1")
			dev.Set("disksize", "16M")
			zeros := make([]byte, 1<<20)
			expectBytes(t, "new image", pread(t, open(t, dev.Image, unix.O_RDONLY), 1<<20, 0), zeros)
			again := open(t, dev.Loop, unix.O_RDWR)
			expectBytes(t, "new loop device", pread(t, again, 1<<20, 0), zeros)
			if tt.keep {
				shut(t, fd)
			}
			shut(t, again)
			unix.Sync()
			image := open(t, dev.Image, unix.O_RDONLY)
			expectBytes(t, "new image, after a sync", pread(t, image, 1<<20, 0), zeros)
			shut(t, image)
			if mm := dev.MM(); mm.Orig != 0 {
				t.Errorf("%d bytes are stored that nobody has written", mm.Orig)
			}
		})
	}
}
