//go:build clib

package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"uzram/internal/clib"
)

// TestLZO_InterchangeWithC exchanges streams with liblzo2 both ways, and lets it
// judge what is no stream.
func TestLZO_InterchangeWithC(t *testing.T) {
	c := clib.NewLZO()
	s := variant{codec: "lzo"}.open(t)
	room := DstSize(maxPage) + maxPage/16
	dst := make([]byte, room)
	for k, kind := range pageKinds {
		whole := makePage(k, maxPage, 30)
		for n := 0; n <= maxPage; n += 1 + n/64 {
			page := whole[maxPage-n:]
			size, err := s.Compress(dst, page)
			if err != nil {
				t.Fatal(err)
			}
			back := make([]byte, n)
			if err := c.Decompress(back, dst[:size]); err != nil || !bytes.Equal(back, page) {
				t.Fatalf("%s of %d bytes: C reads %v", kind.name, n, err)
			}
			if size, err = c.Compress(dst, page); err != nil {
				t.Fatal(err)
			}
			clear(back)
			if err := s.Decompress(back, dst[:size]); err != nil || !bytes.Equal(back, page) {
				t.Fatalf("%s of %d bytes: C's stream gives %v", kind.name, n, err)
			}
		}
	}
}

// TestLZO_AgreesWithC changes streams of both and compares what is made of them.
func TestLZO_AgreesWithC(t *testing.T) {
	c := clib.NewLZO()
	s := variant{codec: "lzo"}.open(t)
	r := rand.New(rand.NewPCG(37, 0))
	both := 0
	for k := range pageKinds {
		for _, n := range []int{60, 1000, PageSize, 40 << 10} {
			page := makePage(k, n, 37)
			for _, z := range []interface {
				Compress(dst, page []byte) (int, error)
			}{c, s} {
				dst := make([]byte, DstSize(n))
				size, err := z.Compress(dst, page)
				if err != nil {
					t.Fatal(err)
				}
				for range 2000 {
					src := bytes.Clone(dst[:size])
					for range r.IntN(4) {
						src[r.IntN(len(src))] = byte(r.Uint32())
					}
					if src[0] == lzoFirst || !bytes.HasSuffix(src, lzoEnd[:]) {
						continue // C knows no versions, and takes an end of any length
					}
					own, other := make([]byte, n), make([]byte, n)
					err, cErr := s.Decompress(own, src), c.Decompress(other, src)
					if (err == nil) != (cErr == nil) || err == nil && !bytes.Equal(own, other) {
						t.Fatalf("page of %d bytes: %v, C says %v, pages equal: %t; % x", n, err, cErr, bytes.Equal(own, other), src)
					}
					if err == nil {
						both++
					}
				}
			}
		}
	}
	if both == 0 {
		t.Error("all streams were corrupt")
	}
}
