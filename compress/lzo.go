package compress

import "reflect"

// lzoRule: no parameters.
var lzoRule = rule{}

// lzoStream writes and reads LZO1X streams. What it reads may be of either
// version, whatever it writes.
type lzoStream struct {
	enc  lzoEncoder
	room room
}

func newLZO(Params) (Stream, error) { return openLZO(false) }

func newLZORLE(Params) (Stream, error) { return openLZO(true) }

func openLZO(runs bool) (Stream, error) {
	s := &lzoStream{enc: lzoEncoder{runs: runs}}
	return s, warmUp(s, s)
}

func (s *lzoStream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	out := s.room.lend(dst, len(page))
	return s.room.settle(dst, out, s.enc.encode(out, page))
}

func (s *lzoStream) Decompress(page, src []byte) error { return lzoDecompress(page, src) }

func (s *lzoStream) MemoryUsage() int {
	return int(reflect.TypeFor[lzoStream]().Size()) + s.room.size()
}

func (s *lzoStream) Close() error { return nil }

// lzoReader reads what lzo and lzo-rle write.
type lzoReader struct{}

func (s *lzoStream) decompressor() (Decompressor, error) { return lzoReader{}, nil }

func (lzoReader) Decompress(page, src []byte) error { return lzoDecompress(page, src) }

func (lzoReader) MemoryUsage() int { return 0 }

func (lzoReader) Close() error { return nil }
