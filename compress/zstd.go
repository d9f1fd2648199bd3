package compress

import (
	"bytes"
	"errors"

	"github.com/klauspost/compress/zstd"
)

var zstdRule = rule{levels: []span{{-131072, 22}}, level: zstdDefault, dict: zstdDict}

const (
	zstdDefault = 3 // what level 0 stands for, too

	// A match may reach this far back: over the largest page, and over the
	// largest dictionary as well. The size costs neither time nor memory.
	zstdWindow     = maxPage
	zstdDictWindow = maxPage + maxDict
)

// zstdDictMagic begins a dictionary that was trained: entropy tables come before
// its content. Any other dictionary is content alone.
var zstdDictMagic = []byte{0x37, 0xa4, 0x30, 0xec}

// zstdDict says whether the encoder can read dict.
func zstdDict(dict []byte) error {
	if !bytes.HasPrefix(dict, zstdDictMagic) {
		return nil
	}
	if _, err := zstd.InspectDictionary(dict); err != nil {
		return errors.Join(errors.New("bad entropy tables"), err)
	}
	return nil
}

// zstdSpeed is what a range of levels means. The library has four encoders.
type zstdSpeed struct {
	top     int32 // the highest level that means this
	encoder zstd.EncoderLevel
	raw     bool // literals are not entropy coded
	// Bytes of an encoder after its first page, without and with a dictionary;
	// a test holds them against the heap.
	memory, dictMemory int
}

// zstdSpeeds is in the order of levels.
var zstdSpeeds = []zstdSpeed{
	{-1, zstd.SpeedFastest, true, 304 << 10, 800 << 10},
	{2, zstd.SpeedFastest, false, 304 << 10, 800 << 10},
	{5, zstd.SpeedDefault, false, 1328 << 10, 2848 << 10},
	{8, zstd.SpeedBetterCompression, false, 4400 << 10, 8608 << 10},
	{22, zstd.SpeedBestCompression, false, 35060 << 10, 69920 << 10},
}

const (
	zstdDecoderMemory = 30 << 10 // beside an encoder
	zstdReaderMemory  = 40 << 10 // alone
	// zstdGrowth is how many bytes encoder and decoder add per byte of a page
	// beyond PageSize.
	zstdGrowth = 3
)

// zstdStream writes and reads zstd frames.
type zstdStream struct {
	zstdReader
	enc     *zstd.Encoder
	memory  int
	largest int // page seen, bytes
	room    room
}

// zstdReader reads zstd frames.
type zstdReader struct {
	dec  *zstd.Decoder
	dict []byte
}

func newZstdReader(dict []byte) (zstdReader, error) {
	dec, err := zstd.NewReader(nil, zstdDecoderOptions(dict)...)
	return zstdReader{dec, dict}, err
}

func newZstd(p Params) (Stream, error) {
	level := p.Level
	if level == 0 {
		level = zstdDefault
	}
	i := 0
	for level > zstdSpeeds[i].top {
		i++
	}
	speed := &zstdSpeeds[i]
	enc, err := zstd.NewWriter(nil, speed.options(p.Dict)...)
	if err != nil {
		return nil, err
	}
	reader, err := newZstdReader(p.Dict)
	if err != nil {
		return nil, err
	}
	s := &zstdStream{zstdReader: reader, enc: enc, memory: zstdDecoderMemory + speed.memory, largest: PageSize}
	if p.Dict != nil {
		s.memory = zstdDecoderMemory + speed.dictMemory
	}
	return s, warmUp(s, s)
}

// options are those that suit single pages: no goroutine, no checksum, no window
// descriptor, and literals coded even where no match was found.
func (z *zstdSpeed) options(dict []byte) []zstd.EOption {
	opts := []zstd.EOption{
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false),
		zstd.WithSingleSegment(true),
		zstd.WithZeroFrames(true),
		zstd.WithEncoderLevel(z.encoder),
		zstd.WithWindowSize(zstdWindow),
		zstd.WithAllLitEntropyCompression(!z.raw),
		zstd.WithNoEntropyCompression(z.raw),
		zstd.WithLowerEncoderMem(true),
	}
	switch {
	case dict == nil:
		return opts
	case bytes.HasPrefix(dict, zstdDictMagic):
		opts = append(opts, zstd.WithEncoderDict(dict))
	default:
		opts = append(opts, zstd.WithEncoderDictRaw(0, dict))
	}
	return append(opts, zstd.WithWindowSize(zstdDictWindow))
}

func zstdDecoderOptions(dict []byte) []zstd.DOption {
	opts := []zstd.DOption{
		zstd.WithDecoderConcurrency(1),
		zstd.IgnoreChecksum(true),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxMemory(zstdDictWindow),
	}
	switch {
	case dict == nil:
	case bytes.HasPrefix(dict, zstdDictMagic):
		opts = append(opts, zstd.WithDecoderDicts(dict))
	default:
		opts = append(opts, zstd.WithDecoderDictRaw(0, dict))
	}
	return opts
}

func (s *zstdStream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	if len(page) > s.largest {
		s.largest = len(page) // not for every page: MemoryUsage may look at any time
	}
	out := s.room.lend(dst, len(page))
	out = s.enc.EncodeAll(page, out[:0:len(out)])
	return s.room.settle(dst, out, len(out))
}

func (s *zstdStream) decompressor() (Decompressor, error) {
	r, err := newZstdReader(s.dict)
	return &r, err
}

func (r *zstdReader) Decompress(page, src []byte) error {
	out, err := r.dec.DecodeAll(src, page[:0:len(page)])
	if err != nil || len(out) != len(page) {
		return ErrCorrupt
	}
	return nil
}

// MemoryUsage is that after pages of PageSize.
func (r *zstdReader) MemoryUsage() int { return zstdReaderMemory }

func (r *zstdReader) Close() error {
	r.dec.Close()
	return nil
}

func (s *zstdStream) MemoryUsage() int {
	return s.memory + zstdGrowth*(s.largest-PageSize) + s.room.size()
}

func (s *zstdStream) Close() error {
	s.dec.Close()
	return s.enc.Close()
}
