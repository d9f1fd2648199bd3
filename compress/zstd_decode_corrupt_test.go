package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// walledReader gives a decoder memory with walls around it: a page that ends at
// one, and input between bytes that no stream should see.
type walledReader struct {
	d         *zstdDecoder
	page, src *walled
}

func newWalledReader(t testing.TB, d *zstdDecoder) *walledReader {
	return &walledReader{d, newWalled(t, maxPage), newWalled(t, 2*maxPage)}
}

// read returns the page of n bytes, read with page and input at the end of memory
// and at its beginning.
func (r *walledReader) read(n int, src []byte) (page []byte, err error) {
	err = r.readAt(true, n, src)
	page = bytes.Clone(r.page.at(true, n))
	again := r.readAt(false, n, src)
	if (err == nil) != (again == nil) || err == nil && !bytes.Equal(page, r.page.at(false, n)) {
		return nil, fmt.Errorf("first %v, then %v, or another page", err, again)
	}
	if err == nil || !errors.Is(again, ErrCorrupt) {
		err = again
	}
	return page, err
}

func (r *walledReader) readAt(last bool, n int, src []byte) error {
	in := r.src.at(last, len(src))
	copy(in, src)
	return faults(func() error { return r.d.Decompress(r.page.at(last, n), in) })
}

// TestZstdDecoder_Spoilt cuts and changes frames: a page comes back, or ErrCorrupt
// does, and nothing is touched that is not the decoder's.
func TestZstdDecoder_Spoilt(t *testing.T) {
	readers := map[string]*walledReader{}
	for _, dict := range decoderDicts() {
		readers[string(dict)] = newWalledReader(t, newTestDecoder(t, dict))
	}
	r := rand.New(rand.NewPCG(1, 4))
	refused := 0
	for i, f := range libraryFrames() {
		reader := readers[string(f.dict)]
		check := func(what string, n int, src []byte) {
			_, err := reader.read(n, src)
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s, %s: %v", f.name, what, err)
			}
			if err != nil {
				refused++
			}
		}
		rounds := 40
		if underRace {
			rounds = 2
		}
		if len(f.data) > 1<<14 && i%8 != 0 {
			continue
		}
		for range rounds {
			n := r.IntN(len(f.data))
			if _, err := reader.read(len(f.page), f.data[:n]); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s, cut at %d: %v", f.name, n, err)
			}
			spoilt := bytes.Clone(f.data)
			spoilt[n] ^= 1 << r.IntN(8)
			check("a bit", len(f.page), spoilt)
			spoilt[r.IntN(len(spoilt))] = byte(r.Uint32())
			check("a byte", len(f.page), spoilt)
			check("another size", r.IntN(maxPage), f.data)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

// TestZstdDictionary_Spoilt cuts and changes a trained dictionary.
func TestZstdDictionary_Spoilt(t *testing.T) {
	dict := trainedDict()
	w := newWalled(t, len(dict))
	header := len(dict) - len(newTestDecoder(t, dict).dict.content)
	spoilt := 0
	for i := range header {
		for bit := range 8 {
			changed := bytes.Clone(dict)
			changed[i] ^= 1 << bit
			for _, n := range []int{len(dict), i} {
				in := w.at(true, n)
				copy(in, changed)
				err := faults(func() error {
					_, err := newZstdDecoder(in)
					return err
				})
				if err != nil && !errors.Is(err, errZstdDictionary) {
					t.Fatalf("bit %d of byte %d, %d bytes: %v", bit, i, n, err)
				}
				if err == nil && n >= 4 && n < header && i > 3 {
					t.Errorf("%d bytes of a header of %d are enough", n, header)
				}
				if err != nil {
					spoilt++
				}
			}
		}
	}
	if spoilt == 0 {
		t.Error("nothing was refused")
	}
	for k := range 3 {
		for _, off := range []uint32{0, uint32(len(dict)-header) + 1} {
			changed := bytes.Clone(dict)
			binary.LittleEndian.PutUint32(changed[header-12+4*k:], off)
			if _, err := newZstdDecoder(changed); !errors.Is(err, errZstdDictionary) {
				t.Errorf("repeat offset %d of %d is taken", k, off)
			}
		}
	}
}

// FuzzZstdDecoder holds the decoder to what klauspost's decoder says: where that
// one takes a frame of the page's length, ours gives the same page. But ours
// refuses skippable frames and more than one, and has the dictionary for frames
// that name none, as libzstd does, and refuses a distance of 0, which the library
// takes for 1. It takes more, too: a match may leave the window.
func FuzzZstdDecoder(f *testing.F) {
	for i, l := range libraryFrames() {
		if i%17 == 0 && len(l.data) < 2000 {
			f.Add(l.data, uint16(len(l.page)), l.dict != nil)
		}
	}
	for _, c := range handCases {
		f.Add(handFrame(c.blocks...), uint16(len(c.want)), false)
	}
	dict := trainedDict()
	own := []*zstdDecoder{newTestDecoder(f, nil), newTestDecoder(f, dict)}
	var library []*zstd.Decoder
	for _, d := range [][]byte{nil, dict} {
		l, err := zstd.NewReader(nil, zstdDecoderOptions(d)...)
		if err != nil {
			f.Fatal(err)
		}
		library = append(library, l)
	}
	wall := newWalled(f, maxPage)
	input := newWalled(f, 1<<20)
	f.Fuzz(func(t *testing.T, src []byte, size uint16, withDict bool) {
		k := 0
		if withDict {
			k = 1
		}
		if len(src) > 1<<20 {
			return
		}
		last := len(src)&1 == 0
		in := input.at(last, len(src))
		copy(in, src)
		page := wall.at(last, int(size))
		own[k].moves = [zstdBatch]zstdMove{} // of a match that is not set, the length is 0
		err := faults(func() error { return own[k].Decompress(page, in) })
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		want, libraryErr := library[k].DecodeAll(src, make([]byte, 0, int(size)))
		if libraryErr != nil || len(want) != int(size) || !oneFrame(src, withDict) ||
			err != nil && slices.ContainsFunc(own[k].moves[:], func(m zstdMove) bool { return m.match > 0 && m.offset == 0 }) {
			return
		}
		if err != nil || !bytes.Equal(page, want) {
			t.Fatalf("the library takes it, ours says %v; same page: %t", err, bytes.Equal(page, want))
		}
	})
}

// oneFrame says whether src, which is valid, is one frame that is not skippable
// and, if withDict is set, names a dictionary.
func oneFrame(src []byte, withDict bool) bool {
	var h zstd.Header
	if h.Decode(src) != nil || h.Skippable || withDict && h.DictionaryID == 0 {
		return false
	}
	i := h.HeaderSize
	for last := false; !last; {
		last = src[i]&1 != 0
		size := (int(src[i]) | int(src[i+1])<<8 | int(src[i+2])<<16) >> 3
		if src[i]>>1&3 == blockRLE {
			size = 1
		}
		i += 3 + size
	}
	if h.HasCheckSum {
		i += 4
	}
	return i == len(src)
}
