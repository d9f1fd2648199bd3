//go:build !race

package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/compress"
	"uzram/compress/codectest"
	"uzram/internal/blockfile"
)

// handedOver is what a keeper would hand to a successor: a copy of each descriptor.
func handedOver(t *testing.T, v *testVault) map[string]int {
	t.Helper()
	fds := make(map[string]int)
	for name, fd := range v.held {
		fds[name] = dupFD(t, fd)
	}
	return fds
}

// lowestFD is the lowest descriptor that is free.
func lowestFD(t *testing.T) int {
	t.Helper()
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	return fd
}

// Descriptors that are not a device's are refused, each in a sentence, and all of
// them are closed.
func TestAdoptRefuses(t *testing.T) {
	d, w, v := newHeldDevice(t, 1, codectest.Waiting(mustLookup(t, "lz4")))
	path := filepath.Join(t.TempDir(), "file")
	if err := blockfile.New(path, 8*PageSize); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.SetBackingDev(path), d.SetWritebackChecksum(true)); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4-waiting", 4)
	self, err := unix.PidfdOpen(os.Getpid(), 0) // as if another one, that lives
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(self)
	if err := v.Hold(testPrefix+"process.1", self); err != nil {
		t.Fatal(err)
	}
	defer v.Drop(testPrefix + "process.1")
	before := lowestFD(t)
	for what, spoil := range map[string]func(fds map[string]int){
		"nothing":          func(fds map[string]int) { replace(fds, "state", -1) },
		"no pool":          func(fds map[string]int) { replace(fds, "1.pool", -1) },
		"no seals":         func(fds map[string]int) { replace(fds, "1.seals", -1) },
		"the wrong arena":  func(fds map[string]int) { replace(fds, "1.slots", dupFD(t, fds[testPrefix+"1.elements"])) },
		"a file for slots": func(fds map[string]int) { replace(fds, "1.slots", openNull(t)) },
		"codec unknown":    func(map[string]int) {},
	} {
		fds := handedOver(t, v)
		spoil(fds)
		next, err := AdoptDevice(w, v, testPrefix, fds)
		wantErrno(t, what, err, syscall.EINVAL)
		if next != nil || len(fds) != 0 {
			t.Errorf("%s: %v, left are %v", what, next, fds)
		}
		if now := lowestFD(t); now != before {
			t.Fatalf("%s: descriptor %d is free, before it was %d", what, now, before)
		}
	}
	// A backing device that is none, or not there, is out of reach until somebody
	// has it, and the vault is not told to drop it.
	for _, fd := range []int{openNull(t), -1} {
		fds := handedOver(t, v)
		replace(fds, "backing.1", fd)
		own := new(testVault)
		if err := own.Hold(testPrefix+"backing.1", -1); err != nil {
			t.Fatal(err)
		}
		next, err := AdoptDevice(w, own, testPrefix, fds, codectest.Waiting(mustLookup(t, "lz4")))
		if err != nil || next.BackingDev() != path || len(next.Adoption().Findings) != 1 || len(own.names()) != 1 {
			t.Fatalf("%+v, %v, held are %q", next.Adoption(), err, own.names())
		}
		// Its arenas are the first one's too: it may not reset them.
		l := next.live.Load()
		next.setLive(nil)
		l.close()
		next.state.arena.Close()
		if names := next.forebears.forget(); len(names) != 1 {
			t.Errorf("processes before: %q", names)
		}
	}
	if now := lowestFD(t); now != before {
		t.Errorf("descriptor %d is free, before it was %d", now, before)
	}
}

func replace(fds map[string]int, name string, fd int) {
	unix.Close(fds[testPrefix+name])
	if fds[testPrefix+name] = fd; fd < 0 {
		delete(fds, testPrefix+name)
	}
}

func openNull(t *testing.T) int {
	t.Helper()
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func mustLookup(t *testing.T, name string) compress.Codec {
	t.Helper()
	codec, ok := compress.Lookup(name)
	if !ok {
		t.Fatalf("no algorithm %s", name)
	}
	return codec
}
