package compress

import (
	"errors"
	"reflect"
)

// Decompressor reads pages, one goroutine at a time.
type Decompressor interface {
	// Decompress fills page exactly from src, the whole of one compressed page,
	// and never writes past it. Any other input gives ErrCorrupt.
	Decompress(page, src []byte) error
	// MemoryUsage is the size in bytes of the stream's own memory. It may be asked
	// for while the stream is at work.
	MemoryUsage() int
	// Close releases the stream, which must not be used afterwards.
	Close() error
}

// NewDecompressor returns what reads the pages that s writes, which c made with
// p: no encoder where the codec can do without one, else a whole stream. Its
// buffers for pages of PageSize are in place; s is used meanwhile.
func NewDecompressor(c Codec, p Params, s Stream) (Decompressor, error) {
	half, ok := s.(interface{ decompressor() (Decompressor, error) })
	if !ok {
		return c.NewStream(p)
	}
	d, err := half.decompressor()
	if err != nil {
		return nil, err
	}
	if err := warmUp(s, d); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// lz4Reader reads what lz4 and lz4hc write.
type lz4Reader struct{ dict []byte }

func (s *lz4Stream) decompressor() (Decompressor, error) { return &lz4Reader{s.dict.content}, nil }

func (s *lz4hcStream) decompressor() (Decompressor, error) { return &lz4Reader{s.dict.content}, nil }

func (r *lz4Reader) Decompress(page, src []byte) error { return lz4Decompress(page, src, r.dict) }

func (r *lz4Reader) MemoryUsage() int { return int(reflect.TypeFor[lz4Reader]().Size()) }

func (r *lz4Reader) Close() error { return nil }
