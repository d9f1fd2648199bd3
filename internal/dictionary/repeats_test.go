package dictionary

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestRepeats_SecondTimeIsNotFresh(t *testing.T) {
	page := noise(rand.New(rand.NewPCG(1, 1)), pageSize)
	copy(page[1000:], page[100:160])               // a repeat
	copy(page[2000:], page[300:305])               // too short for one
	copy(page[3000:], bytes.Repeat([]byte{7}, 50)) // a run: its first byte is new
	var r repeats
	for range 2 { // what a page before leaves must not matter
		r.find(page)
		for _, c := range []struct {
			from, to int
			fresh    bool
		}{{0, 1000, true}, {1000, 1060, false}, {1061, 3000, true}, {3000, 3001, true}, {3001, 3050, false}, {3051, pageSize, true}} {
			for i := c.from; i < c.to; i++ {
				if r.fresh[i] != c.fresh {
					t.Fatalf("byte %d: fresh is %v", i, r.fresh[i])
				}
			}
		}
		r.find(make([]byte, pageSize))
	}
}

// A piece is worth the fresh bytes that it stands for in all pages but one; pages count, not how often one has it.
func TestWorth_CountsPages(t *testing.T) {
	w := newWorth()
	pages := noisePages(5, 1)
	piece := []byte("shared by three")
	for i := range 3 {
		copy(pages[i][500*(i+1):], piece)
	}
	copy(pages[0][3000:], piece) // not fresh, and the same page
	for _, p := range pages {
		w.count(p)
	}
	for i := range lastPiece + 1 {
		want := uint32(0)
		if i >= 1000 && i+pieceLength <= 1000+len(piece) {
			want = 2 * pieceLength
		}
		if got := w.at(pages[1][i:]); got != want {
			t.Errorf("position %d is worth %d, want %d", i, got, want)
		}
	}
	w.take(piece)
	if got := w.at(pages[1][1000:]); got != 0 {
		t.Errorf("worth %d although it is taken", got)
	}
}

// Many pieces that come once do not hide the few that come often, nor pass for such.
func TestWorth_NoiseIsWorthNothing(t *testing.T) {
	w := newWorth()
	pages := noisePages(1200, 2)
	for i := range 20 {
		copy(pages[600+30*i][77:], "a needle in the hay") // when most slots are held by others
	}
	for _, p := range pages {
		w.count(p)
	}
	for i := range lastPiece + 1 {
		got := w.at(pages[600][i:])
		needle := i >= 77 && i+pieceLength <= 77+len("a needle in the hay")
		if needle != (got >= 5*pieceLength) || !needle && got > pieceLength {
			t.Errorf("position %d is worth %d", i, got)
		}
	}
}
