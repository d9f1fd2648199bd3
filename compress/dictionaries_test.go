package compress

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// withRepeats returns a trained dictionary with other repeat offsets.
func withRepeats(t *testing.T, offsets [3]int) []byte {
	t.Helper()
	dict := bytes.Clone(trainedDict())
	d, err := readZstdDictionary(dict)
	if err != nil {
		t.Fatal(err)
	}
	at := len(dict) - len(d.content) - 4*len(offsets)
	for k, off := range offsets {
		if off < 0 { // counted from the dictionary's beginning
			off = len(d.content) + 1 + off
		}
		binary.LittleEndian.PutUint32(dict[at+4*k:], uint32(off))
	}
	return dict
}

// TestZstd_DictionaryRepeats has dictionaries with the least and the greatest
// repeat offsets, and equal ones, before pages with room for all of the
// dictionary and for none of it.
func TestZstd_DictionaryRepeats(t *testing.T) {
	for _, offsets := range [][3]int{{1, 1, 1}, {1, 1, 8}, {1, 2, 1}, {-1, -1, -1}, {-1, 1, 4}, {3, 2, -2}} {
		dict := withRepeats(t, offsets)
		for _, l := range []int32{-100, 1, 3, 5, 10, 13} {
			v := level("zstd", l)
			v.params.Dict = dict
			t.Run(fmt.Sprintf("repeats=%v/level=%d", offsets, l), func(t *testing.T) {
				s := v.open(t)
				for _, k := range []int{kindRandom, kindText, 6} {
					for _, n := range []int{1, 9, PageSize, maxPage - 1, maxPage} {
						if underRace && n > PageSize && k != kindText {
							continue
						}
						if err := roundTrip(s, makePage(k, n, 50)); err != nil {
							t.Errorf("%s of %d bytes: %v", pageKinds[k].name, n, err)
						}
					}
				}
			})
		}
	}
}

// TestDictionary_ManySizes sends pages through a stream one of which leaves room
// for the whole dictionary, and the next for a part of it.
func TestDictionary_ManySizes(t *testing.T) {
	text := makePage(kindText, maxDict, 51)
	for _, v := range variants() {
		if v.params.Dict != nil || underRace && v.params.Level > 9 {
			continue
		}
		v.params.Dict = text
		if c, _ := Lookup(v.codec); c.Check(v.params) != nil {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			s, r := v.open(t), rand.New(rand.NewPCG(51, 0))
			for i := range 40 {
				n := r.IntN(PageSize)
				if i%8 == 0 {
					n = maxPage - r.IntN(100)
				}
				page := makePage(r.IntN(len(pageKinds)), n, r.Uint64())
				copy(page[n/2:], text[r.IntN(maxDict-n/2):][:n/4])
				if err := roundTrip(s, page); err != nil {
					t.Fatalf("page %d of %d bytes: %v", i, n, err)
				}
			}
		})
	}
}
