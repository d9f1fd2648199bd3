package store

import (
	"slices"
	"testing"
)

// everyObject selects all objects.
type everyObject struct{}

func (everyObject) selects(uint64, entry, uint32) bool { return true }

// However short its list, a sweep has every slot once, larger objects before
// smaller ones, and slots of one bucket in descending order.
func TestSweepOrder(t *testing.T) {
	const pages = 5 * slotsPerTouch
	d, w := newDeviceOn(t, 1, pages, "lz4")
	s, rng := w.Scratch(0), newRand(t)
	page := make([]byte, PageSize)
	want := 0
	for i := range int64(pages) {
		if i/slotsPerTouch == 2 || rng.IntN(4) == 0 {
			continue // empty, a whole page of the table among them
		}
		clear(page)
		randomBytes(rng, page[:min(PageSize, rng.IntN(PageSize*5/4))])
		mustWrite(t, d, s, page, i*PageSize)
	}
	l := d.live.Load()
	var slots []uint64
	for i := range uint64(pages) {
		if l.table.load(i).kind() == kindObject {
			slots = append(slots, i)
			want++
		}
	}
	bucket := func(i uint64) int { return l.table.load(i).size() / bucketBytes }
	slices.Reverse(slots)
	slices.SortStableFunc(slots, func(a, b uint64) int { return bucket(b) - bucket(a) })
	for _, places := range []int{1, 2, 3, 7, 50, 200, want - 1, want, want + 1, maxList} {
		sweep, got, batches := newSweepOf(l, everyObject{}, places), []uint64(nil), 0
		for batch := sweep.next(); len(batch) > 0; batch = sweep.next() {
			if len(batch) > places {
				t.Fatalf("%d slots in a list of %d", len(batch), places)
			}
			got, batches = append(got, batch...), batches+1
		}
		if !slices.Equal(got, slots) {
			t.Errorf("with %d places: %d slots, want %d, or another order", places, len(got), len(slots))
		}
		if least := (want + places - 1) / places; batches < least || batches > least+buckets {
			t.Errorf("with %d places: %d batches", places, batches)
		}
	}
}

// Pages that change under a sweep neither break it nor come twice.
func TestSweepOfAMovingTable(t *testing.T) {
	const pages = 2000
	d, w := newDeviceOn(t, 1, pages, "lz4")
	s, rng := w.Scratch(0), newRand(t)
	write := func(i int64) {
		page := pageOf(rng, halfPage)
		clear(page[rng.IntN(PageSize/2):])
		mustWrite(t, d, s, page, i*PageSize)
	}
	for i := int64(0); i < pages; i += 2 {
		write(i)
	}
	sweep := newSweepOf(d.live.Load(), everyObject{}, 100)
	seen := map[uint64]bool{}
	for batch := sweep.next(); len(batch) > 0; batch = sweep.next() {
		for _, i := range batch {
			if seen[i] {
				t.Fatalf("slot %d comes twice", i)
			}
			seen[i] = true
		}
		for range 50 {
			if i := rng.Uint64N(pages); !seen[i] {
				write(int64(i))
			}
		}
	}
	if len(seen) < pages/4 {
		t.Errorf("%d slots seen", len(seen))
	}

	// None at the count, some when it comes to listing.
	d.Discard(s, 0, pages*PageSize)
	sweep = newSweepOf(d.live.Load(), everyObject{}, 100)
	write(0)
	if batch := sweep.next(); len(batch) != 0 {
		t.Errorf("%d slots in a list without places", len(batch))
	}
}
