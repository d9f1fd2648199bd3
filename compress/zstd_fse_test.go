package compress

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// randomFSECounts returns counts of at least two symbols, and their sum.
func randomFSECounts(r *rand.Rand) (counts []uint16, total uint32) {
	counts = make([]uint16, 2+r.IntN(zstdMatchCodes-1))
	for range 1 + r.IntN(1<<r.IntN(14)) {
		counts[min(int(r.ExpFloat64()*float64(len(counts))/5), len(counts)-1)]++
		total++
	}
	for _, s := range []int{0, len(counts) - 1} {
		counts[s]++
		total++
	}
	return counts, total
}

// TestFSENorm_Normalize: all states are given out, some to each symbol in use,
// and not much is lost by the rounding.
func TestFSENorm_Normalize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	var f fseNorm
	bits, entropy := 0.0, 0.0
	for range 5000 {
		counts, total := randomFSECounts(r)
		used := 0
		for _, c := range counts {
			if c > 0 {
				used++
			}
		}
		log := fseLog(total, used, fseMaxLog)
		f.normalize(counts, total, log)
		sum := 0
		for s, c := range counts {
			if f[s] < 0 || (f[s] > 0) != (c > 0) {
				t.Fatalf("%d of %d are symbol %d, which gets %d states of %d", c, total, s, f[s], 1<<log)
			}
			sum += int(f[s])
			if c > 0 {
				entropy += float64(c) * math.Log2(float64(total)/float64(c))
			}
		}
		if sum != 1<<log {
			t.Fatalf("%d states of %d: counts %v, norms %v", sum, 1<<log, counts, f[:len(counts)])
		}
		bits += float64(f.bits(counts, total, log)) / 256
	}
	t.Logf("%.3f %% lost", 100*(bits/entropy-1))
	if bits > 1.01*entropy || bits < entropy {
		t.Errorf("%.0f bits for an entropy of %.0f, want up to 1 %% more", bits, entropy)
	}
}

// TestFSENorm_Write has the decoder's reader read the header again.
func TestFSENorm_Write(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	var f fseNorm
	for range 5000 {
		counts, total := randomFSECounts(r)
		log := fseLog(total, len(counts), fseMaxLog)
		f.normalize(counts, total, log)
		dst, intact := guarded(zstdSequencesHeader / 3)
		end := f.write(dst, 2, len(counts)-1, log)
		var got [fseSymbols]int16
		symbols, gotLog, n, ok := readFSEHeader(dst[2:end], &got, fseSymbols-1, fseMaxLog)
		if !ok || n != end-2 || gotLog != int(log) || symbols != len(counts) || !intact() {
			t.Fatalf("%d symbols, log %d in %d bytes: read %v, %d symbols, log %d in %d",
				len(counts), log, end-2, ok, symbols, gotLog, n)
		}
		for s := range counts {
			if got[s] != f[s] {
				t.Fatalf("symbol %d has %d states, read %d", s, f[s], got[s])
			}
		}
	}
}

// TestZstdTree_Write has the decoder's reader read descriptions of codes again.
func TestZstdTree_Write(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	var h huffmanBuilder
	var tree zstdTree
	var lengths [256]uint8
	direct, coded, refused := 0, 0, 0
	for round := range 5000 {
		var counts [256]uint32
		copy(counts[:], randomCounts(r, round%len(countKinds), 2+r.IntN(255)))
		if round%3 == 0 {
			r.Shuffle(len(counts), func(i, j int) { counts[i], counts[j] = counts[j], counts[i] })
		}
		if h.lengths(lengths[:], counts[:], 8+round%4) < 2 {
			continue
		}
		const o = 16 // the reader looks back over what stands before
		dst, intact := guarded(o + 256)
		end, ok := tree.write(dst, o, &lengths, &h)
		if !intact() {
			t.Fatal("wrote past dst")
		}
		if !ok {
			refused++
			continue
		}
		if dst[o] < zstdWeights {
			coded++
		} else {
			direct++
		}
		var back zstdLiterals
		if n, ok := back.read(dst, o, end); !ok || n != end-o {
			t.Fatalf("lengths %v: read %d of %d bytes, %v", lengths, n, end-o, ok)
		}
		var got [256]uint8
		for _, entry := range back {
			got[entry>>8] = uint8(entry)
		}
		if !bytes.Equal(got[:], lengths[:]) {
			t.Fatalf("lengths %v, read %v", lengths, got)
		}
	}
	t.Logf("%d direct, %d coded, %d refused", direct, coded, refused)
	if direct == 0 || coded == 0 || refused == 0 {
		t.Errorf("%d direct, %d coded, %d refused: want some of each", direct, coded, refused)
	}
}
