package compress

import "reflect"

// deflateEncoder writes pages as raw deflate streams.
type deflateEncoder struct {
	parser  deflateParser
	coder   deflateCoder
	optimal *deflateOptimal // nil but for the levels that use it
}

// newDeflateEncoder returns the encoder of a level from 1 on for matches of at
// most window bytes' distance.
func newDeflateEncoder(level, window int) *deflateEncoder {
	z := &deflateEncoder{parser: deflateParser{effort: deflateEfforts[level]}}
	z.parser.window = window
	z.parser.effort.near = min(z.parser.effort.near, window)
	if z.parser.effort.optimal {
		z.optimal = new(deflateOptimal)
	}
	return z
}

// encode compresses page to dst[o:] and returns where the stream ends. dst has
// DstSize(len(page)) bytes, o is at most zlibHeaderSize.
func (z *deflateEncoder) encode(dst, page []byte, o int) int {
	w := deflateWriter{dst: dst, o: o}
	p := &z.parser
	p.begin(page)
	for i, last := 0, false; !last; {
		end := p.parse(i)
		z.coder.plan(p.page[i:end], p.sequences)
		if z.optimal != nil {
			z.optimal.setPrices(&z.coder)
			end = z.optimal.parse(p, i, end)
			z.coder.plan(p.page[i:end], p.sequences)
		}
		last = end == len(page)
		z.coder.block(&w, p.page[i:end], p.sequences, last)
		i = end
	}
	w.align()
	return w.o
}

// memory is the encoder's size in bytes.
func (z *deflateEncoder) memory() int {
	n := int(reflect.TypeFor[deflateEncoder]().Size()) + z.parser.memory()
	if z.optimal != nil {
		n += int(reflect.TypeFor[deflateOptimal]().Size()) + z.optimal.memory()
	}
	return n
}
