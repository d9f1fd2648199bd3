package compress

import "reflect"

// zstdDecoder reads zstd frames (RFC 8878), one to a page, which is the window as
// well.
type zstdDecoder struct {
	dict *zstdDictionary // nil for none

	// What a block may take over from those before it in its frame: nil for none.
	tree    *zstdLiterals
	states  [zstdFieldCount]zstdStates // log is -1 for none
	repeats zstdOffsets

	lits  []byte // the literals of a block, count of them; in src or in spare
	count int
	spare []byte // grows to the largest page seen

	ownTree zstdLiterals
	moves   [zstdBatch]zstdMove
}

// newZstdDecoder returns a decoder for frames made with dict: nil, content alone,
// or a trained one with entropy tables.
func newZstdDecoder(dict []byte) (*zstdDecoder, error) {
	d := &zstdDecoder{spare: make([]byte, PageSize+literalSlack)}
	if len(dict) > 0 {
		var err error
		if d.dict, err = readZstdDictionary(dict); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Decompress takes exactly one frame, of any window: no match can reach beyond the
// page and its dictionary. A checksum is not verified.
func (d *zstdDecoder) Decompress(page, src []byte) error {
	i, checksum, ok := d.readFrameHeader(src, len(page))
	if !ok {
		return ErrCorrupt
	}
	if len(d.spare) < len(page)+literalSlack {
		d.spare = make([]byte, len(page)+literalSlack)
	}
	p := zstdPage{page: page}
	d.begin(&p)
	i, ok = d.blocks(&p, src, i)
	d.lits = nil
	if !ok || i+checksum != len(src) || p.o != len(page) {
		return ErrCorrupt
	}
	return nil
}

// begin gives the first block what the dictionary has for it.
func (d *zstdDecoder) begin(p *zstdPage) {
	d.tree, d.repeats = nil, zstdOffsets{1, 4, 8}
	for k := range d.states {
		d.states[k].log = -1
	}
	if t := d.dict; t != nil {
		p.dict = t.content
		if t.trained {
			d.tree, d.repeats = &t.tree, t.repeats
			for k := range d.states {
				d.states[k].copy(&t.states[k])
			}
		}
	}
}

// MemoryUsage grows with the largest page seen.
func (d *zstdDecoder) MemoryUsage() int {
	n := int(reflect.TypeFor[zstdDecoder]().Size()) + len(d.spare)
	if d.dict != nil {
		n += int(reflect.TypeFor[zstdDictionary]().Size())
	}
	return n
}

// Close has nothing to release.
func (d *zstdDecoder) Close() error { return nil }
