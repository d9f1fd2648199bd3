package compress

import "reflect"

var zstdRule = rule{levels: []span{{-131072, 22}}, level: zstdDefault, dict: zstdDict}

const zstdDefault = 3 // what level 0 stands for, too

// zstdDictMagic begins a dictionary that was trained: entropy tables come before
// its content. Any other dictionary is content alone.
var zstdDictMagic = []byte{0x37, 0xa4, 0x30, 0xec}

// zstdDict says whether dict can be read.
func zstdDict(dict []byte) error {
	_, err := readZstdDictionary(dict)
	return err
}

// zstdStream writes and reads zstd frames.
type zstdStream struct {
	*zstdDecoder
	dict    []byte
	finder  zstdFinder
	least   int  // the shortest match it finds
	raw     bool // literals are not entropy coded
	window  dictWindow
	repeats zstdRepeats // at the beginning of a page
	tables  *zstdTables // of the dictionary
	parse   zstdParse
	block   zstdBlockEncoder
	room    room
}

func newZstd(p Params) (Stream, error) {
	level := p.Level
	if level == 0 {
		level = zstdDefault
	}
	d, err := newZstdDecoder(p.Dict)
	if err != nil {
		return nil, err
	}
	s := &zstdStream{zstdDecoder: d, dict: p.Dict, raw: level < 0}
	s.finder, s.least = newZstdFinder(level)
	tables, repeats, content, err := parseZstdTables(p.Dict)
	if err != nil {
		return nil, err
	}
	s.tables, s.window = tables, dictWindow{content: content, slack: zstdSlack}
	for k, off := range repeats {
		s.repeats[k] = int(off)
	}
	return s, warmUp(s, s)
}

func (s *zstdStream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	out := s.room.lend(dst, len(page))
	o := putZstdHeader(out, len(page))
	return s.room.settle(dst, out, o+zstdBlockHeader+s.putBlock(out[o:], page))
}

// putBlock writes the only block of a frame and returns the length of its
// content.
func (s *zstdStream) putBlock(dst, page []byte) int {
	content := dst[zstdBlockHeader:]
	if oneByte(page) {
		putZstdBlock(dst, blockRLE, len(page))
		content[0] = page[0]
		return 1
	}
	n := s.code(content, page)
	if n < len(page) {
		putZstdBlock(dst, blockCompressed, n)
		return n
	}
	putZstdBlock(dst, blockRaw, len(page))
	return copy(content, page)
}

// code writes the content of a coded block, unless it is longer than the page,
// and returns its length.
func (s *zstdStream) code(dst, page []byte) int {
	p, moved := &s.parse, false
	p.src, p.start, moved = s.window.place(page)
	p.end = p.start + len(page)
	p.grow(len(page), s.least)
	if moved {
		s.finder.learn(p)
	}
	p.repeats = s.repeats
	s.finder.find(p)
	return s.block.encode(dst, p.literals[:p.lits], p.seqs[:p.n], s.raw, s.tables)
}

func (s *zstdStream) decompressor() (Decompressor, error) { return newZstdDecoder(s.dict) }

func (s *zstdStream) MemoryUsage() int {
	n := int(reflect.TypeFor[zstdStream]().Size()) + s.zstdDecoder.MemoryUsage() + s.finder.size()
	if s.tables != nil {
		n += int(reflect.TypeFor[zstdTables]().Size())
	}
	return n + s.window.size() + s.parse.size() + s.room.size()
}
