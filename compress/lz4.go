package compress

import (
	"math"
	"reflect"

	"github.com/pierrec/lz4/v4"
)

var lz4Rule = rule{levels: []span{{1, math.MaxInt32}}, level: 1, dict: anyDict}

// lz4Stream writes and reads bare LZ4 blocks. The level is the acceleration.
type lz4Stream struct {
	enc    lz4Encoder
	accel  int
	dict   dictWindow
	primed *pageTable // the positions of the dictionary; nil for none
	room   room
}

func newLZ4(p Params) (Stream, error) {
	s := &lz4Stream{accel: int(p.Level), dict: dictWindow{content: p.Dict}}
	if p.Dict != nil {
		s.primed = new(pageTable)
	}
	return s, warmUp(s, s)
}

func (s *lz4Stream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	out := s.room.lend(dst, len(page))
	src, start, moved := s.dict.place(page)
	if moved {
		s.primed.fill(src[:start])
	}
	if s.primed == nil {
		s.enc.table = pageTable{}
	} else {
		s.enc.table = *s.primed
	}
	return s.room.settle(dst, out, s.enc.encode(out, src, start, s.accel))
}

func (s *lz4Stream) Decompress(page, src []byte) error {
	return lz4Decompress(page, src, s.dict.content)
}

func (s *lz4Stream) MemoryUsage() int {
	n := int(reflect.TypeFor[lz4Stream]().Size()) + s.dict.size() + s.room.size()
	if s.primed != nil {
		n += int(reflect.TypeFor[pageTable]().Size())
	}
	return n
}

func (s *lz4Stream) Close() error { return nil }

// lz4Decompress fills page from a bare LZ4 block written with dict, nil for
// none.
func lz4Decompress(page, src, dict []byte) error {
	if len(src) == 0 {
		return ErrCorrupt // the library takes it for an empty page
	}
	n, err := lz4.UncompressBlockWithDict(src, page, dict)
	if err != nil || n != len(page) {
		return ErrCorrupt
	}
	return nil
}
