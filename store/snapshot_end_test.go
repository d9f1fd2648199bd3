package store

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSnapshotGivesUpRatherThanIO: requests need what the snapshot keeps.
func TestSnapshotGivesUpRatherThanIO(t *testing.T) {
	const pages = 256
	for name, squeeze := range map[string]func(d *Device){
		"what may be kept": func(d *Device) { d.keptLeast = 10 * PageSize },
		"the memory limit": func(d *Device) {
			if err := d.SetMemLimit(d.Stats().MemUsedTotal + 20*PageSize); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, w := newDevice(t, 1, pages)
			s, rng := w.Scratch(0), newRand(t)
			page := make([]byte, PageSize)
			write := func() {
				for i := range pages {
					randomBytes(rng, page)
					mustWrite(t, d, s, page, int64(i)*PageSize)
				}
			}
			write()
			squeeze(d)
			wrote := false
			var aborted atomic.Int32
			out := &slow{each: func() {
				if wrote {
					return
				}
				wrote = true
				write()
				for end := time.Now().Add(10 * time.Second); aborted.Load() == 0 && time.Now().Before(end); {
					time.Sleep(time.Millisecond)
				}
			}}
			err := d.Snapshot("test", out, func(error) { aborted.Add(1) })
			if !errors.Is(err, ErrTooMuchChanged) || aborted.Load() != 1 {
				t.Errorf("%v, aborted %d times", err, aborted.Load())
			}
			check(t, d)
			if err := d.SetMemLimit(0); err != nil {
				t.Fatal(err)
			}
			restored(t, mustSnapshot(t, d), 0)
		})
	}
}

// TestSnapshotEndings: whatever ends a snapshot, nothing stays of it.
func TestSnapshotEndings(t *testing.T) {
	broken := errors.New("broken")
	var reset sync.WaitGroup
	for name, c := range map[string]struct {
		want error
		act  func(d *Device, s *Scratch, gone chan struct{}) error // with a MiB or more to come
	}{
		"its reader goes": {broken, func(*Device, *Scratch, chan struct{}) error { return broken }},
		"a reset": {ErrResetting, func(d *Device, _ *Scratch, gone chan struct{}) error {
			reset.Go(func() {
				if _, err := d.Check(); err == nil {
					t.Error("a check of a device that is reset while it waits is right")
				}
			})
			time.Sleep(time.Millisecond) // for the check to wait; if it does not, it comes too late
			reset.Go(func() {
				if err := d.Reset(0); err != nil {
					t.Error(err)
				}
			})
			<-gone
			return broken
		}},
		"another": {nil, func(d *Device, _ *Scratch, _ chan struct{}) error {
			if err := d.Snapshot("test", io.Discard, noAbort); !errors.Is(err, ErrSnapshot) {
				return fmt.Errorf("a second snapshot: %v", err)
			}
			return nil
		}},
		"a check that has to wait": {nil, func(d *Device, s *Scratch, _ chan struct{}) error {
			checked := make(chan error, 1)
			go func() {
				r, err := d.Check()
				checked <- errors.Join(err, fmt.Errorf("%d findings", len(r.Findings)))
			}()
			select {
			case err := <-checked:
				return fmt.Errorf("a check beside the snapshot: %v", err)
			case <-time.After(50 * time.Millisecond):
				return nil
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			const pages = 1200 // several sections
			d, w := newDevice(t, 1, pages)
			s, rng := w.Scratch(0), newRand(t)
			for i := range pages {
				mustWrite(t, d, s, pageOf(rng, textPage+2*(i%2)), int64(i)*PageSize)
			}
			gone := make(chan struct{})
			sections := 0
			out := writerFunc(func(p []byte) (int, error) {
				if sections++; sections != 3 {
					return len(p), nil
				}
				for i := range pages { // so that there is something to free
					mustWrite(t, d, s, pageOf(rng, oddElementPage+i%2), int64(i)*PageSize)
				}
				if err := c.act(d, s, gone); err != nil {
					return 0, err
				}
				return len(p), nil
			})
			if err := d.Snapshot("test", out, func(error) { close(gone) }); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			reset.Wait()
		})
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
