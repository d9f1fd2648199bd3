package compress

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// pageKinds are the contents that tests put into pages of any size.
var pageKinds = []struct {
	name string
	fill func(p []byte, r *rand.Rand)
}{
	{"zero", func(p []byte, _ *rand.Rand) { clear(p) }},
	{"random", fillRandom},
	{"text", fillText},
	{"sym", func(p []byte, r *rand.Rand) { // few symbols, few matches
		for i := range p {
			p[i] = "ACGT"[r.IntN(4)]
		}
	}},
	{"half", func(p []byte, r *rand.Rand) {
		clear(p)
		fillRandom(p[:len(p)/2], r)
	}},
	{"tiny", func(p []byte, r *rand.Rand) { // a tail that just holds a match
		fillRandom(p, r)
		copy(p[max(0, len(p)-12):], p)
	}},
	{"heap", fillHeap},
	{"period", func(p []byte, r *rand.Rand) { // overlapping matches
		n := 1 + r.IntN(40)
		fillRandom(p[:min(n, len(p))], r)
		for i := n; i < len(p); i++ {
			p[i] = p[i-n]
		}
	}},
	{"far", func(p []byte, r *rand.Rand) { // matches at the greatest distance
		fillRandom(p, r)
		copy(p[len(p)-len(p)/8:], p)
	}},
}

// kindText and kindRandom are places in pageKinds.
const (
	kindRandom = 1
	kindText   = 2
)

func fillRandom(p []byte, r *rand.Rand) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
}

func fillText(p []byte, r *rand.Rand) {
	var b bytes.Buffer
	for b.Len() < len(p) {
		fmt.Fprintf(&b, "%s=%d; ", words[r.IntN(len(words))], r.IntN(1000))
	}
	copy(p, b.Bytes())
}

var words = []string{"slot", "page", "zspage", "handle", "arena", "stream", "compressed", "idle", "fullness group"}

// fillHeap lays out records of pointers, small integers and short strings.
func fillHeap(p []byte, r *rand.Rand) {
	for i := range p {
		switch field := i & 31; {
		case field < 8:
			p[i] = "\x00\x00\x00\x00\xc0\x7f\x00\x00"[field]
			if field < 3 {
				p[i] = byte(r.Uint32()) &^ 7
			}
		case field < 12:
			p[i] = byte(int(field) * (i >> 5) & 3)
		case field < 20:
			p[i] = words[i>>5%len(words)][field%4]
		default:
			p[i] = 0
		}
	}
}

// makePage returns a page of n bytes of that kind; equal arguments give equal
// pages.
func makePage(kind, n int, seed uint64) []byte {
	p := make([]byte, n)
	pageKinds[kind].fill(p, rand.New(rand.NewPCG(seed, uint64(n))))
	return p
}
