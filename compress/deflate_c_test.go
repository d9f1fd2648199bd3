//go:build clib

package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

var allWinBits = []int32{-15, -14, -13, -12, -11, -10, -9, 9, 10, 11, 12, 13, 14, 15}

// TestInflate_HandmadeByZlib has zlib judge the streams spelt by hand, whatever
// its window: in one call it lets a distance reach to the beginning of the page.
func TestInflate_HandmadeByZlib(t *testing.T) {
	for _, bits := range allWinBits {
		if bits > 0 {
			continue
		}
		c := winBits(6, bits).peer(t)
		for _, h := range handmadeStreams() {
			page := make([]byte, max(h.size, len(h.page)))
			err := c.Decompress(page, h.src)
			if valid := h.page != nil; valid != (err == nil) || valid && !bytes.Equal(page, h.page) {
				t.Errorf("winbits %d, %s: zlib says %v, want valid: %t", bits, h.name, err, valid)
			}
		}
	}
}

// TestDeflate_AgreesWithZlib changes streams of both, headers and checksums above
// all, and compares what is made of them.
func TestDeflate_AgreesWithZlib(t *testing.T) {
	r := rand.New(rand.NewPCG(70, 0))
	both := 0
	for _, bits := range allWinBits {
		own, c := winBits(6, bits).open(t), winBits(6, bits).peer(t)
		for k := range pageKinds {
			for _, n := range []int{20, 300, PageSize} {
				page := makePage(k, n, 71)
				for _, z := range []interface {
					Compress(dst, page []byte) (int, error)
				}{own, c} {
					dst := make([]byte, DstSize(n)+n/8+64)
					size, err := z.Compress(dst, page)
					if err != nil {
						t.Fatal(err)
					}
					for range 300 {
						src := flipped(r, dst[:size])
						got, want := make([]byte, n), make([]byte, n)
						err, cErr := own.Decompress(got, src), c.Decompress(want, src)
						if (err == nil) != (cErr == nil) || err == nil && !bytes.Equal(got, want) {
							t.Fatalf("winbits %d, page of %d bytes: %v, zlib says %v; % x", bits, n, err, cErr, src)
						}
						if err == nil && !bytes.Equal(got, page) {
							both++
						}
					}
				}
			}
		}
	}
	if both == 0 {
		t.Error("no changed stream was valid")
	}
}

// flipped returns a copy of src with up to three bytes changed, at its ends more
// often than within.
func flipped(r *rand.Rand, src []byte) []byte {
	src = bytes.Clone(src)
	for range r.IntN(4) {
		i := r.IntN(len(src))
		switch r.IntN(4) {
		case 0:
			i = r.IntN(min(3, len(src)))
		case 1:
			i = r.IntN(min(90, len(src)))
		case 2:
			i = len(src) - 1 - r.IntN(min(6, len(src)))
		}
		src[i] ^= 1 << r.IntN(8)
	}
	return src
}
