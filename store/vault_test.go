package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func wantNames(t *testing.T, v *testVault, want string) {
	t.Helper()
	if got := strings.Join(v.names(), " "); got != want {
		t.Errorf("held are %q, want %q", got, want)
	}
}

// What is held is what counts, in every state of a device.
func TestVaultHoldsWhatCounts(t *testing.T) {
	d, _, v := newHeldDevice(t, 1)
	d.SetMemoryLocked(true)
	files := 0
	d.openFile = func(string) (Backing, error) {
		files++
		return heldBacking{newMemBacking(8)}, nil
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, v, "state")
	must(d.SetBackingDev("/memory"))
	wantNames(t, v, "backing.1 state")
	must(d.SetBackingDev("/memory"))
	wantNames(t, v, "backing.2 state")
	if !d.HasBackingDev("/memory") || !d.HasBackingDev("/../memory/.") || d.HasBackingDev("/other") {
		t.Error("it does not know its backing device")
	}
	must(d.SetDisksize(PageSize))
	wantErrno(t, "retired while it is set up", d.Retire(), syscall.EBUSY)
	wantErrno(t, "wiping from now on", d.SetWipe(true), syscall.EBUSY)
	wantNames(t, v, "1.elements 1.pool 1.slots backing.2 state")
	if d.HasBackingDev("/memory") {
		t.Error("a device that is set up takes no backing device")
	}
	must(d.Reset(0))
	wantNames(t, v, "state")
	must(errors.Join(d.SetWritebackEncryption(true), d.SetBackingDev("/memory"), d.SetDisksize(PageSize)))
	wantNames(t, v, "2.elements 2.pool 2.seals 2.slots backing.3 state")
	must(d.Reset(0))
	wantErrno(t, "a refused size", d.SetDisksize(0), syscall.EINVAL)
	wantNames(t, v, "state")
}

// heldBacking has a descriptor, as files have.
type heldBacking struct{ *memBacking }

func (heldBacking) FD() int { return -1 }

// A vault that takes something not leaves everything as it was.
func TestVaultThatFails(t *testing.T) {
	d, _, v := newHeldDevice(t, 1)
	d.SetMemoryLocked(true)
	d.openFile = func(string) (Backing, error) { return heldBacking{newMemBacking(8)}, nil }
	if err := errors.Join(d.SetWritebackChecksum(true), d.SetBackingDev("/memory")); err != nil {
		t.Fatal(err)
	}
	broken := fmt.Errorf("broken: %w", syscall.EPIPE)
	for _, name := range []string{"backing.2", "1.slots", "1.elements", "1.pool", "1.seals"} {
		v.fail = func(n string) error {
			if n == testPrefix+name {
				return broken
			}
			return nil
		}
		var err error
		if name == "backing.2" {
			err = d.SetBackingDev("/memory")
		} else {
			err = d.SetDisksize(PageSize)
		}
		if !errors.Is(err, broken) || d.Initialised() || d.BackingDev() != "/memory" {
			t.Errorf("%s: %v", name, err)
		}
		wantNames(t, v, "backing.1 state")
	}
	v.fail = nil
	if err := d.SetDisksize(PageSize); err != nil {
		t.Error(err)
	}
	other, fails := NewDevice(newWorkers(t, 1)), &testVault{fail: func(string) error { return broken }}
	if err := other.SetVault(fails, testPrefix); !errors.Is(err, broken) {
		t.Errorf("a vault that takes nothing: %v", err)
	}
	if err := other.SetDisksize(PageSize); err != nil {
		t.Errorf("without it: %v", err)
	}
	if err := other.Reset(0); err != nil {
		t.Error(err)
	}
	wantErrno(t, "a crew beyond any", NewDevice(newWorkers(t, maxPlaces)).SetVault(v, "d1."), syscall.EINVAL)
}

// Counts of what happened go on where they were, under a crew of any size; those
// that follow from the slots are counted.
func TestTakeOverByAnotherCrew(t *testing.T) {
	d, w, v := newHeldDevice(t, 4)
	setUp(t, d, "lz4", 40)
	rng := newRand(t)
	fillDisk(t, d, w.Scratch(3), rng)
	for range 3 {
		if _, err := d.ReadAt(w.Scratch(2), nil, 0); err != nil {
			t.Fatal(err)
		}
		if err := d.Discard(w.Scratch(1), 0, 2*PageSize); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{1, 6, 2} {
		want := countsOf(d.Stats())
		// A request that was done and not counted.
		s := w.Scratch(0)
		mustWrite(t, d, s, pageOf(rng, textPage), 20*PageSize)
		c, err := leave(v, d)
		if err != nil {
			t.Fatal(err)
		}
		w = newWorkers(t, n)
		next, nv, err := c.successor(w)
		if err != nil {
			t.Fatal(err)
		}
		check(t, next)
		got := countsOf(next.Stats())
		want.compr, want.orig, want.same, want.huge = got.compr, got.orig, got.same, got.huge
		if got != want || next.Stats().MemUsedMax == 0 {
			t.Errorf("crew of %d: %+v, want %+v", n, got, want)
		}
		page := make([]byte, PageSize)
		for i := range n {
			mustWrite(t, next, w.Scratch(i), page, int64(i)*PageSize)
		}
		check(t, next)
		old, oldVault := d, v
		d, v = next, nv
		if n != 1 { // the first is the test's
			if err := retire(old, oldVault); err != nil {
				t.Error(err)
			}
		}
	}
	if err := retire(d, v); err != nil {
		t.Error(err)
	}
}

// A nonce is never used twice, by whomever, and a key only while its device is set
// up.
func TestTakeOverGoesOnWithNonces(t *testing.T) {
	d, w, v := newHeldDevice(t, 1)
	d.openFile = func(string) (Backing, error) { return newMemBacking(64), nil }
	d.SetMemoryLocked(true)
	if err := errors.Join(d.SetWritebackEncryption(true), d.SetBackingDev("/memory")); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", 2*pageKinds)
	s, rng := w.Scratch(0), newRand(t)
	seen := make(map[uint64]bool)
	first := d
	for round := range 4 {
		disk := fillDisk(t, d, s, rng)
		mustWriteback(t, d, everyPage(2*pageKinds))
		e := d.live.Load().backing.seals.(*encryption)
		for i := range uint64(2 * pageKinds) {
			if word := d.live.Load().table.load(i); word.kind() == kindBlock {
				number := e.blocks[word.block()].write
				if seen[number] {
					t.Fatalf("round %d: nonce %d a second time", round, number)
				}
				seen[number] = true
			}
		}
		key := d.state.key
		c, err := leave(v, d)
		if err != nil {
			t.Fatal(err)
		}
		next, nv, err := c.successor(w)
		if err != nil {
			t.Fatal(err)
		}
		if next.state.key != key || key == [keySize]byte{} {
			t.Error("another key")
		}
		wantDisk(t, next, s, disk)
		if d != first {
			if err := retire(d, v); err != nil {
				t.Error(err)
			}
		}
		d, v = next, nv
	}
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	if d.state.key != [keySize]byte{} {
		t.Error("the key is still there after a reset")
	}
	// A death between the record and the key.
	d.state.key[0] = 1
	next := takenOver(t, d, w, v)
	if next.state.key != [keySize]byte{} {
		t.Error("the key of a device that is not set up is still there")
	}
	if err := retire(d, v); err != nil {
		t.Error(err)
	}
}

// What a dead run had reserved of the limit and not written is there again.
func TestTakeOverGivesBudgetBack(t *testing.T) {
	d, w, v := newHeldDevice(t, 1)
	d.SetWritebackLimit(100)
	d.SetWritebackLimited(true)
	b := d.writing.reserve(60)
	d.state.writes.Add(7)
	if next := takenOver(t, d, w, v); next.WritebackLimit() != 93 {
		t.Errorf("%d blocks left after a death, want 93", next.WritebackLimit())
	}
	d.writing.giveBack(b, 7)
	if next := takenOver(t, d, w, v); next.WritebackLimit() != 93 {
		t.Errorf("%d blocks left after the run's end, want 93", next.WritebackLimit())
	}
	d.writing.reserve(60)
	d.SetWritebackLimit(5)
	if next := takenOver(t, d, w, v); next.WritebackLimit() != 5 {
		t.Errorf("%d blocks left, want what was set during the run", next.WritebackLimit())
	}
}
