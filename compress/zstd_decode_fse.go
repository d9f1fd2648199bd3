package compress

import "math/bits"

// fseHeaderRoom is what the longest description of a table takes, and what a
// wide load may see behind it: 64 symbols of 10 bits each, with two bits that
// say how many of no probability follow.
const fseHeaderRoom = 112

// readFSEHeader reads the description of an FSE table at the start of src (RFC
// 8878, 4.1.1): norm[s] becomes the probability of symbol s in parts of 1<<log,
// -1 standing for less than one part. It returns the number of symbols, the
// last of which has a probability, and the n bytes that it took. Symbols go up to
// maxSymbol, at most 63, and tables to maxLog, at most 9.
func readFSEHeader(src []byte, norm *[64]int16, maxSymbol, maxLog int) (symbols, log, n int, ok bool) {
	in := src
	if len(src) < fseHeaderRoom {
		var padded [fseHeaderRoom]byte
		copy(padded[:], src)
		in = padded[:]
	}
	log = int(in[0]&15) + 5
	if log > maxLog {
		return 0, 0, 0, false
	}
	pos := 4 // in bits; at most 12 for each symbol, so loads stay in fseHeaderRoom
	for left := 1 << log; left > 0; {
		if symbols > maxSymbol {
			return 0, 0, 0, false
		}
		// A value is at most left+1. The smallest ones take a bit less.
		w := int(load64(in, pos>>3) >> (pos & 7) & (1<<16 - 1))
		size := bits.Len(uint(left + 1))
		half, short := 1<<(size-1), 1<<size-2-left
		v := w & (2*half - 1)
		if low := w & (half - 1); low < short {
			v = low
			size--
		} else if v >= half {
			v -= short
		}
		pos += size
		norm[symbols&63] = int16(v - 1)
		symbols++
		switch v {
		case 0:
			left--
		case 1:
			for run := 3; run == 3; {
				run = int(load64(in, pos>>3) >> (pos & 7) & 3)
				pos += 2
				if symbols+run > maxSymbol {
					return 0, 0, 0, false
				}
				for range run {
					norm[symbols&63] = 0
					symbols++
				}
			}
		default:
			left -= v - 1
		}
	}
	n = (pos + 7) >> 3
	return symbols, log, n, n <= len(src)
}
