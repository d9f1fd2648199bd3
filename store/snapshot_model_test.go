package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// scribe changes pages of its own, one request after the other, and keeps a log.
// Each change is a version of all the pages that it is about, whose bytes tell it.
type scribe struct {
	dev     *Device
	scratch *Scratch
	pages   []uint64 // one after the other
	still   int      // of them, the last ones that are not changed any more
	clock   *atomic.Uint64
	rng     *rand.Rand
	log     []change
	now     map[uint64]uint64 // version of each page; none: it is empty
}

// change is one version: what became of some pages, and when.
type change struct {
	page, more uint64 // the first one, and how many behind it
	empty      bool
	begin, end uint64 // of the request, by the clock
}

// versionPage fills page with a version's contents, whose first bytes name it.
func versionPage(page []byte, index, version uint64) {
	name := index<<40 | version
	rng := rand.New(rand.NewPCG(name, 1))
	switch rng.IntN(5) {
	case 0: // fits a commit word
		fill(page, name)
		return
	case 1: // does not
		fill(page, name|1<<63)
		return
	case 2:
		randomBytes(rng, page)
	default:
		clear(page)
		line := fmt.Sprintf("version %d of page %d; ", version, index)
		for n := 0; n < len(page)*(1+rng.IntN(4))/4; n += len(line) {
			copy(page[n:], line)
		}
	}
	binary.LittleEndian.PutUint64(page, name)
}

// contentOf is a version's page, whole.
func contentOf(index, version uint64) []byte {
	page := make([]byte, PageSize)
	versionPage(page, index, version)
	return page
}

// step changes one of the scribe's pages.
func (s *scribe) step(t testing.TB) {
	at := s.rng.IntN(len(s.pages) - s.still - 1)
	i := s.pages[at]
	version := uint64(len(s.log) + 1)
	c := change{page: i, empty: s.now[i] != 0 && s.rng.IntN(8) == 0}
	var data []byte
	if !c.empty {
		c.more = uint64(min(s.rng.IntN(6), len(s.pages)-s.still-at-1))
		for k := range c.more + 1 {
			data = append(data, contentOf(i+k, version)...)
			s.now[i+k] = version
		}
	}
	var err error
	c.begin = s.clock.Add(1)
	if c.empty {
		err = s.dev.Discard(s.scratch, int64(i)*PageSize, PageSize)
		delete(s.now, i)
	} else {
		_, err = s.dev.WriteAt(s.scratch, data, int64(i)*PageSize)
	}
	c.end = s.clock.Add(1)
	s.log = append(s.log, c)
	if err != nil {
		t.Error(err)
	}
}

// judge finds the change after which all of the scribe's pages were as read says:
// the version of each, 0 for empty. The moment was after the begin of the last
// change that is in, and before the end of the first that is not.
func (s *scribe) judge(read func(page uint64) uint64) (after, before uint64, err error) {
	got := make(map[uint64]uint64)
	wrong := 0
	for _, i := range s.pages {
		if got[i] = read(i); got[i] != 0 {
			wrong++
		}
	}
	state := make(map[uint64]uint64)
	for n := 0; n <= len(s.log); n++ {
		if n > 0 {
			c, version := s.log[n-1], uint64(n)
			if c.empty {
				version = 0
			}
			for i := c.page; i <= c.page+c.more; i++ {
				if state[i] == got[i] {
					wrong++
				}
				if state[i] = version; version == got[i] {
					wrong--
				}
			}
			after = c.begin
		}
		if wrong == 0 {
			before = ^uint64(0)
			if n < len(s.log) {
				before = s.log[n].end
			}
			return after, before, nil
		}
	}
	return 0, 0, fmt.Errorf("its %d pages never were like this", len(s.pages))
}

// wantMoment fails unless dev is as the scribes' disk was at one moment.
func wantMoment(t testing.TB, dev *Device, s *Scratch, scribes []*scribe) {
	t.Helper()
	page := make([]byte, PageSize)
	read := func(i uint64) uint64 {
		mustRead(t, dev, s, page, int64(i)*PageSize)
		if bytes.Equal(page, make([]byte, PageSize)) {
			return 0
		}
		name := binary.LittleEndian.Uint64(page) &^ (1 << 63)
		if version := name & (1<<40 - 1); name>>40 == i && bytes.Equal(page, contentOf(i, version)) {
			return version
		}
		t.Errorf("page %d is no version of it", i)
		return ^uint64(0)
	}
	last, first := uint64(0), ^uint64(0)
	for k, w := range scribes {
		after, before, err := w.judge(read)
		if err != nil {
			t.Fatalf("writer %d: %v", k, err)
		}
		last, first = max(last, after), min(first, before)
	}
	if last > first {
		t.Errorf("a change that began at %d is in, one that ended at %d is not", last, first)
	}
}

// TestScribesAreJudged: the judge refuses a disk that mixes two moments.
func TestScribesAreJudged(t *testing.T) {
	both := &scribe{pages: []uint64{1, 2}, log: []change{{page: 1, more: 1, begin: 1, end: 2}}}
	if _, _, err := both.judge(func(page uint64) uint64 { return page - 1 }); err == nil {
		t.Error("half a request passes")
	}
	w := &scribe{pages: []uint64{1, 2}, log: []change{
		{page: 1, begin: 1, end: 2}, {page: 2, begin: 3, end: 4}, {page: 1, begin: 5, end: 6}, {page: 2, begin: 7, end: 8, empty: true},
	}}
	for _, c := range []struct {
		one, two uint64
		after    uint64
		ok       bool
	}{{0, 0, 0, true}, {1, 0, 1, true}, {1, 2, 3, true}, {3, 2, 5, true}, {3, 0, 7, true}, {0, 2, 0, false}, {2, 2, 0, false}} {
		after, _, err := w.judge(func(page uint64) uint64 { return map[uint64]uint64{1: c.one, 2: c.two}[page] })
		if (err == nil) != c.ok || after != c.after {
			t.Errorf("%+v: after %d, %v", c, after, err)
		}
	}
}
