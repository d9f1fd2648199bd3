package harness

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// PageSize is the size of a page of the image.
const PageSize = 4096

// Content is a kind of page that the device treats in its own way.
type Content int

// The kinds of pages.
const (
	Half   Content = iota // compresses to about half
	Random                // does not compress: a huge page
	Text                  // compresses well
	Same                  // one word over and over
	Zero
	Contents // how many kinds there are
)

var contentNames = [...]string{"half", "random", "text", "same-filled", "zero"}

func (c Content) String() string { return contentNames[c] }

// FillPage fills a page (any length that is a multiple of 8) with content of the kind. Equal arguments give equal bytes.
func FillPage(page []byte, kind Content, seed uint64) {
	clear(page)
	r := rand.New(rand.NewPCG(seed, uint64(kind)))
	switch kind {
	case Zero:
	case Same:
		fill(page, r.Uint64)
	case Random:
		words(page, r.Uint64)
	case Half:
		words(page[:len(page)/2], r.Uint64)
	case Text:
		for n := 0; n < len(page); {
			n += copy(page[n:], fmt.Sprintf("entry %d of page %d has nothing new to say\n", n, seed))
		}
	}
}

func words(b []byte, next func() uint64) {
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, next())
	}
}

func fill(b []byte, next func() uint64) {
	word := next()
	words(b, func() uint64 { return word })
}

// FillMixed fills pages with all kinds of content, half of them compressible.
func FillMixed(p []byte, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 77))
	for ; len(p) >= PageSize; p = p[PageSize:] {
		kind := Half
		if r.IntN(2) == 0 {
			kind = Content(r.IntN(int(Contents)))
		}
		FillPage(p[:PageSize], kind, r.Uint64())
	}
}
