package crash

import (
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestNoDeath: loads, verification and what follows them find nothing where nobody dies.
func TestNoDeath(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M"})
	stop, stopOpens := scribble(t, r.Image, newSeed(t), false), opener(t, r)
	time.Sleep(300 * time.Millisecond)
	stop()
	stopOpens()
	r.finish()
}

// TestWrongByteIsFound: one byte that somebody else has changed is found by each of the loads that verify.
func TestWrongByteIsFound(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M"})
	for _, load := range []struct {
		name  string
		start func() *harness.Proc
	}{
		{"scribbler", func() *harness.Proc {
			return harness.StartScribbler(t, harness.ScribbleOrders{Image: r.Image, Size: mib, Seed: 1, For: patience})
		}},
		{"fio", func() *harness.Proc { return fio(t, r.Image, mib, patience, 1) }},
	} {
		t.Run(load.name, func(t *testing.T) {
			p := load.start()
			fd, err := unix.Open(r.Image, unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			for end := time.Now().Add(patience); p.Running(); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("it was not found")
				}
				for at := int64(0); at < mib; at += page {
					unix.Pwrite(fd, []byte{0x5a}, at+77)
				}
			}
			if code, _ := p.Wait(t, patience); code == 0 {
				t.Error("it was not found")
			}
		})
	}
	r.finish()
}
