package dictionary

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// phrasePages are pages that share phrases with each other and repeat nothing in themselves: a dictionary of the phrases
// is all that helps. Between the phrases stand random bytes.
func phrasePages(n int, seed uint64) [][]byte {
	common := rand.New(rand.NewPCG(1, 1))
	phrases := make([][]byte, 64)
	for i := range phrases {
		phrases[i] = noise(common, 64)
	}
	r := rand.New(rand.NewPCG(seed, 2))
	pages := make([][]byte, n)
	for i := range pages {
		p := make([]byte, 0, pageSize+64)
		for _, which := range r.Perm(len(phrases))[:43] {
			p = append(append(p, phrases[which]...), noise(r, 32)...)
		}
		pages[i] = p[:pageSize]
	}
	return pages
}

// textPages are pages of one kind: lines with words of one language, and numbers.
func textPages(n int, seed uint64) [][]byte {
	language := rand.New(rand.NewPCG(6, 6))
	words := make([]string, 200)
	for i := range words {
		words[i] = fmt.Sprintf("%x", noise(language, 16))[:4+language.IntN(9)]
	}
	r := rand.New(rand.NewPCG(seed, 3))
	pages := make([][]byte, n)
	for i := range pages {
		var p []byte
		for len(p) < pageSize {
			p = fmt.Appendf(p, "identifier=%d temperature=%.3f words=", r.IntN(1e6), 40*r.Float64())
			for range 8 {
				p = append(append(p, words[r.IntN(len(words))]...), ' ')
			}
			p = append(p, '\n')
		}
		pages[i] = p[:pageSize]
	}
	return pages
}

func noisePages(n int, seed uint64) [][]byte {
	r := rand.New(rand.NewPCG(seed, 4))
	pages := make([][]byte, n)
	for i := range pages {
		pages[i] = noise(r, pageSize)
	}
	return pages
}

// lonelyPages repeat what is in them, and share nothing.
func lonelyPages(n int, seed uint64) [][]byte {
	r := rand.New(rand.NewPCG(seed, 5))
	pages := make([][]byte, n)
	for i := range pages {
		text := noise(r, pageSize/4)
		for range 4 {
			pages[i] = append(pages[i], text...)
		}
	}
	return pages
}

func noise(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(p[i:], r.Uint64())
	}
	return p
}
