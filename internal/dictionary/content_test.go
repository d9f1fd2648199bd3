package dictionary

import (
	"bytes"
	"testing"
)

func TestContent_HoldsWhatIsSharedBestLast(t *testing.T) {
	pages := noisePages(100, 1)
	rare, often := noisePages(2, 99)[0][:60], noisePages(2, 98)[0][:60]
	for i := range pages {
		if i%2 == 0 {
			copy(pages[i][(i*7)%3000:], often)
		}
		if i%5 == 0 {
			copy(pages[i][3100:], rare)
		}
	}
	c := Content(pages, 1024)
	first, last := bytes.Index(c, rare), bytes.Index(c, often)
	if first < 0 || last < first || len(c) > 2*segmentLength {
		t.Errorf("%d bytes; rare at %d, often at %d", len(c), first, last)
	}
	for _, size := range []int{50, 60, 61} { // cut at the front, what is worth least
		if got := Content(pages, size); !bytes.HasSuffix(c, got) || len(got) != size {
			t.Errorf("of %d bytes: %d, which are not the end of the whole", size, len(got))
		}
	}
}

func TestContent_DependsOnThePagesAlone(t *testing.T) {
	pages := textPages(60, 1)
	first := Content(pages, 3<<10)
	Content(phrasePages(30, 1), 1<<10)
	if len(first) != 3<<10 || !bytes.Equal(first, Content(pages, 3<<10)) {
		t.Errorf("%d bytes, and others the second time", len(first))
	}
}

func TestContent_NothingShared(t *testing.T) {
	for name, pages := range map[string][][]byte{"none": nil, "noise": noisePages(400, 1), "lonely": lonelyPages(200, 1)} {
		if c := Content(pages, 4096); len(c) != 0 {
			t.Errorf("%s: %d bytes", name, len(c))
		}
	}
}

func TestBest_LongestSegment(t *testing.T) {
	pages := noisePages(3, 1)
	for _, p := range pages {
		copy(p[1000:], noisePages(1, 50)[0][:300])
	}
	w := newWorth()
	for _, p := range pages {
		w.count(p)
	}
	from := w.donors(pages)
	s := w.best(&from[2], 2)
	if s.donor != 2 || s.start < 1000 || s.end > 1300 || s.end-s.start != segmentLength || s.worth == 0 {
		t.Errorf("%+v", s)
	}
	if n := len(from[2].live); n < 285 || n > 305 {
		t.Errorf("%d pieces are worth something, of 300 bytes that are", n)
	}
}
