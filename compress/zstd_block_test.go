package compress

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// zstdParser splits pages in the simplest way: the last place with the same four
// bytes, and the last offset first.
type zstdParser struct {
	last     map[uint32]int
	rep      int // the first repeat offset, 0 for 1
	literals []byte
	seqs     []zstdSequence
}

func (p *zstdParser) parse(page []byte) {
	p.last, p.literals, p.seqs = make(map[uint32]int), nil, nil
	anchor, rep := 0, max(1, p.rep)
	for i := 1; i+4 <= len(page); i++ {
		key := binary.LittleEndian.Uint32(page[i:])
		cand, ok := p.last[key]
		p.last[key] = i
		off := uint32(i - cand + 3)
		if i >= rep && i > anchor && key == binary.LittleEndian.Uint32(page[i-rep:]) {
			cand, ok, off = i-rep, true, 1
		}
		if !ok {
			continue
		}
		n := 4
		for i+n < len(page) && page[i+n] == page[cand+n] {
			n++
		}
		p.seqs = append(p.seqs, zstdSequence{uint16(i - anchor), uint16(n - zstdMinMatch), off})
		p.literals = append(p.literals, page[anchor:i]...)
		rep = i - cand
		i += n - 1
		anchor = i + 1
	}
	p.literals = append(p.literals, page[anchor:]...)
}

// zstdBlockJudge has an encoder of blocks and the library's decoder.
type zstdBlockJudge struct {
	e      zstdBlockEncoder
	dec    *zstd.Decoder
	tables *zstdTables
	id     uint32 // of the dictionary

	// How many of the blocks had literals of each type, and each mode of each table.
	kinds [4]int
	modes [3][4]int
}

func newZstdBlockJudge(t testing.TB, opts ...zstd.DOption) *zstdBlockJudge {
	dec, err := zstd.NewReader(nil, append(opts, zstd.WithDecoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dec.Close)
	return &zstdBlockJudge{dec: dec}
}

// frame returns a frame of one compressed block for a page of n bytes.
func (z *zstdBlockJudge) frame(block []byte, n int) []byte {
	f := binary.LittleEndian.AppendUint32(nil, zstdMagic)
	f = append(f, 0xa3) // single segment, 4 bytes of dictionary id and of size
	f = binary.LittleEndian.AppendUint32(f, z.id)
	f = binary.LittleEndian.AppendUint32(f, uint32(n))
	head := len(block)<<3 | blockCompressed<<1 | 1
	return append(append(f, byte(head), byte(head>>8), byte(head>>16)), block...)
}

// check encodes a block and fails unless it decodes to want. It returns the
// block's length; one that is not shorter than want need not decode, as a page
// would be stored without.
func (z *zstdBlockJudge) check(t *testing.T, literals []byte, seqs []zstdSequence, want []byte, raw bool) int {
	t.Helper()
	dst, intact := guarded(DstSize(len(want)))
	slack := append(bytes.Clone(literals), make([]byte, zstdSlack)...)
	n := z.e.encode(dst, slack[:len(literals)], seqs, raw, z.tables)
	if !intact() {
		t.Fatalf("%d literals, %d sequences: wrote past dst", len(literals), len(seqs))
	}
	if n >= len(want) {
		return n
	}
	got, err := z.dec.DecodeAll(z.frame(dst[:n], len(want)), nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d literals, %d sequences, block of %d bytes: %d bytes came back, %v",
			len(literals), len(seqs), n, len(got), err)
	}
	kind, modes := zstdBlockModes(dst[:n])
	z.kinds[kind]++
	for i, mode := range modes {
		z.modes[i][mode]++
	}
	return n
}

// zstdBlockModes returns the type of a block's literals section and the modes of
// its tables: literal lengths, offsets and match lengths.
func zstdBlockModes(block []byte) (kind int, modes [3]int) {
	kind = int(block[0] & 3)
	format := block[0] >> 2 & 3
	var head [8]byte
	copy(head[:], block)
	v := int(binary.LittleEndian.Uint64(head[:]))
	header := []int{1, 2, 1, 3}[format]
	size := []int{v >> 3 & 31, v >> 4 & 0xfff, v >> 3 & 31, v >> 4 & 0xfffff}[format]
	switch kind {
	case zstdLiteralsRLE:
		size = 1
	case zstdLiteralsCoded, zstdLiteralsTreeless:
		header = []int{3, 3, 4, 5}[format]
		size = []int{v >> 14 & 0x3ff, v >> 14 & 0x3ff, v >> 18 & 0x3fff, v >> 22 & 0x3ffff}[format]
	}
	block = block[header+size:]
	if block[0] == 0 {
		return kind, modes
	}
	b := block[1+block[0]>>7]
	return kind, [3]int{int(b >> 6), int(b >> 4 & 3), int(b >> 2 & 3)}
}

// expectModes fails unless there were blocks of all types and modes that need no
// dictionary.
func (z *zstdBlockJudge) expectModes(t *testing.T) {
	t.Helper()
	t.Logf("types of literals %v, modes of tables %v", z.kinds, z.modes)
	for mode := range zstdTableCoded + 1 {
		if z.kinds[mode] == 0 {
			t.Errorf("no block with literals of type %d", mode)
		}
		for i := range z.modes {
			if z.modes[i][mode] == 0 {
				t.Errorf("no block with mode %d of table %d", mode, i)
			}
		}
	}
}

// TestZstdBlock_Pages writes pages of every kind and many lengths.
func TestZstdBlock_Pages(t *testing.T) {
	z := newZstdBlockJudge(t)
	for k, kind := range pageKinds {
		coded, raw, total := 0, 0, 0
		for _, n := range []int{0, 1, 2, 3, 10, 24, 25, 31, 32, 33, 63, 64, 65, 100, 255, 256, 257, 258, 300, 700, 1000,
			1023, 1024, 1025, 2000, 4095, 4096, 5000, 16383, 16384, 16400, 30000, 65535, 65536} {
			page := makePage(k, n, uint64(n))
			var p zstdParser
			p.parse(page)
			coded += z.check(t, p.literals, p.seqs, page, false)
			raw += z.check(t, p.literals, p.seqs, page, true)
			z.check(t, page, nil, page, false)
			total += n
		}
		if coded > raw {
			t.Errorf("%s: %d bytes with coded literals, %d without", kind.name, coded, raw)
		}
		t.Logf("%s: %d bytes of %d", kind.name, coded, total)
	}
}

// TestZstdBlock_Literals writes blocks of literals alone, of many alphabets and
// distributions, and expects about as many bits as the best code takes.
func TestZstdBlock_Literals(t *testing.T) {
	z := newZstdBlockJudge(t)
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{1, 5, 24, 25, 40, 100, 255, 256, 257, 600, 1023, 1024, 3000, 4096, 16383, 16384, 65536} {
		for _, kinds := range []int{1, 2, 3, 5, 16, 17, 64, 128, 129, 130, 200, 255, 256} {
			for _, skew := range []float64{0, 1, 3, 8} {
				literals, counts := make([]byte, n), make([]uint32, 256)
				first := r.IntN(257 - kinds)
				for i := range literals {
					s := first + int(float64(kinds)*max(0, 1-r.ExpFloat64()*skew/8))
					if skew == 0 {
						s = first + r.IntN(kinds)
					}
					literals[i] = byte(min(s, 255))
					counts[literals[i]]++
				}
				got := z.check(t, literals, nil, literals, false)
				// A tree of 128 bytes, the jump table, headers, the ends of streams,
				// what a short code is longer by, and too small a gain.
				if want := int(packageMerge(counts, 11)>>3) + 128 + 16 + n/32; got > min(want, n+4) {
					t.Errorf("%d literals of %d kinds, skew %g: %d bytes, want %d", n, kinds, skew, got, min(want, n+4))
				}
			}
		}
	}
}

// randomSequences returns a block of at most n bytes and sequences, with values
// of every code and offsets that repeat often.
func randomSequences(r *rand.Rand, n, most int) (literals []byte, seqs []zstdSequence, want []byte) {
	top, kinds := 1+r.IntN(18), 1+r.IntN(256)
	next := func() int { return min(int(r.Uint32N(1<<r.Uint32N(uint32(top)))), n-len(want)) }
	repeats := zstdRepeats{1, 4, 8}
	for len(want)+1+zstdMinMatch <= n && len(seqs) < most {
		lit := min(next(), n-len(want)-zstdMinMatch)
		if len(want)+lit == 0 {
			lit = 1
		}
		for range lit {
			literals = append(literals, byte(r.IntN(kinds)))
		}
		want = append(want, literals[len(literals)-lit:]...)
		size := max(zstdMinMatch, next())
		off := 1 + r.IntN(len(want))
		if rep := repeats[r.IntN(3)]; r.IntN(2) == 0 && rep <= len(want) {
			off = rep
		}
		seqs = append(seqs, zstdSequence{uint16(lit), uint16(size - zstdMinMatch), repeats.value(off, lit)})
		for range size {
			want = append(want, want[len(want)-off])
		}
	}
	for range next() {
		literals = append(literals, byte(r.IntN(kinds)))
		want = append(want, literals[len(literals)-1])
	}
	return literals, seqs, want
}

// TestZstdBlock_Sequences writes sequences of every code, and as many as fit.
func TestZstdBlock_Sequences(t *testing.T) {
	z := newZstdBlockJudge(t)
	var lit, match, off [64]bool
	most, written := 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 4))
		n := []int{20, 200, 1000, PageSize, maxPage}[seed%5]
		literals, seqs, want := randomSequences(r, n, []int{1, 3, 20, 127, 128, 200, 1 << 20}[seed/5%7])
		if z.check(t, literals, seqs, want, seed%3 == 0) >= len(want) {
			continue
		}
		written++
		most = max(most, len(seqs))
		for _, q := range seqs {
			lit[litCode(uint32(q.lit))&63] = true
			match[matchCode(uint32(q.match))&63] = true
			off[offCode(q.off)] = true
		}
	}
	t.Logf("%d blocks, up to %d sequences", written, most)
	z.expectModes(t)
	for code := range zstdLitCodes - 1 { // the last one is for more than a page
		if !lit[code] {
			t.Errorf("no block with literal length code %d", code)
		}
	}
	for code := range zstdMatchCodes - 1 {
		if !match[code] {
			t.Errorf("no block with match length code %d", code)
		}
	}
	for code := range 16 {
		if !off[code] {
			t.Errorf("no block with offset code %d", code)
		}
	}
}

// TestZstdBlock_ManySequences has pages that are nothing but short matches, in
// which the encoder takes sequences apart several times.
func TestZstdBlock_ManySequences(t *testing.T) {
	z := newZstdBlockJudge(t)
	for _, n := range []int{1, 2, 127, 128, 129, zstdSplitSize - 1, zstdSplitSize, zstdSplitSize + 1,
		2 * zstdSplitSize, 2*zstdSplitSize + 1, 5000, maxPage/zstdMinMatch - 100} {
		for _, far := range []int{2, 20, 200} { // the last have no room in dst
			r := rand.New(rand.NewPCG(uint64(n), 5))
			literals := make([]byte, 200)
			for i := range literals {
				literals[i] = byte(r.IntN(256))
			}
			want := bytes.Clone(literals)
			var seqs []zstdSequence
			for k := range n {
				q := zstdSequence{off: uint32(4 + r.IntN(far))}
				if k == 0 {
					q.lit = uint16(len(literals))
				}
				seqs = append(seqs, q)
				for range zstdMinMatch {
					want = append(want, want[len(want)-int(q.off)+3])
				}
			}
			z.check(t, literals, seqs, want, true)
		}
	}
}

// TestZstdBlock_LongSequence has a sequence whose bits do not fit into a word with
// those that wait before it.
func TestZstdBlock_LongSequence(t *testing.T) {
	z := newZstdBlockJudge(t)
	for n := range 50 {
		literals := bytes.Repeat([]byte{1, 2, 3, 4, 5}, maxPage/10+1+n)
		seqs := []zstdSequence{{uint16(len(literals) - n), maxPage / 4, uint32(maxPage/2 + 3)}}
		want := bytes.Clone(literals[:len(literals)-n])
		for i := range maxPage/4 + zstdMinMatch {
			want = append(want, want[len(literals)-n-maxPage/2+i])
		}
		for _, b := range literals[len(literals)-n:] {
			want = append(want, b)
			seqs = append(seqs, zstdSequence{1, uint16(b), 4})
			want = append(want, bytes.Repeat([]byte{b}, int(b)+zstdMinMatch)...)
		}
		if z.check(t, literals, seqs, want, false) >= len(want) {
			t.Errorf("%d sequences: the page does not shrink", len(seqs))
		}
	}
}

// TestZstdBlock_NoRoom gives up where a block would pass dst.
func TestZstdBlock_NoRoom(t *testing.T) {
	var e zstdBlockEncoder
	r := rand.New(rand.NewPCG(6, 6))
	seqs := make([]zstdSequence, 2000)
	for i := range seqs {
		seqs[i] = zstdSequence{off: r.Uint32N(1<<24-1) + 1}
	}
	for n := range 4096 {
		dst, intact := guarded(n)
		literals := make([]byte, min(n, 100)+zstdSlack)
		if got := e.encode(dst, literals[:len(literals)-zstdSlack], seqs, true, nil); got != n || !intact() {
			t.Fatalf("%d bytes in a destination of %d, intact %v; want it given up", got, n, intact())
		}
	}
}

// TestZstdBlock_DependsOnItsInputAlone encodes after other blocks and afresh.
func TestZstdBlock_DependsOnItsInputAlone(t *testing.T) {
	var used zstdBlockEncoder
	for seed := range uint64(400) {
		literals, seqs, want := randomSequences(rand.New(rand.NewPCG(seed, 7)), PageSize, 1+int(seed))
		literals = append(literals, make([]byte, zstdSlack)...)
		literals = literals[:len(literals)-zstdSlack]
		a, b := make([]byte, DstSize(len(want))), make([]byte, DstSize(len(want)))
		n := used.encode(a, literals, seqs, false, nil)
		m := new(zstdBlockEncoder).encode(b, literals, seqs, false, nil)
		if !bytes.Equal(a[:n], b[:m]) {
			t.Fatalf("seed %d: %d bytes after other blocks, %d afresh, or not the same", seed, n, m)
		}
	}
}

func TestZstdBlock_NoAllocation(t *testing.T) {
	var e zstdBlockEncoder
	literals, seqs, want := randomSequences(rand.New(rand.NewPCG(8, 8)), PageSize, 300)
	literals = append(literals, make([]byte, zstdSlack)...)[:len(literals)]
	dst := make([]byte, DstSize(len(want)))
	if n := testing.AllocsPerRun(100, func() { e.encode(dst, literals, seqs, false, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkZstdBlock(b *testing.B) {
	for k, kind := range pageKinds {
		b.Run(fmt.Sprintf("data=%s", kind.name), func(b *testing.B) {
			page := makePage(k, PageSize, 1)
			var p zstdParser
			p.parse(page)
			literals := append(p.literals, make([]byte, zstdSlack)...)[:len(p.literals)]
			dst := make([]byte, DstSize(PageSize))
			var e zstdBlockEncoder
			b.SetBytes(PageSize)
			b.ReportAllocs()
			for b.Loop() {
				e.encode(dst, literals, p.seqs, false, nil)
			}
		})
	}
}
