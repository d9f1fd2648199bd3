package compress

import "reflect"

// lz4hcMatch is a match; none if size is 0.
type lz4hcMatch struct{ size, off uint16 }

// lz4hcEncoder searches the longest match at every position, and then, from the
// end to the beginning, chooses for every position the way onwards that makes
// the shortest output. All distances cost the same in LZ4, so of two matches the
// longer one is always as good.
type lz4hcEncoder struct {
	lz4hcLevel
	src    []byte
	small  *lz4hcTables[lz4hcSmall] // for other pages
	large  *lz4hcTables[lz4hcLarge] // for pages beyond PageSize, and with a dictionary
	primed *lz4hcTables[lz4hcLarge] // large after the dictionary; nil for none
	chain  []uint16                 // by position: one before with the same 8 bytes
	found  []lz4hcMatch             // by position in the page: the longest match; then the one chosen
	costs  []uint16                 // by position in the page, and for its end; see choose
	walked int                      // steps along chains in the last page
}

// setUp sets the level, 1 to 16, and says whether there will be a dictionary.
func (z *lz4hcEncoder) setUp(level int, dict bool) {
	z.lz4hcLevel = lz4hcLevels[level-1]
	if dict {
		z.primed = new(lz4hcTables[lz4hcLarge])
	}
}

// grow prepares for n bytes of page at the end of total bytes.
func (z *lz4hcEncoder) grow(total, n int) {
	if len(z.chain) < total {
		z.chain = append(make([]uint16, 0, total), z.chain...)[:total]
	}
	if len(z.found) < n {
		z.found, z.costs = make([]lz4hcMatch, n), make([]uint16, n+1)
	}
	switch {
	case z.isSmall(total):
		if z.small == nil {
			z.small = new(lz4hcTables[lz4hcSmall])
		}
	case z.large == nil:
		z.large = new(lz4hcTables[lz4hcLarge])
	}
}

func (z *lz4hcEncoder) isSmall(total int) bool { return z.primed == nil && total <= PageSize }

// learn remembers the positions of a dictionary. grow was called for all that it
// will be followed by.
func (z *lz4hcEncoder) learn(dict []byte) {
	t := z.primed
	*t = lz4hcTables[lz4hcLarge]{}
	for i := 1; i+8 <= len(dict); i++ {
		x := load64(dict, i)
		lz4hcSwap(&t.four, lz4hcKey4(x), i)
		lz4hcSwap(&t.five, lz4hcKey5(x), i)
		lz4hcSwap(&t.six, lz4hcKey6(x), i)
		lz4hcSwap(&t.seven, lz4hcKey7(x), i)
		z.chain[i] = uint16(lz4hcSwap(&t.eight, lz4hcKey8(x), i))
		if i+16 <= len(dict) {
			lz4hcSwap(&t.sixteen, lz4hcKey16(x, load64(dict, i+8)), i)
		}
	}
}

// encode compresses src[start:] into dst and returns the length. src[:start] is
// what learn was given last. len(src) is at most maxPage, len(dst) at least
// DstSize(len(src)-start), and grow was called for both.
func (z *lz4hcEncoder) encode(dst, src []byte, start int) int {
	z.src = src
	z.walked = 0
	switch {
	case len(src)-start <= lz4LastMatch || len(src) < 16:
		clear(z.found[:len(src)-start])
	case z.isSmall(len(src)):
		*z.small = lz4hcTables[lz4hcSmall]{}
		lz4hcSearch(z, z.small, start)
	case z.primed == nil:
		*z.large = lz4hcTables[lz4hcLarge]{}
		lz4hcSearch(z, z.large, start)
	default:
		*z.large = *z.primed
		lz4hcSearch(z, z.large, start)
	}
	z.choose(start)
	z.src = nil
	return z.write(dst, src[start:])
}

// write writes page as chosen and returns the length of the output.
func (z *lz4hcEncoder) write(dst, page []byte) int {
	found := z.found[:len(page)]
	o, anchor := 0, 0
	for k := 0; k < len(found); {
		m := found[k]
		if m.size == 0 {
			k++
			continue
		}
		size := int(m.size) - lz4MinMatch
		o = lz4Literals(dst, o, page[anchor:k], min(size, lz4Nibble))
		dst[o], dst[o+1] = byte(m.off), byte(m.off>>8)
		o += 2
		if size >= lz4Nibble {
			o = lz4Length(dst, o, size-lz4Nibble)
		}
		k += int(m.size)
		anchor = k
	}
	return lz4Literals(dst, o, page[anchor:], 0)
}

// size is the memory in bytes beyond the struct.
func (z *lz4hcEncoder) size() int {
	n := 2*cap(z.chain) + len(z.found)*int(reflect.TypeFor[lz4hcMatch]().Size()) + 2*len(z.costs)
	if z.small != nil {
		n += int(reflect.TypeFor[lz4hcTables[lz4hcSmall]]().Size())
	}
	if z.large != nil {
		n += int(reflect.TypeFor[lz4hcTables[lz4hcLarge]]().Size())
	}
	if z.primed != nil {
		n += int(reflect.TypeFor[lz4hcTables[lz4hcLarge]]().Size())
	}
	return n
}
