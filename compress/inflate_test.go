package compress

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// stdlibInflate says whether the standard library makes exactly this page of the
// whole of src.
func stdlibInflate(page, src []byte) error {
	in := bytes.NewReader(src)
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(in), int64(len(page))+1))
	if err == nil && (len(out) != len(page) || in.Len() != 0) {
		err = errors.New("another length")
	}
	copy(page, out)
	return err
}

// TestInflate_Handmade reads streams spelt by hand, and has the standard library
// confirm each verdict.
func TestInflate_Handmade(t *testing.T) {
	z := new(inflater)
	for _, h := range handmadeStreams() {
		n := max(h.size, len(h.page))
		page, intact := guarded(n)
		err := z.inflate(page, h.src)
		if valid := h.page != nil; valid != (err == nil) || !valid && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, want valid: %t", h.name, err, valid)
		} else if valid && !bytes.Equal(page, h.page) {
			t.Errorf("%s: another page, %.40q", h.name, page)
		}
		if !intact() {
			t.Errorf("%s: wrote past the page", h.name)
		}
		if err := stdlibInflate(make([]byte, n), h.src); (err == nil) != (h.page != nil) {
			t.Errorf("%s: the standard library says %v", h.name, err)
		}
	}
}

// TestInflate_Cut cuts valid streams at every byte: less than the whole is never
// the page.
func TestInflate_Cut(t *testing.T) {
	z := new(inflater)
	for _, h := range handmadeStreams() {
		for n := range len(h.src) {
			if h.page != nil && z.inflate(make([]byte, len(h.page)), h.src[:n]) == nil {
				t.Errorf("%s: %d of %d bytes suffice", h.name, n, len(h.src))
			}
		}
	}
}

// TestInflate_Overlap copies with every short distance, many lengths and every
// room behind the match.
func TestInflate_Overlap(t *testing.T) {
	litlens, distances := fixedLitlenLengths(), fixedDistanceLengths()
	z := new(inflater)
	for distance := 1; distance <= 40; distance++ {
		for length := deflateMinMatch; length <= deflateMaxMatch; length += 1 + length/9 {
			for behind := 0; behind <= 48; behind += 1 + behind/5 {
				want := makePage(kindRandom, distance, 51)
				s := new(streamBits).stored(0, want).begin(1, deflateFixed)
				symbol := deflateLengthSymbol[length-deflateMinMatch]
				r := deflateLengthRange[symbol]
				s.symbol(litlens[:], deflateFirstLen+int(symbol)).number(length-int(r.base), int(r.extra))
				slot := distanceSlot(distance)
				d := deflateDistanceRange[slot]
				s.symbol(distances[:], slot).number(distance-int(d.base), int(d.extra))
				for range length {
					want = append(want, want[len(want)-distance])
				}
				for range behind {
					want = append(want, 'x')
					s.symbol(litlens[:], 'x')
				}
				page, intact := guarded(len(want))
				src := s.symbol(litlens[:], deflateEnd).bytes()
				if err := z.inflate(page, src); err != nil || !bytes.Equal(page, want) || !intact() {
					t.Fatalf("distance %d, length %d, %d behind: %v", distance, length, behind, err)
				}
			}
		}
	}
}

// TestInflate_Table looks up every code of random complete ones.
func TestInflate_Table(t *testing.T) {
	r := rand.New(rand.NewPCG(52, 0))
	for range 3000 {
		n := 2 + r.IntN(deflateLitlens-1)
		lengths := randomCode(r, n)
		codes, symbols := make([]uint32, n), make([]uint32, n)
		canonicalCodes(codes, lengths)
		for s := range symbols {
			symbols[s] = uint32(s) << inflateValue
		}
		var table [inflateLitlenSize]uint32
		if !buildInflateTable(table[:], inflateLitlenBits, lengths, symbols) {
			t.Fatalf("refuses %v", lengths)
		}
		for s, code := range codes {
			acc := uint64(code>>deflateCodeShift) | r.Uint64()<<(code&deflateCodeLen)
			e, taken := table[acc%(1<<inflateLitlenBits)], uint32(0)
			if e&inflateSub != 0 {
				taken = inflateLitlenBits
				bits := e >> inflateCodeShift & inflateCodeMask
				e = table[uint64(e>>inflateValue)+acc>>inflateLitlenBits%(1<<bits)]
			}
			if taken += e & inflateTaken; int(e>>inflateValue) != s || taken != code&deflateCodeLen {
				t.Fatalf("%v: symbol %d of %d bits is read as %d of %d", lengths, s, code&deflateCodeLen, e>>inflateValue, taken)
			}
		}
		lengths[r.IntN(n)]++
		if buildInflateTable(table[:], inflateLitlenBits, lengths, symbols) {
			t.Fatalf("takes an incomplete code, %v", lengths)
		}
	}
}

// randomCode returns the lengths of a complete code of n symbols, up to 15 bits.
func randomCode(r *rand.Rand, n int) []uint8 {
	lengths := []uint8{1, 1}
	for len(lengths) < n {
		// The deeper of two makes long codes likely.
		i, j := r.IntN(len(lengths)), r.IntN(len(lengths))
		if lengths[i] < lengths[j] {
			i = j
		}
		if lengths[i] < deflateMaxBits {
			lengths[i]++
			lengths = append(lengths, lengths[i])
		}
	}
	r.Shuffle(n, func(i, j int) { lengths[i], lengths[j] = lengths[j], lengths[i] })
	return lengths
}

// TestInflate_TableSizes finds the greatest tables there can be.
func TestInflate_TableSizes(t *testing.T) {
	for _, c := range []struct{ symbols, width, want int }{
		{deflateLitlens, inflateLitlenBits, inflateLitlenSize},
		{deflateDistances, inflateDistBits, inflateDistSize},
		{deflatePreCodes, deflatePreBits, 1 << deflatePreBits},
	} {
		limit := deflateMaxBits
		if c.symbols == deflatePreCodes {
			limit = deflatePreBits
		}
		s := tableSizes{width: c.width, limit: limit, known: map[tableState]int{}}
		if got := 1<<c.width + s.more(tableState{c.symbols, 2, 1, 0}); got != c.want {
			t.Errorf("%d symbols, %d bits: a table of up to %d, want %d", c.symbols, c.width, got, c.want)
		}
	}
}

// tableState is where a code is half made: so many symbols are left, so many
// codes of that length, and some of these fit into the open subtable.
type tableState struct{ symbols, codes, length, open int }

type tableSizes struct {
	width, limit int
	known        map[tableState]int
}

// more returns the greatest number of entries that subtables can still need, or
// less than 0 if the code cannot be completed.
func (s *tableSizes) more(at tableState) int {
	if at.codes == 0 {
		return 0
	}
	if at.length > s.limit {
		return -1 << 30
	}
	if n, ok := s.known[at]; ok {
		return n
	}
	best := -1 << 30
	for k := 0; k <= min(at.symbols, at.codes); k++ { // symbols of that length
		next := tableState{at.symbols - k, 2 * (at.codes - k), at.length + 1, 0}
		if next.codes > next.symbols {
			continue
		}
		n := 0
		if at.length > s.width {
			size := 1 << (at.length - s.width)
			open := at.open - k
			for open < 0 {
				open += size
				n += size
			}
			if open > 0 {
				n += size // it doubles for longer codes
			}
			next.open = 2 * open
		}
		best = max(best, n+s.more(next))
	}
	s.known[at] = best
	return best
}

// FuzzInflate_AgreesWithStdlib has the standard library judge any stream.
func FuzzInflate_AgreesWithStdlib(f *testing.F) {
	for _, h := range handmadeStreams() {
		if len(h.src) < 1000 {
			f.Add(h.src, uint16(max(h.size, len(h.page))))
		}
	}
	for l := 1; l <= 9; l++ {
		for k := range pageKinds {
			n := 100 << (l % 6)
			page, dst := makePage(k, n, 53), make([]byte, DstSize(n))
			f.Add(dst[:newDeflateEncoder(l, 1<<15).encode(dst, page, 0)], uint16(n))
		}
	}
	z := new(inflater)
	f.Fuzz(func(t *testing.T, src []byte, size uint16) {
		page, intact := guarded(int(size))
		want := make([]byte, size)
		err, stdErr := z.inflate(page, src), stdlibInflate(want, src)
		if (err == nil) != (stdErr == nil) || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%v, the standard library says %v", err, stdErr)
		}
		if err == nil && !bytes.Equal(page, want) {
			t.Fatal("another page than the standard library's")
		}
		if !intact() {
			t.Fatal("wrote past the page")
		}
	})
}
