package dictionary

import (
	"bytes"
	"testing"
)

func TestSplit(t *testing.T) {
	s := &Sample{}
	for source := range 2 {
		for i := range uint64(4000) {
			s.Pages = append(s.Pages, Page{source, 3 * i, numbered(uint64(source)<<32 | i)})
		}
	}
	// Copies of one page, in regions of either part.
	for i := 0; i < len(s.Pages); i += 40 {
		s.Pages[i].Data = numbered(1 << 60)
	}
	out := s.Split()
	held := map[string]bool{}
	for _, p := range out.Held {
		held[string(p)] = true
	}
	if len(held) != len(out.Held) {
		t.Error("a page is held out twice")
	}
	for _, p := range out.Trained {
		if held[string(p)] {
			t.Fatal("a page is in both parts")
		}
	}
	if n := len(out.Trained) + len(out.Held) + out.Copies; n != len(s.Pages) || out.Copies != len(s.Pages)/40-1 {
		t.Errorf("%d pages come to %d, %d of them copies", len(s.Pages), n, out.Copies)
	}
	if share := float64(len(out.Held)) / float64(len(s.Pages)); share < 0.17 || share > 0.23 {
		t.Errorf("%.3f are held out", share)
	}
	// Neighbours go the same way.
	parts := map[region]bool{}
	for i := range s.Pages {
		p := &s.Pages[i]
		if bytes.Equal(p.Data, numbered(1<<60)) {
			continue
		}
		part, known := parts[p.region()]
		if is := held[string(p.Data)]; known && part != is {
			t.Fatalf("region %v is divided", p.region())
		} else {
			parts[p.region()] = is
		}
	}
	again := s.Split()
	if len(again.Held) != len(out.Held) || &again.Held[0][0] != &out.Held[0][0] {
		t.Error("another split the second time")
	}
}

func TestSplit_Few(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 16: 16, 32: 16, 96: 32} {
		s := &Sample{}
		for i := range n {
			s.Pages = append(s.Pages, Page{0, uint64(i), numbered(uint64(i))})
		}
		if got := s.Split(); len(got.Held) != want {
			t.Errorf("%d of %d pages are held out, want %d", len(got.Held), n, want)
		}
	}
}
