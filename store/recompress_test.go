package store

import (
	"bytes"
	"syscall"
	"testing"

	"uzram/alloc"
	"uzram/compress"
)

// What a request selects and what becomes of it, as recorded from the kernel.
// Pages: symbols, text, zeros, symbols, half random, random.
func TestRecompressRules(t *testing.T) {
	const fresh = "h . s h . h"
	for _, c := range []struct {
		name    string
		request RecompressRequest
		want    string
		result  RecompressResult // without Saved
	}{
		{"huge", RecompressRequest{Huge: true}, "r . s r . hn", RecompressResult{Tried: 3, Replaced: 2, Kept: 1, Incompressible: 1}},
		{"idle, none is", RecompressRequest{Idle: true}, fresh, RecompressResult{}},
		{"idle and huge, none is", RecompressRequest{Idle: true, Huge: true}, fresh, RecompressResult{}},
		{"no page", RecompressRequest{Huge: true, HasMaxPages: true}, fresh, RecompressResult{}},
		{"two pages", RecompressRequest{Huge: true, MaxPages: 2, HasMaxPages: true}, "h . s r . hn", RecompressResult{Tried: 2, Replaced: 1, Kept: 1, Incompressible: 1}},
		{"by name", RecompressRequest{Algo: "zstd", Huge: true}, "r . s r . hn", RecompressResult{Tried: 3, Replaced: 2, Kept: 1, Incompressible: 1}},
		{"threshold", RecompressRequest{Threshold: 3000}, "r . s r . hn", RecompressResult{Tried: 3, Replaced: 2, Kept: 1, Incompressible: 1}},
		{"missed threshold", RecompressRequest{Threshold: 1000, Huge: true}, "hn . s hn . hn", RecompressResult{Tried: 3, Kept: 3, Incompressible: 3}},
		{"highest threshold", RecompressRequest{Threshold: alloc.HugeThreshold - 1}, "r . s r . hn", RecompressResult{Tried: 3, Replaced: 2, Kept: 1, Incompressible: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, w := newSecondaryDevice(t, 2, 6, "lz4", []string{"zstd"})
			rng := newRand(t)
			var disk []byte
			for i, page := range [][]byte{
				symbolPage(rng), pageOf(rng, textPage), make([]byte, PageSize),
				symbolPage(rng), pageOf(rng, halfPage), pageOf(rng, randomPage),
			} {
				mustWrite(t, d, w.Scratch(0), page, int64(i)*PageSize)
				disk = append(disk, page...)
			}
			if got := flagsOf(t, d); got != fresh {
				t.Fatalf("flags are %s before, want %s", got, fresh)
			}
			before := d.Stats()
			result := mustRecompress(t, d, c.request)
			after := d.Stats()
			if got := flagsOf(t, d); got != c.want {
				t.Errorf("flags are %s, want %s", got, c.want)
			}
			saved := result.Saved
			if result.Saved = 0; result != c.result {
				t.Errorf("result %+v, want %+v", result, c.result)
			}
			if before.ComprDataSize-after.ComprDataSize != saved || (saved > 0) != (result.Replaced > 0) {
				t.Errorf("compr_data_size from %d to %d, %d saved", before.ComprDataSize, after.ComprDataSize, saved)
			}
			if after.HugePagesSince != before.HugePagesSince || after.OrigDataSize != before.OrigDataSize {
				t.Errorf("figures from %+v to %+v", before, after)
			}
			check(t, d)
			got := make([]byte, len(disk))
			for id := range w.Len() {
				if mustRead(t, d, w.Scratch(id), got, 0); !bytes.Equal(got, disk) {
					t.Errorf("worker %d reads something else", id)
				}
			}
			if c.request.HasMaxPages {
				return
			}
			if r := mustRecompress(t, d, c.request); r != (RecompressResult{}) || flagsOf(t, d) != c.want {
				t.Errorf("a second time: %+v, flags are %s", r, flagsOf(t, d))
			}
		})
	}
}

func TestRecompressWants(t *testing.T) {
	d, _ := newDeviceOn(t, 1, 0, "lz4")
	_, err := d.Recompress(RecompressRequest{Threshold: alloc.HugeThreshold})
	wantErrno(t, "a threshold no page reaches, before set-up", err, syscall.EINVAL)
	_, err = d.Recompress(RecompressRequest{})
	wantErrno(t, "before set-up", err, syscall.EINVAL)
	setUp(t, d, "lz4", 1)
	_, err = d.Recompress(RecompressRequest{})
	wantErrno(t, "without secondary algorithm", err, syscall.EINVAL)

	d, w := newSecondaryDevice(t, 1, 1, "lz4", []string{"zstd"})
	mustWrite(t, d, w.Scratch(0), symbolPage(newRand(t)), 0)
	for name, r := range map[string]RecompressRequest{
		"threshold -1":                 {Threshold: -1},
		"priority 0":                   {HasPriority: true},
		"priority 4":                   {Priority: 4, HasPriority: true},
		"priority -1":                  {Priority: -1, HasPriority: true},
		"nothing at that priority":     {Priority: 2, HasPriority: true},
		"unknown algorithm":            {Algo: "nosuch"},
		"the primary":                  {Algo: "lz4"},
		"not at that priority":         {Algo: "zstd", Priority: 2, HasPriority: true},
		"priority 0 and its algorithm": {Algo: "lz4", HasPriority: true},
	} {
		result, err := d.Recompress(r)
		wantErrno(t, name, err, syscall.EINVAL)
		if result != (RecompressResult{}) {
			t.Errorf("%s: %+v", name, result)
		}
	}
	if got := flagsOf(t, d); got != "h" {
		t.Errorf("flags are %s after requests that were refused", got)
	}
}

// A page only ever goes to a higher priority than it has, is given up only by
// the last algorithm, and is the primary's again once it is written.
func TestRecompressPriorities(t *testing.T) {
	d, w := newSecondaryDevice(t, 2, 3, "lz4", []string{"deflate", "lz4hc", "zstd"})
	s, rng := w.Scratch(0), newRand(t)
	pages := [][]byte{symbolPage(rng), symbolPage(rng), pageOf(rng, randomPage)}
	for i, page := range pages {
		mustWrite(t, d, s, page, int64(i)*PageSize)
	}
	at := func(priority int) RecompressRequest { return RecompressRequest{Priority: priority, HasPriority: true} }
	expect := func(what string, r RecompressRequest, replaced uint64, flags string) {
		t.Helper()
		if result := mustRecompress(t, d, r); result.Replaced != replaced || flagsOf(t, d) != flags {
			t.Errorf("%s: %d replaced, flags are %s; want %d, %s", what, result.Replaced, flagsOf(t, d), replaced, flags)
		}
		for id := range w.Len() {
			for i, page := range pages {
				wantPage(t, d, w.Scratch(id), int64(i), page)
			}
		}
	}
	expect("lz4hc does not help", at(2), 0, "h h h")
	expect("deflate", RecompressRequest{Algo: "deflate"}, 2, "r r h")
	expect("deflate again", at(1), 0, "r r h")
	expect("lz4hc after deflate", at(2), 0, "r r h")
	mustWrite(t, d, s, pages[0], 0)
	expect("written once more", RecompressRequest{Idle: true}, 0, "h r h")
	d.MarkIdle()
	if result := mustRecompress(t, d, at(3)); result.Replaced < 1 || slotFlags(t, d, 2) != "hn" || slotFlags(t, d, 0) != "r" {
		t.Errorf("the last algorithm: %+v, flags are %s", result, flagsOf(t, d))
	}
	if result := mustRecompress(t, d, at(3)); result != (RecompressResult{}) {
		t.Errorf("the last algorithm once more: %+v", result)
	}
	mustWrite(t, d, s, pages[2], 2*PageSize)
	if flags := slotFlags(t, d, 2); flags != "h" {
		t.Errorf("an incompressible page is %s once it is written", flags)
	}
	check(t, d)
}

// An attempt takes the idle mark off, and a page that was replaced counts as not
// accessed since boot.
func TestRecompressIdle(t *testing.T) {
	d, w := newSecondaryDevice(t, 1, 3, "lz4", []string{"deflate", "zstd"})
	s, rng := w.Scratch(0), newRand(t)
	for i, page := range [][]byte{symbolPage(rng), pageOf(rng, randomPage), symbolPage(rng)} {
		mustWrite(t, d, s, page, int64(i)*PageSize)
	}
	for i := range d.live.Load().table.slots {
		d.live.Load().table.slots[i].aux.Store(1000)
	}
	d.MarkIdle()
	mustRead(t, d, s, make([]byte, 1), 2*PageSize)
	if r := mustRecompress(t, d, RecompressRequest{Idle: true, Huge: true}); r.Tried != 2 || r.Replaced != 1 {
		t.Errorf("%+v", r)
	}
	if got := flagsOf(t, d); got != "r h h" {
		t.Errorf("flags are %s, want r h h", got)
	}
	var seconds []uint32
	d.Slots(0, func(s SlotState) bool {
		seconds = append(seconds, s.Seconds)
		return true
	})
	if seconds[0] != 0 || seconds[1] != 1000 || seconds[2] == 1000 {
		t.Errorf("accesses at %d", seconds)
	}
}

// What an algorithm makes of a page counts only if it takes a smaller class.
func TestRecompressSavesAClass(t *testing.T) {
	resized := &resizing{Codec: newHooked(t, "zstd")}
	d, w := newSecondaryDevice(t, 1, 1, "lz4", []string{resized.Name()}, resized)
	s, page := w.Scratch(0), pageOf(newRand(t), textPage)
	classes := map[bool]int{}
	mustWrite(t, d, s, page, 0)
	size := d.live.Load().table.load(0).size()
	for n := size - 40; n <= size+20; n++ {
		mustWrite(t, d, s, page, 0)
		resized.n = n
		r := mustRecompress(t, d, RecompressRequest{})
		want := alloc.ClassIndex(n) < alloc.ClassIndex(size)
		if (r.Replaced == 1) != want {
			t.Errorf("%d bytes in place of %d: %+v", n, size, r)
		}
		classes[want]++
		if want {
			wantPage(t, d, s, 0, page)
		}
	}
	if classes[true] == 0 || classes[false] < 20 {
		t.Errorf("%d sizes that help, %d that do not", classes[true], classes[false])
	}
}

// resizing is a codec that says that a page takes n bytes.
type resizing struct {
	compress.Codec
	n    int
	page []byte // the last one
}

func (r *resizing) NewStream(p compress.Params) (compress.Stream, error) {
	s, err := r.Codec.NewStream(p)
	return &resizingStream{s, r}, err
}

type resizingStream struct {
	compress.Stream
	codec *resizing
}

func (s *resizingStream) Compress(dst, page []byte) (int, error) {
	s.codec.page = bytes.Clone(page)
	clear(dst[:s.codec.n])
	return s.codec.n, nil
}

func (s *resizingStream) Decompress(page, src []byte) error {
	copy(page, s.codec.page)
	return nil
}

// Memory comes back: the objects are fewer bytes, and compaction gives pages
// away. What the secondary algorithms keep is in the figures.
func TestRecompressGivesMemoryBack(t *testing.T) {
	const pages = 1000
	d, w := newSecondaryDevice(t, 1, pages, "lz4", []string{"zstd"})
	s, rng := w.Scratch(0), newRand(t)
	disk := make([]byte, 0, pages*PageSize)
	for range pages {
		disk = append(disk, symbolPage(rng)...)
	}
	mustWrite(t, d, s, disk, 0)
	before := d.Stats()
	r := mustRecompress(t, d, RecompressRequest{})
	if err := d.Compact(); err != nil {
		t.Fatal(err)
	}
	after := d.Stats()
	if r.Replaced != pages || after.MemUsedTotal > before.MemUsedTotal*3/4 || after.HugePages != 0 {
		t.Errorf("%+v; memory from %d to %d, %d huge pages", r, before.MemUsedTotal, after.MemUsedTotal, after.HugePages)
	}
	l := d.live.Load()
	if own := uint64(l.streams[0].MemoryUsage()); after.Streams <= own+uint64(l.crew.workers[0].writers[1].MemoryUsage()) {
		t.Errorf("streams take %d bytes, the primary's alone %d", after.Streams, own)
	}
	got := make([]byte, len(disk))
	if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
		t.Error("data differ")
	}
	// Parts of recompressed pages are written as those of any other.
	for i := 0; i < pages; i += 10 {
		part := disk[i*PageSize+100 : i*PageSize+300]
		randomBytes(rng, part)
		mustWrite(t, d, s, part, int64(i*PageSize+100))
	}
	if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
		t.Error("data differ after partial writes")
	}
}

// The memory limit is for stores: recompression goes on beyond it.
func TestRecompressIgnoresTheLimit(t *testing.T) {
	d, w := newSecondaryDevice(t, 1, 4, "lz4", []string{"zstd"})
	rng := newRand(t)
	for i := range int64(4) {
		mustWrite(t, d, w.Scratch(0), symbolPage(rng), i*PageSize)
	}
	d.SetMemLimit(PageSize)
	if r := mustRecompress(t, d, RecompressRequest{}); r.Replaced != 4 {
		t.Errorf("%+v", r)
	}
}
