package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestZstdPage_Run makes random moves, of every small distance and length and
// into dictionaries, in guarded pages that end with them or go on.
func TestZstdPage_Run(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	dict := makePage(kindRandom, 300, 1)
	lits := makePage(kindRandom, 4000+literalSlack, 2)
	for round := range 3000 {
		reach := []int{16, 40, 300}[round%3]
		history := dict[:r.IntN(len(dict)+1)]
		want := bytes.Clone(history)
		var moves []zstdMove
		l := 0
		for range r.IntN(20) {
			m := zstdMove{literals: uint32(r.IntN(40)), match: uint32(3 + r.IntN(80))}
			if len(want) == 0 {
				m.literals++
			}
			want = append(want, lits[l:][:m.literals]...)
			l += int(m.literals)
			m.offset = uint32(1 + r.IntN(min(reach, len(want))))
			for range m.match {
				want = append(want, want[len(want)-int(m.offset)])
			}
			moves = append(moves, m)
		}
		want = want[len(history):]
		page, intact := guarded(len(want) + r.IntN(100)*r.IntN(2))
		p := zstdPage{page: page, dict: history}
		taken, ok := p.run(moves, lits, 0, l)
		if !ok || taken != l || p.o != len(want) || !bytes.Equal(page[:p.o], want) {
			t.Fatalf("dictionary of %d bytes, moves %v: %t, %d literals of %d, %d bytes of %d",
				len(history), moves, ok, taken, l, p.o, len(want))
		}
		if !intact() {
			t.Fatalf("moves %v: wrote past the page", moves)
		}
	}
}

// TestZstdPage_Refuses moves of one byte or literal too many.
func TestZstdPage_Refuses(t *testing.T) {
	lits := makePage(kindText, 10+literalSlack, 2)
	for _, c := range []struct {
		name string
		move zstdMove
		page int
	}{
		{"distance of 0", zstdMove{10, 5, 0}, 100},
		{"too far", zstdMove{10, 5, 14}, 100},
		{"too far, at the end of the page", zstdMove{10, 5, 14}, 15},
		{"farthest", zstdMove{10, 5, 1<<32 - 1}, 100},
		{"too many literals", zstdMove{11, 5, 1}, 100},
		{"too long a match", zstdMove{10, 6, 1}, 15},
		{"too many literals for the page", zstdMove{10, 3, 1}, 9},
	} {
		p := zstdPage{page: make([]byte, c.page), dict: []byte("abc")}
		if _, ok := p.run([]zstdMove{c.move}, lits, 0, 10); ok {
			t.Errorf("%s: carried out", c.name)
		}
	}
	p := zstdPage{page: make([]byte, 15), dict: []byte("abc")}
	if n, ok := p.run([]zstdMove{{10, 5, 13}}, lits, 0, 10); !ok || n != 10 || p.o != 15 {
		t.Errorf("a move that just fits: %t, %d literals, %d bytes", ok, n, p.o)
	}
}
