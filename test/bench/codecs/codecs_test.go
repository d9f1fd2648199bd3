package main

import (
	"bytes"
	"strings"
	"testing"

	"uzram/compress"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/undo"
)

// twoPages are one that compresses and one that does not get smaller.
func twoPages(size int) *set {
	pages := bytes.Repeat([]byte("a page of text, "), 2*size/16)
	for i, x := size, uint64(1); i < len(pages); i++ {
		x = x*6364136223846793005 + 1442695040888963407
		pages[i] = byte(x >> 56)
	}
	return &set{pages: pages, size: size, back: make([]byte, size)}
}

// Every subject, level and page size can be measured; a side that does not give
// back what it was given would be found.
func TestContests(t *testing.T) {
	all := chosen(compress.Names())
	for _, name := range leveled() {
		some, err := byLevel(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	for i, s := range all {
		t.Run(s.algorithm+"/"+s.name, func(t *testing.T) {
			size := compress.PageSize << (i % 5)
			var cleanup undo.Stack
			c, err := newContest(s, twoPages(size), &cleanup)
			if err != nil {
				t.Fatal(err)
			}
			for _, side := range c.sides {
				if err := side.pack(0, 2); err != nil {
					t.Errorf("%s: %v", side.name, err)
				}
				if err := side.unpack(0, 2); err != nil {
					t.Errorf("%s: %v", side.name, err)
				}
				if err := side.readBy(side); err != nil {
					t.Errorf("%s: %v", side.name, err)
				}
				stored := s.name == "0" || s.params.Level < -20 // what C does then
				if r := side.ratio(); !stored && (r < 1.5 || r > 2) {
					t.Errorf("%s: ratio %.3f of a page of text and one of noise, want nearly 2", side.name, r)
				}
			}
			if err := c.exchange(); err != nil {
				t.Error(err)
			}
			if haveC != (c.c != nil) && s.algorithm != "842" {
				t.Errorf("C's side is %v, built with C: %t", c.c, haveC)
			}
			if err := cleanup.Unwind(); err != nil {
				t.Error(err)
			}
		})
	}
}

// liar decompresses to something else.
type liar struct{ coder }

func (l liar) Decompress(page, src []byte) error {
	err := l.coder.Decompress(page, src)
	page[len(page)/2] ^= 1
	return err
}

func TestReadByFindsAnotherPage(t *testing.T) {
	var cleanup undo.Stack
	c, err := newContest(subjects[0], twoPages(compress.PageSize), &cleanup)
	if err != nil {
		t.Fatal(err)
	}
	own := c.own()
	if err := own.pack(0, 2); err != nil {
		t.Fatal(err)
	}
	if err := own.readBy(liar{own}); err == nil || !strings.Contains(err.Error(), "page 0") {
		t.Errorf("%v, want an error of page 0", err)
	}
	if err := cleanup.Unwind(); err != nil {
		t.Error(err)
	}
}

// hungry takes memory for each page.
type hungry struct{ coder }

var taken []byte

func (h hungry) Compress(dst, page []byte) (int, error) {
	taken = make([]byte, len(page))
	return h.coder.Compress(dst, page)
}

func TestAllocations(t *testing.T) {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * i >> 8)
	}
	var cleanup undo.Stack
	c, err := newContest(subjects[0], sample(data, compress.PageSize, 1), &cleanup)
	if err != nil {
		t.Fatal(err)
	}
	if c.allocations > 0.1 { // the runtime may have made a few
		t.Errorf("%v allocations per page", c.allocations)
	}
	own := c.own()
	own.coder = hungry{own.coder}
	if n, err := own.allocations(); err != nil || n < 1 || n > 1.1 {
		t.Errorf("%v allocations per page, %v, want 1", n, err)
	}
	if err := cleanup.Unwind(); err != nil {
		t.Error(err)
	}
}

func TestRaceNotesASpeedEach(t *testing.T) {
	pages := twoPages(compress.PageSize)
	sides := []*side{{name: "a", set: pages}, {name: "b", set: pages}}
	done := map[string]int{}
	err := race(sides, func(s *side, i, j int) error {
		done[s.name] += j - i
		return nil
	}, func(s *side) *report.Series { return &s.compress })
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sides {
		if n := done[s.name]; n < leastPasses*2 || n != done["a"] || len(s.compress) != 1 || s.compress[0] <= 0 {
			t.Errorf("%s did %d pages, speeds %v", s.name, n, s.compress)
		}
	}
}

func TestSampleLeavesSameFilledOut(t *testing.T) {
	data := make([]byte, 4*64<<10)
	data[100] = 1             // first page of region 0
	data[64<<10] = 1          // region 1: left out by every = 2
	data[2*64<<10+4096+8] = 1 // second page of region 2
	copy(data[3*64<<10:], "x")
	s := sample(data, 4096, 2)
	if s.len() != 2 || s.page(0)[100] != 1 || s.page(1)[8] != 1 {
		t.Errorf("%d pages, want the first of region 0 and the second of region 2", s.len())
	}
	if s := sample(data, 64<<10, 1); s.len() != 4 {
		t.Errorf("%d pages of 64 KiB, want all regions", s.len())
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "2", "-algorithms", "deflate,lz4", "-page", "65536"})
	if err != nil || o.rounds != 2 || o.page != 65536 || len(o.subjects) != 3 || o.subjects[0].name != "lz4" {
		t.Errorf("options %+v, %v", o, err)
	}
	o, err = parse([]string{"-levels", "lz4hc"})
	if s := o.subjects; err != nil || len(s) != len(levels["lz4hc"]) || s[1].name != "2" || s[1].params.Level != 2 {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, bad := range [][]string{
		{"-rounds", "0"}, {"-every", "0"}, {"-algorithms", "lz5"}, {"-page", "5000"}, {"-levels", "lzo"}, {"-levels", "lz5"},
	} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, o)
		}
	}
}
