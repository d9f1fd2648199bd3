package crash

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"uzram/internal/failpoint"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestFaults_Unnoticed: faults that nobody who uses the mount may notice, over and over.
func TestFaults_Unnoticed(t *testing.T) {
	for _, tt := range []struct{ name, orders string }{
		{"reads of the connection are interrupted", "conn-read:7+=error:EINTR"},
		{"requests are given up while they are read", "conn-read:7+=error:ENOENT"},
		{"workers stall", "worker:40+=stall:30ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, harness.Options{Disksize: "64M"})
			r.arm(tt.orders)
			stop := scribble(t, r.Image, newSeed(t), false)
			time.Sleep(500 * time.Millisecond)
			stop()
			r.finish()
		})
	}
}

// arm puts orders on the board.
func (r *rig) arm(text string) {
	r.t.Helper()
	orders, err := failpoint.Parse(text)
	if err != nil {
		r.t.Fatal(err)
	}
	r.board.Arm(orders...)
}

// TestFaults: a step fails once. Who is concerned gets an error at once, and afterwards the page is what it was and all goes on.
func TestFaults(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M", Args: []string{"--backing-dev", backingFile(t, 64*mib)}, KernelErrors: true})
	old, other, got := make([]byte, page), make([]byte, page), make([]byte, page)
	harness.FillPage(old, harness.Half, 1)
	harness.FillPage(other, harness.Half, 2)
	fd, err := unix.Open(r.Image, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	read := func() error { _, err := unix.Pread(fd, got, 0); return err }
	write := func() error { _, err := unix.Pwrite(fd, other, 0); return err }
	back := func() error { return r.Write("writeback", "page_index=0") }
	for _, tt := range []struct {
		orders string
		out    bool // the page is on the backing device before
		do     func() error
		want   syscall.Errno
		stays  bool // the page is as it was
	}{
		{"compress=error", false, write, syscall.EIO, true},
		{"decompress=error", false, read, syscall.EIO, true},
		{"decompress=error", false, back, syscall.EIO, true},
		{"backing-write=error:ENOSPC", false, back, syscall.ENOSPC, true},
		{"backing-read=error", true, read, syscall.EIO, true},
		{"conn-read=short", false, read, syscall.EIO, true},
		{"conn-read=short", false, write, syscall.EIO, true},
		{"conn-write=short", false, read, syscall.EIO, true},
		{"conn-write=error", false, read, syscall.EIO, true},
		{"conn-write=short", false, write, syscall.EIO, false},
	} {
		if _, err := unix.Pwrite(fd, old, 0); err != nil {
			t.Fatal(err)
		}
		if tt.out {
			r.Set("writeback", "page_index=0")
		}
		r.arm(tt.orders)
		dog := time.AfterFunc(hangTime, func() { r.Abort() })
		err := tt.do()
		if !dog.Stop() {
			t.Fatalf("%s: nobody answered", tt.orders)
		}
		r.board.Disarm()
		if harness.Errno(err) != tt.want {
			t.Errorf("%s: %v, want %v", tt.orders, err, tt.want)
		}
		want := old
		if !tt.stays {
			want = other
		}
		if err := read(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("after %s: %v, the page is right: %v", tt.orders, err, bytes.Equal(got, want))
		}
	}
}
