//go:build !race

package fusefs

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// One that has retired has left nothing under way, so that nobody notices its death,
// whether or not the kernel can send requests again.
func TestRetire_NothingIsUnderWay(t *testing.T) {
	for _, env := range []string{"", "1"} {
		t.Run("no resend "+env, func(t *testing.T) {
			t.Setenv(noResendEnv, env)
			const rounds = 8
			k := kept(t, serverConfig{Dir: t.TempDir(), Workers: 4}, rounds)
			k.set("disksize", "16M")
			stop := k.busy()
			for round := range rounds {
				time.Sleep(20 * time.Millisecond) // so much of the load between two deaths
				if said := k.command("retire"); said != "true" {
					t.Errorf("round %d: retired %s", round, said)
				}
				k.kill()
			}
			stop()
		})
	}
}

// busy uses the mount in all ways that end soon; none may fail until it is stopped.
func (k *keeping) busy() (stop func()) {
	var quit atomic.Bool
	var users sync.WaitGroup
	use := func(what string, f func(i int) error) {
		users.Go(func() {
			for i := 0; !quit.Load(); i++ {
				if err := f(i); err != nil {
					k.t.Errorf("%s %d: %v", what, i, err)
					return
				}
			}
		})
	}
	for w := range 3 {
		image := k.open("image", unix.O_RDWR)
		buf := make([]byte, 4096)
		use("write and read", func(i int) error {
			page := w*100 + i%100
			if err := pwrite(image, page, i); err != nil {
				return err
			}
			if _, err := unix.Pread(image, buf, int64(page)*4096); err != nil {
				return err
			}
			if string(buf) != string(pageOf(page, i)) {
				return errors.New("wrong data")
			}
			return nil
		})
		k.t.Cleanup(func() { unix.Close(image) })
	}
	use("open and close", func(int) error {
		fd, err := unix.Open(k.path("image"), unix.O_RDONLY, 0)
		if err == nil {
			err = unix.Close(fd)
		}
		return err
	})
	use("status", func(int) error {
		fd, err := unix.Open(k.path("debug/status"), unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		_, err = unix.Read(fd, make([]byte, 16384))
		return errors.Join(err, unix.Close(fd))
	})
	use("mem_limit", func(i int) error { return k.try("mem_limit", fmt.Sprintf("%dM", 100+i%100)) })
	return func() {
		quit.Store(true)
		users.Wait()
	}
}

// While a command is under way the disk is served on; one that takes too long is left
// to the successor, and nobody reads requests then. All that can be taken back.
func TestRetire_Command(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "1M")
	image := s.open("image", unix.O_RDWR)
	defer unix.Close(image)
	if said := s.command("retire"); said != "true" {
		t.Errorf("retired %s with nothing to wait for", said)
	}
	blocked := inFlight(func() error { return pwrite(image, 1, 1) })
	select {
	case err := <-blocked:
		t.Fatalf("a write is answered by one who has retired: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	s.command("resume")
	if err := <-blocked; err != nil {
		t.Error(err)
	}
	control := s.open("debug/control", unix.O_WRONLY)
	defer unix.Close(control)
	waits := inFlight(func() error { _, err := unix.Write(control, []byte("wait")); return err })
	eventually(t, "the command is under way", func() bool { return s.command("commands") == "1" })
	start := time.Now()
	retired := make(chan string, 1)
	go func() { retired <- s.command("retire") }()
	const writes = 2
	for i := range writes {
		written := inFlight(func() error { return pwrite(image, 2, i) })
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
		case <-retired:
			s.command("resume")
			t.Fatalf("%d writes in %v while a command is under way", i, retirePatience)
		}
	}
	if said := <-retired; said != "true" {
		t.Errorf("retired %s with a command under way for too long", said)
	}
	if took := time.Since(start); took < retirePatience {
		t.Errorf("retired after %v with a command under way", took)
	}
	s.command("resume")
	s.send("go on")
	if err := <-waits; err != nil {
		t.Error(err)
	}
	checkPage(t, image, 2, writes-1)
}
