//go:build clib

package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"uzram/internal/clib"
)

// TestLZO_AgreesWithC changes streams of both and compares what is made of them.
func TestLZO_AgreesWithC(t *testing.T) {
	c, s := variant{codec: "lzo"}.peer(t), variant{codec: "lzo"}.open(t)
	r := rand.New(rand.NewPCG(37, 0))
	both := 0
	for k := range pageKinds {
		for _, n := range []int{60, 1000, PageSize, 40 << 10} {
			page := makePage(k, n, 37)
			for _, z := range []interface {
				Compress(dst, page []byte) (int, error)
			}{c, s} {
				dst := make([]byte, clib.Bound(n))
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
