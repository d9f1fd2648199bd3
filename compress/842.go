package compress

import "reflect"

// sw842Rule: no parameters.
var sw842Rule = rule{}

// sw842Stream writes and reads 842 streams.
type sw842Stream struct {
	sw842Reader
	enc  sw842Encoder
	room room
}

func new842(Params) (Stream, error) {
	s := new(sw842Stream)
	return s, warmUp(s, s)
}

func (s *sw842Stream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	out := s.room.lend(dst, len(page))
	return s.room.settle(dst, out, s.enc.encode(out, page, s.sum.of(page)))
}

func (s *sw842Stream) MemoryUsage() int {
	return int(reflect.TypeFor[sw842Stream]().Size()) + s.room.size()
}

func (s *sw842Stream) decompressor() (Decompressor, error) { return new(sw842Reader), nil }

// sw842Reader reads 842 streams.
type sw842Reader struct{ sum sw842Sum }

func (r *sw842Reader) Decompress(page, src []byte) error {
	d := sw842Decoder{page: page, src: src}
	if !d.decode() || !d.ends(&r.sum) {
		return ErrCorrupt
	}
	return nil
}

func (r *sw842Reader) MemoryUsage() int { return int(reflect.TypeFor[sw842Reader]().Size()) }

func (r *sw842Reader) Close() error { return nil }
