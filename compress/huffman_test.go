package compress

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// countKinds are distributions of symbols that pages have, and some that strain
// a length limit.
var countKinds = []struct {
	name  string
	count func(r *rand.Rand, s int) uint32
}{
	{"even", func(r *rand.Rand, _ int) uint32 { return 1 + r.Uint32N(100) }},
	{"equal", func(*rand.Rand, int) uint32 { return 7 }},
	{"ones", func(r *rand.Rand, _ int) uint32 { return 1 + r.Uint32N(2) }},
	{"sparse", func(r *rand.Rand, _ int) uint32 { return r.Uint32N(20) * r.Uint32N(2) * r.Uint32N(2) }},
	{"skew", func(r *rand.Rand, _ int) uint32 { return uint32(r.ExpFloat64() * r.ExpFloat64() * r.ExpFloat64() * 20) }},
	{"steep", func(r *rand.Rand, _ int) uint32 { return 1 << r.Uint32N(1+r.Uint32N(12)) }},
	{"geometric", func(_ *rand.Rand, s int) uint32 { return 1 << max(0, 15-s) }},
	{"fibonacci", func(_ *rand.Rand, s int) uint32 {
		a, b := uint32(1), uint32(1)
		for range min(s, 21) {
			a, b = b, a+b
		}
		return a
	}},
}

// randomCounts returns n counts whose sum is below 2^17.
func randomCounts(r *rand.Rand, kind, n int) []uint32 {
	counts := make([]uint32, n)
	for left, s := uint32(1<<17-1), 0; s < n; s++ {
		counts[s] = min(countKinds[kind].count(r, s), left)
		left -= counts[s]
	}
	r.Shuffle(n, func(i, j int) { counts[i], counts[j] = counts[j], counts[i] })
	return counts
}

// packageMerge returns the bits that counts take in the best code with the limit.
func packageMerge(counts []uint32, limit int) (total uint64) {
	var leaves []uint64
	for _, c := range counts {
		if c > 0 {
			leaves = append(leaves, uint64(c))
		}
	}
	slices.Sort(leaves)
	if len(leaves) == 1 {
		return leaves[0]
	}
	coins := leaves
	for range limit - 1 {
		next := slices.Clone(leaves)
		for i := 0; i+1 < len(coins); i += 2 {
			next = append(next, coins[i]+coins[i+1])
		}
		slices.Sort(next)
		coins = next
	}
	for _, c := range coins[:2*max(1, len(leaves)-1)] {
		total += c
	}
	return total
}

// checkLengths fails unless lengths is a complete code for counts within limit,
// and returns the bits that counts take in it.
func checkLengths(t *testing.T, lengths []uint8, counts []uint32, limit, used int) (total uint64) {
	t.Helper()
	space, symbols := 0, 0
	for s, c := range counts {
		l := int(lengths[s])
		if (l == 0) != (c == 0) || l > limit {
			t.Fatalf("symbol %d, %d times, has %d bits, limit %d", s, c, l, limit)
		}
		if l > 0 {
			space += 1 << (limit - l)
			symbols++
		}
		total += uint64(l) * uint64(c)
	}
	if used != symbols {
		t.Fatalf("%d symbols used, want %d", used, symbols)
	}
	if symbols > 1 && space != 1<<limit {
		t.Fatalf("codes take %d of %d", space, 1<<limit)
	}
	return total
}

// TestHuffmanBuilder_AgainstPackageMerge compares with the exact algorithm: equal
// without need for the limit, and near it otherwise.
func TestHuffmanBuilder_AgainstPackageMerge(t *testing.T) {
	var h huffmanBuilder
	var lengths [huffmanSymbols]uint8
	r := rand.New(rand.NewPCG(1, 1))
	worst, own, best := 0.0, uint64(0), uint64(0)
	for round := range 4000 {
		kind := round % len(countKinds)
		n := 1 + r.IntN(huffmanSymbols)
		if r.IntN(3) == 0 {
			n = 1 + r.IntN(20)
		}
		counts := randomCounts(r, kind, n)
		limit := 7 + r.IntN(9)
		if n > 1<<limit {
			limit = 9
		}
		for s := range lengths {
			lengths[s] = 99 // left by an earlier code
		}
		used := h.lengths(lengths[:n], counts, limit)
		got := checkLengths(t, lengths[:n], counts, limit, used)
		if used == 0 {
			continue
		}
		want, free := packageMerge(counts, limit), packageMerge(counts, 24)
		if got < want {
			t.Fatalf("%d bits, below the optimum %d: the test is wrong", got, want)
		}
		if want == free && got != want {
			t.Fatalf("%s, %d symbols, limit %d: %d bits, want %d", countKinds[kind].name, n, limit, got, want)
		}
		if loss := float64(got)/float64(want) - 1; loss > worst {
			worst = loss
			t.Logf("%s, %d symbols, limit %d: %.3f %% lost", countKinds[kind].name, n, limit, 100*loss)
		}
		own, best = own+got, best+want
	}
	loss := float64(own)/float64(best) - 1
	t.Logf("all: %.4f %% lost", 100*loss)
	if worst > 0.03 || loss > 0.001 {
		t.Errorf("lost up to %.3f %%, %.4f %% of all; want 3 and 0.1", 100*worst, 100*loss)
	}
}

// TestHuffmanBuilder_Few has the alphabets without a tree.
func TestHuffmanBuilder_Few(t *testing.T) {
	var h huffmanBuilder
	for _, c := range []struct {
		counts []uint32
		want   []uint8
	}{
		{nil, nil},
		{[]uint32{0, 0}, []uint8{0, 0}},
		{[]uint32{0, 5}, []uint8{0, 1}},
		{[]uint32{3, 0, 5}, []uint8{1, 0, 1}},
		{[]uint32{1, 1, 2}, []uint8{2, 2, 1}},
	} {
		got := make([]uint8, len(c.counts))
		h.lengths(got, c.counts, 7)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: lengths %v, want %v", c.counts, got, c.want)
		}
	}
}

func BenchmarkHuffmanLengths(b *testing.B) {
	for _, n := range []int{20, 80, 150, 256} {
		b.Run(fmt.Sprintf("symbols=%d", n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(2, uint64(n)))
			var all [64][]uint32
			for i := range all {
				counts := make([]uint32, 256)
				for range 1500 {
					counts[min(n-1, int(r.ExpFloat64()*float64(n)/5))]++
				}
				r.Shuffle(len(counts), func(i, j int) { counts[i], counts[j] = counts[j], counts[i] })
				all[i] = counts
			}
			var h huffmanBuilder
			var lengths [256]uint8
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h.lengths(lengths[:], all[i%len(all)], 11)
			}
		})
	}
}
