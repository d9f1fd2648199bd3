package store

import (
	"math"
	"testing"
)

// What is not used of a reservation goes back to where it came from, whatever
// becomes of the limit meanwhile.
func TestBudgetIsGivenBack(t *testing.T) {
	set := func(left uint64) func(*Device) { return func(d *Device) { d.SetWritebackLimit(left) } }
	on := func(d *Device) { d.SetWritebackLimited(true) }
	off := func(d *Device) { d.SetWritebackLimited(false) }
	for _, c := range []struct {
		name              string
		before, meanwhile []func(*Device)
		got, left         uint64 // of 10, of which 4 are used
	}{
		{"no limit", nil, nil, 10, 0},
		{"a limit that is off", []func(*Device){set(50)}, nil, 10, 50},
		{"a limit", []func(*Device){set(50), on}, nil, 10, 46},
		{"not enough", []func(*Device){set(7), on}, nil, 7, 3},
		{"set meanwhile", []func(*Device){set(50), on}, []func(*Device){set(20)}, 10, 20},
		{"set to the same", []func(*Device){set(50), on}, []func(*Device){set(40)}, 10, 40},
		{"set to the highest", []func(*Device){set(50), on}, []func(*Device){set(math.MaxUint64)}, 10, math.MaxUint64},
		{"switched off", []func(*Device){set(50), on}, []func(*Device){off}, 10, 46},
		{"switched off and on", []func(*Device){set(50), on}, []func(*Device){off, on}, 10, 46},
		{"switched on", []func(*Device){set(50)}, []func(*Device){on}, 10, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := newDeviceOn(t, 1, 0, "lz4")
			for _, f := range c.before {
				f(d)
			}
			b := d.writing.reserve(10)
			for _, f := range c.meanwhile {
				f(d)
			}
			d.writing.giveBack(b, 4)
			if left := d.WritebackLimit(); b.blocks != c.got || left != c.left {
				t.Errorf("got %d blocks, %d are left, want %d and %d", b.blocks, left, c.got, c.left)
			}
		})
	}
}

// A limit that is set while a run goes on holds from the next stretch on, and
// has then what it was set to.
func TestLimitSetMeanwhile(t *testing.T) {
	const pages = 3 * slotsPerStretch
	d, w, b := newBackedDevice(t, 1, pages, pages, false)
	page := pageOf(newRand(t), textPage)
	for i := range int64(pages) {
		mustWrite(t, d, w.Scratch(0), page, i*PageSize)
	}
	b.writing = func(uint64, uint64) {
		if !d.WritebackLimited() {
			d.SetWritebackLimit(5)
			d.SetWritebackLimited(true)
		}
	}
	r, err := d.Writeback(everyPage(pages))
	if r.Written != slotsPerStretch+5 || err == nil || d.WritebackLimit() != 0 {
		t.Errorf("%+v, %v, %d blocks are left; want %d pages", r, err, d.WritebackLimit(), slotsPerStretch+5)
	}
}
