package compress

// zstdPage is the page while it is filled. Matches may reach beyond its start,
// into the dictionary.
type zstdPage struct {
	page, dict []byte
	o          int // how much of page is done
}

// moveSlack is how far wide stores may reach beyond a move. One that ends closer
// to the end of the page is made by exact.
const moveSlack = 32

// run carries out moves; lits has count literals and literalSlack bytes more. It
// returns how many literals it took.
func (p *zstdPage) run(moves []zstdMove, lits []byte, l, count int) (int, bool) {
	page, o := p.page, p.o
	for i := range moves {
		m := &moves[i]
		n, match, offset := int(m.literals), int(m.match), uint(m.offset)
		if l+n > count {
			return 0, false
		}
		if o+n+match+moveSlack > len(page) || offset-1 >= uint(o+n) {
			p.o = o
			if !p.exact(lits[l:l+n], match, offset) {
				return 0, false
			}
			o, l = p.o, l+n
			continue
		}
		// Stores end moveSlack bytes behind the match at most, loads literalSlack
		// behind the literals.
		copy16(page, o, lits, l)
		for k := 16; k < n; k += 16 {
			copy16(page, o+k, lits, l+k)
		}
		o += n
		l += n
		from := o - int(offset)
		if offset >= 16 {
			copy16(page, o, page, from)
			copy16(page, o+16, page, from+16)
			for k := 32; k < match; k += 16 {
				copy16(page, o+k, page, from+k)
			}
		} else {
			overlap(page, o, from, match)
		}
		o += match
	}
	p.o = o
	return l, true
}

// overlap copies n bytes over a distance below 16. It may write up to 15 bytes
// more.
func overlap(page []byte, o, from, n int) {
	off := o - from
	if off >= 8 {
		for k := 0; k < n; k += 8 {
			store64(page, o+k, load64(page, from+k))
		}
		return
	}
	v := load64(page, from) & (1<<(8*off) - 1) * patterns[off&7].repeat
	step := int(patterns[off&7].step)
	for k := 0; k < n; k += step {
		store64(page, o+k, v)
	}
}

// patterns says, for distances below 8, how the bytes in between are repeated to
// 8 of them, and how many of these are whole distances.
var patterns = func() (p [8]struct{ repeat, step uint64 }) {
	for off := 1; off < 8; off++ {
		for k := 0; k < 8; k += off {
			p[off].repeat |= 1 << (8 * k)
		}
		p[off].step = uint64(8 - 8%off)
	}
	return p
}()

// exact makes one move without a byte too much.
func (p *zstdPage) exact(lits []byte, match int, offset uint) bool {
	if len(lits)+match > len(p.page)-p.o {
		return false
	}
	p.o += copy(p.page[p.o:], lits)
	if offset == 0 || offset > uint(p.o+len(p.dict)) {
		return false
	}
	end := p.o + match
	from := p.o - int(offset)
	if from < 0 {
		n := copy(p.page[p.o:end], p.dict[len(p.dict)+from:])
		p.o += n
		from += n
	}
	// What repeats doubles with every step.
	for p.o < end {
		p.o += copy(p.page[p.o:end], p.page[from:p.o])
	}
	return true
}
