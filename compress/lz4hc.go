package compress

import "reflect"

var lz4hcRule = rule{levels: []span{{1, 16}}, level: 9, dict: anyDict}

// lz4hcStream writes bare LZ4 blocks by a thorough search; what it writes is
// read as lz4 is.
type lz4hcStream struct {
	enc  lz4hcEncoder
	dict dictWindow
	room room
}

func newLZ4HC(p Params) (Stream, error) {
	s := &lz4hcStream{dict: dictWindow{content: p.Dict}}
	s.enc.setUp(int(p.Level), p.Dict != nil)
	return s, warmUp(s, s)
}

func (s *lz4hcStream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	out := s.room.lend(dst, len(page))
	src, start, moved := s.dict.place(page)
	s.enc.grow(len(src), len(page))
	if moved {
		s.enc.learn(src[:start])
	}
	return s.room.settle(dst, out, s.enc.encode(out, src, start))
}

func (s *lz4hcStream) Decompress(page, src []byte) error {
	return lz4Decompress(page, src, s.dict.content)
}

func (s *lz4hcStream) MemoryUsage() int {
	return int(reflect.TypeFor[lz4hcStream]().Size()) + s.enc.size() + s.dict.size() + s.room.size()
}

func (s *lz4hcStream) Close() error { return nil }
