//go:build clib

package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"uzram/internal/clib"
)

// TestZstdBlock_C has libzstd read blocks with values of every code, which no
// search for matches would choose.
func TestZstdBlock_C(t *testing.T) {
	c := clib.NewZstd(3, nil)
	defer func() { _ = c.Close() }()
	z := newZstdBlockJudge(t)
	var e zstdBlockEncoder
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 10))
		literals, seqs, want := randomSequences(r, []int{100, 1000, PageSize, maxPage}[seed%4], 1<<r.IntN(16))
		literals = append(literals, make([]byte, zstdSlack)...)[:len(literals)]
		dst := make([]byte, DstSize(len(want)))
		n := e.encode(dst, literals, seqs, seed%3 == 0, nil)
		if n >= len(want) {
			continue
		}
		page := make([]byte, len(want))
		if err := c.Decompress(page, z.frame(dst[:n], len(want))); err != nil || !bytes.Equal(page, want) {
			t.Fatalf("seed %d, %d literals, %d sequences: %v", seed, len(literals), len(seqs), err)
		}
	}
}
