//go:build clib

package compress

import (
	"bytes"
	"fmt"
	"testing"

	"uzram/internal/clib"
)

// TestLZ4_DictionariesWithC exchanges pages of many lengths with liblz4, both
// ways, by dictionaries of every size that is special: the shortest, those about
// the length of a key, one that with a page fills the reach of an offset, and the
// longest. The page has pieces of the dictionary, of its end above all.
func TestLZ4_DictionariesWithC(t *testing.T) {
	own := []variant{level("lz4", 1), level("lz4", 9), level("lz4hc", 1), level("lz4hc", 9), level("lz4hc", 12)}
	for _, n := range []int{1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 100, PageSize, maxDict - PageSize, maxDict - 1, maxDict} {
		dict := makePage(kindText, n, 60)
		c := []*clib.Codec{
			clib.NewLZ4Dict(1, dict), clib.NewLZ4Dict(9, dict),
			clib.NewLZ4HCDict(3, dict), clib.NewLZ4HCDict(9, dict), clib.NewLZ4HCDict(12, dict),
		}
		for i, v := range own {
			v.params.Dict = dict
			t.Run(fmt.Sprint(v), func(t *testing.T) {
				s := v.open(t)
				dst := make([]byte, clib.Bound(maxPage))
				for _, length := range dictLengths() {
					page := piecesOf(dict, length)
					back := make([]byte, length)
					size, err := s.Compress(dst, page)
					if err != nil {
						t.Fatal(err)
					}
					if err := c[i].Decompress(back, dst[:size]); err != nil || !bytes.Equal(back, page) {
						t.Fatalf("page of %d bytes: C reads %v, equal: %t", length, err, bytes.Equal(back, page))
					}
					if size, err = c[i].Compress(dst, page); err != nil {
						t.Fatal(err)
					}
					clear(back)
					if err := s.Decompress(back, dst[:size]); err != nil || !bytes.Equal(back, page) {
						t.Fatalf("page of %d bytes: what C writes gives %v, equal: %t", length, err, bytes.Equal(back, page))
					}
				}
			})
		}
		for _, z := range c {
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func dictLengths() (lengths []int) {
	for n := 0; n < maxPage; n += 1 + n/16 {
		lengths = append(lengths, n)
	}
	return append(lengths, PageSize, maxPage-17, maxPage-1, maxPage)
}

// piecesOf returns n bytes: the end of dict, pieces of it, and in between what is
// not in it.
func piecesOf(dict []byte, n int) []byte {
	page := append(make([]byte, 0, n+len(dict)), dict[len(dict)-min(len(dict), 64):]...)
	fresh := makePage(kindRandom, n+1, 61)
	for k := 1; len(page) < n; k++ {
		at := k * 7919 % len(dict)
		page = append(page, dict[at:min(len(dict), at+5+k%60)]...)
		page = append(page, fresh[len(page)%n:][:min(k%23, n-len(page)%n)]...)
	}
	return page[:n]
}
