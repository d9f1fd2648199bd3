package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestLZ4HC_EveryLevel finds no level worse than the one before, but for a hair,
// and each better than the one four below.
func TestLZ4HC_EveryLevel(t *testing.T) {
	for _, size := range []int{PageSize, 16 << 10} {
		if underRace && size > PageSize {
			break
		}
		var pages [][]byte
		for seed := range uint64(32) {
			page := mixedPage(seed)
			for len(page) < size {
				seed += 32
				page = append(page, mixedPage(seed)...)
			}
			pages = append(pages, page)
		}
		dst := make([]byte, DstSize(size))
		var sums []int
		for l := range len(lz4hcLevels) {
			s := level("lz4hc", int32(l+1)).open(t)
			sum := 0
			for _, page := range pages {
				n, err := s.Compress(dst, page)
				if err != nil {
					t.Fatal(err)
				}
				sum += n
			}
			t.Logf("pages of %d bytes, level %d: %d bytes", size, l+1, sum)
			if l > 0 && sum > sums[l-1]+sums[l-1]/10000 {
				t.Errorf("pages of %d bytes: level %d gives %d bytes, the one before %d", size, l+1, sum, sums[l-1])
			}
			if l > 3 && sum >= sums[l-4] {
				t.Errorf("pages of %d bytes: level %d gives %d bytes, the one four below %d", size, l+1, sum, sums[l-4])
			}
			sums = append(sums, sum)
		}
	}
}

// TestLZ4HC_Steps counts the steps along chains on pages made to have long ones:
// no level takes more than it may, which some of them would, and which other
// pages do not come near to.
func TestLZ4HC_Steps(t *testing.T) {
	for _, size := range []int{PageSize, maxPage} {
		if underRace && size > PageSize {
			break
		}
		dst := make([]byte, DstSize(size))
		var average [][]byte
		for k := range pageKinds {
			average = append(average, makePage(k, size, 50))
		}
		for l, level := range lz4hcLevels {
			if (underRace || size > PageSize) && level.depth > 16 {
				break
			}
			var z lz4hcEncoder
			z.setUp(l+1, false)
			z.grow(size, size)
			walked := func(page []byte) int {
				z.encode(dst, page, 0)
				return z.walked
			}
			limit, worst, typical := level.steps*size, 0, 0
			for _, page := range chained(size) {
				worst = max(worst, walked(page))
			}
			for _, page := range average {
				typical += walked(page) / len(average)
			}
			t.Logf("pages of %d bytes, level %d: %d steps, on average %d, limit %d", size, l+1, worst, typical, limit)
			if worst > limit+size+level.depth {
				t.Errorf("pages of %d bytes, level %d: %d steps, limit %d", size, l+1, worst, limit)
			}
			if level.steps < level.depth && worst < limit {
				t.Errorf("pages of %d bytes, level %d: no page needs %d steps, only %d", size, l+1, limit, worst)
			}
			if typical > limit/2 {
				t.Errorf("pages of %d bytes, level %d: %d steps on average, limit %d", size, l+1, typical, limit)
			}
		}
	}
}

// chained returns pages in which many positions share their 8 bytes.
func chained(n int) (pages [][]byte) {
	r := rand.New(rand.NewPCG(51, 0))
	for _, run := range []int{8, 9, 12, 16, 24} {
		for _, tail := range []int{1, 2, 4} {
			var page []byte
			for len(page) < n {
				page = append(page, bytes.Repeat([]byte("x"), run+r.IntN(3))...)
				for range tail {
					page = append(page, byte(r.Uint32()))
				}
			}
			pages = append(pages, page[:n])
		}
	}
	for _, period := range []int{1, 2, 7, 100} {
		page := make([]byte, n)
		fillRandom(page[:period], r)
		for i := period; i < n; i++ {
			page[i] = page[i-period]
		}
		spoilt := bytes.Clone(page)
		for i := 0; i < n; i += 50 + r.IntN(100) {
			spoilt[i] ^= byte(1 + r.IntN(255))
		}
		pages = append(pages, page, spoilt)
	}
	return pages
}
