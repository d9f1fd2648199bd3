package fusefs

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"uzram/store"
)

func TestDeviceArena(t *testing.T) {
	a, err := newDeviceArena(MaxDevices)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for want := range uint64(MaxDevices) {
		if got, err := a.lowest(); err != nil || got != want {
			t.Fatalf("number %d, %v; want %d", got, err, want)
		}
		if want < 100 {
			if err := a.back(want, 2); err != nil {
				t.Fatal(err)
			}
			a.take(want, want)
		} else {
			a.used[want/64].Or(1 << (want % 64)) // a record takes memory
		}
	}
	if _, err := a.lowest(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("with all numbers in use: %v", err)
	}
	a.records[70].setLoop("/dev/loop12")
	if got := a.records[70].loopName(); got != "/dev/loop12" {
		t.Errorf("loop device %q", got)
	}
	resident := a.arena.Resident()
	for _, n := range []uint64{70, 3, 64, 65} {
		a.give(n)
	}
	if now := a.arena.Resident(); now >= resident {
		t.Errorf("%d bytes, %d before some were given back", now, resident)
	}
	if n, err := a.lowest(); n != 3 || err != nil {
		t.Errorf("lowest %d, %v", n, err)
	}
	for from, want := range map[uint64]uint64{0: 0, 3: 4, 63: 63, 64: 66, 70: 71, MaxDevices - 1: MaxDevices - 1} {
		if got, ok := a.next(from); !ok || got != want {
			t.Errorf("next from %d: %d, %v; want %d", from, got, ok, want)
		}
	}
	if n, ok := a.next(MaxDevices); ok {
		t.Errorf("next from the end: %d", n)
	}
	if err := a.back(70, 2); err != nil {
		t.Fatal(err)
	}
	if got := a.take(70, 9); got.loopName() != "" || got.serial.Load() != 9 || got.phase.Load() != deviceMaking {
		t.Errorf("a number that is used again has %q, serial %d, phase %d", got.loopName(), got.serial.Load(), got.phase.Load())
	}
}

func TestUsers(t *testing.T) {
	u := newUsers()
	for range 2 {
		if !u.enter() {
			t.Fatal("nobody may enter")
		}
	}
	u.close()
	if u.enter() || !u.shutOut() {
		t.Error("one may enter after the end")
	}
	gone := make(chan struct{})
	go func() { u.wait(); close(gone) }()
	u.leave()
	select {
	case <-gone:
		t.Error("gone with a user in it")
	case <-time.After(10 * time.Millisecond):
	}
	u.leave()
	<-gone
	empty := newUsers()
	empty.close()
	empty.wait()
}

// A request for what a device of a number was finds nothing of the one that has
// the number now.
func TestServeTellsDevicesOfANumberApart(t *testing.T) {
	b := newBench(t)
	s := b.devices
	old := b.disk.id
	s.withdraw(b.disk)
	fresh := &disk{id: deviceID(5, 0), dev: store.NewDevice(newWorkers(t, 1)), io: b.disk.io, log: b.disk.log, users: newUsers()}
	s.publish(fresh)
	for req, want := range map[string]syscall.Errno{
		string(request(opRead, nodeID(old, imageRow), make([]byte, 40))):            syscall.ENODEV,
		string(request(opWrite, nodeID(old, imageRow), make([]byte, 40), "")):       syscall.ENODEV,
		string(request(opRead, nodeID(old, 17), make([]byte, 40))):                  syscall.ENODEV,
		string(request(opOpen, nodeID(old, imageRow), make([]byte, 8))):             syscall.ESTALE,
		string(request(opOpen, nodeID(old, 17), make([]byte, 8))):                   syscall.ESTALE,
		string(request(opGetattr, nodeID(old, 17), make([]byte, 16))):               syscall.ESTALE,
		string(request(opLookup, nodeID(old, debugRow), []byte("status\x00"))):      syscall.ESTALE,
		string(request(opReaddir, nodeID(old, debugRow), make([]byte, 40))):         syscall.ESTALE,
		string(request(opStatfs, nodeID(old, imageRow))):                            syscall.ESTALE,
		string(request(opRelease, nodeID(old, imageRow), make([]byte, 24))):         0,
		string(request(opGetattr, nodeID(fresh.id, 17), make([]byte, 16))):          0,
		string(request(opLookup, nodeID(fresh.id, debugRow), []byte("status\x00"))): 0,
	} {
		if errno, _ := b.do([]byte(req)); errno != want {
			t.Errorf("%q: %v, want %v", req, errno, want)
		}
	}
}

// multi is a mount with many devices, of which there are none.
func multi(t *testing.T, c serverConfig) *server {
	t.Helper()
	c.Dir, c.Multi = t.TempDir(), true
	return mounted(t, c)
}

func (s *server) add(want string) {
	s.t.Helper()
	if got := s.read("class/zram-control/hot_add"); got != want+"\n" {
		s.t.Fatalf("hot_add: %q, want %q", got, want)
	}
}

func (s *server) remove(number string) error { return s.try("class/zram-control/hot_remove", number) }

func (s *server) names(dir string) string {
	s.t.Helper()
	entries, err := os.ReadDir(s.path(dir))
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
