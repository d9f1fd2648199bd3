package compress

import "math/bits"

// Modes of a table (RFC 8878, 3.1.1.3.2.1).
const (
	zstdTablePredefined = iota
	zstdTableRLE
	zstdTableCoded
	zstdTableRepeat
)

const (
	zstdLitMaxLog   = 9
	zstdMatchMaxLog = 9
	zstdOffMaxLog   = 8
	// zstdTableBits is about what the smallest table takes, in 256ths of a bit.
	zstdTableBits = 24 << 8
)

// zstdCodes are the codes of one of the three values of sequences.
type zstdCodes struct {
	counts [fseSymbols]uint16
	norm   fseNorm
	table  fseTable // for the block, even if it is one that is known: the loop needs no pointer to it
}

// choose sets the table that takes the fewest bits, and writes what the decoder
// has to know of it at dst[o:]. total is the sum of counts. repeat may be nil.
func (c *zstdCodes) choose(
	dst []byte, o int, total uint32, maxLog uint, predefined, repeat *fseKnown,
) (mode byte, end int) {
	last, most, used := 0, uint16(0), 0
	for s, n := range c.counts {
		if n > 0 {
			last = s
			used++
		}
		most = max(most, n)
	}
	best, known := uint32(1<<32-1), (*fseKnown)(nil)
	if cost, ok := predefined.bits(c.counts[:last+1]); ok {
		mode, best, known = zstdTablePredefined, cost, predefined
	}
	if repeat != nil {
		if cost, ok := repeat.bits(c.counts[:last+1]); ok && cost < best {
			mode, best, known = zstdTableRepeat, cost, repeat
		}
	}
	switch {
	case used == 1 && best > 8<<8:
		dst[o] = byte(last)
		c.table.repeat(last)
		return zstdTableRLE, o + 1
	case used > 1 && best > zstdTableBits:
		log := fseLog(total, used, maxLog)
		c.norm.normalize(c.counts[:last+1], total, log)
		cost := c.norm.bits(c.counts[:last+1], total, log)
		if cost+zstdTableBits >= best {
			break
		}
		if end = c.norm.write(dst, o, last, log); cost+uint32(end-o)<<11 < best {
			c.table.build(c.norm[:last+1], log)
			return zstdTableCoded, end
		}
	}
	c.table.copy(&known.table)
	return mode, o
}

// fseLog returns the size of a table for as many symbols, of as many kinds. With
// three states for each kind, rounding costs little.
func fseLog(total uint32, used int, maxLog uint) uint {
	log := max(bits.Len32(total-1)-3, bits.Len(uint(3*(used-1))), fseMinLog)
	return min(uint(log), maxLog)
}
