package compress

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// libraryFrame is a frame that klauspost's encoder made of a page.
type libraryFrame struct {
	name string
	data []byte
	page []byte
	dict []byte
}

// Places in pageKinds.
const (
	kindZero    = 0
	kindLetters = 3
)

// libraryFrames are of all levels, page sizes and kinds of headers, with and
// without dictionaries.
var libraryFrames = sync.OnceValue(func() (all []libraryFrame) {
	for level := zstd.SpeedFastest; level <= zstd.SpeedBestCompression; level++ {
		for name, dict := range decoderDicts() {
			for _, single := range []bool{true, false} {
				if level == zstd.SpeedBestCompression && (!single || underRace) {
					continue // its encoder is slow to set up
				}
				opts := []zstd.EOption{
					zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level), zstd.WithSingleSegment(single),
					zstd.WithEncoderCRC(!single), zstd.WithZeroFrames(true), zstd.WithAllLitEntropyCompression(single),
					zstd.WithWindowSize(128 << 10), zstd.WithLowerEncoderMem(true),
				}
				if bytes.HasPrefix(dict, zstdDictMagic) {
					opts = append(opts, zstd.WithEncoderDict(dict))
				} else if dict != nil {
					opts = append(opts, zstd.WithEncoderDictRaw(0, dict))
				}
				e, err := zstd.NewWriter(nil, opts...)
				if err != nil {
					panic(err)
				}
				for k, kind := range pageKinds {
					for _, n := range []int{0, 1, 5, 100, 300, 1000, PageSize, 8 << 10, maxPage} {
						if level > zstd.SpeedFastest && n > PageSize && k%3 != 0 {
							continue // of the slow ones, some are enough
						}
						page := makePage(k, n, uint64(n))
						name := fmt.Sprintf("%v, dictionary %s, single %t, %s of %d", level, name, single, kind.name, n)
						all = append(all, libraryFrame{name, e.EncodeAll(page, nil), page, dict})
					}
				}
				for _, n := range []int{PageSize, maxPage} {
					page := allBytes(n)
					all = append(all, libraryFrame{"all bytes", e.EncodeAll(page, nil), page, dict})
				}
				if err := e.Close(); err != nil {
					panic(err)
				}
			}
		}
	}
	return append(all, streamedFrames()...)
})

// allBytes returns a page of all bytes, some of them rare: a tree for all of them
// pays.
func allBytes(n int) []byte {
	r := rand.New(rand.NewPCG(5, 5))
	page := make([]byte, n)
	for i := range page {
		page[i] = byte(i)
		if i >= 256 {
			page[i] = byte(min(r.IntN(256), r.IntN(256), r.IntN(256)))
		}
	}
	return page
}

// streamedFrames have several blocks, and neither size nor single segment.
func streamedFrames() (all []libraryFrame) {
	for level := zstd.SpeedFastest; level <= zstd.SpeedBetterCompression; level++ {
		for _, piece := range []int{400, 3000, 8 << 10} {
			var out bytes.Buffer
			e, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level),
				zstd.WithWindowSize(128<<10), zstd.WithAllLitEntropyCompression(true))
			if err != nil {
				panic(err)
			}
			page := make([]byte, 0, maxPage)
			for seed := uint64(0); len(page) < 8*piece; seed++ {
				k := []int{kindText, kindText, kindZero, kindRandom, kindLetters, kindLetters, kindText, kindText}[seed]
				page = append(page, makePage(k, piece, seed)...)
				if _, err := e.Write(page[len(page)-piece:]); err != nil {
					panic(err)
				}
				if err := e.Flush(); err != nil {
					panic(err)
				}
			}
			if err := e.Close(); err != nil {
				panic(err)
			}
			name := fmt.Sprintf("%v, blocks of %d", level, piece)
			all = append(all, libraryFrame{name, bytes.Clone(out.Bytes()), page, nil})
		}
	}
	return all
}

// decoderDicts has a dictionary of each kind.
func decoderDicts() map[string][]byte {
	return map[string][]byte{"none": nil, "raw": makePage(kindText, 5000, 3), "trained": trainedDict()}
}

func newTestDecoder(t testing.TB, dict []byte) *zstdDecoder {
	t.Helper()
	d, err := newZstdDecoder(dict)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestZstdDecoder_Library reads what klauspost's encoder writes.
func TestZstdDecoder_Library(t *testing.T) {
	decoders := map[string]*zstdDecoder{}
	for _, dict := range decoderDicts() {
		decoders[string(dict)] = newTestDecoder(t, dict)
	}
	seen := map[string]bool{}
	for _, f := range libraryFrames() {
		page, intact := guarded(len(f.page))
		if err := decoders[string(f.dict)].Decompress(page, f.data); err != nil || !bytes.Equal(page, f.page) {
			t.Fatalf("%s: another page came back, %v", f.name, err)
		}
		if !intact() {
			t.Fatalf("%s: wrote past the page", f.name)
		}
		frameParts(f.data, seen)
	}
	for _, part := range []string{
		"block 0", "block 1", "block 2", "literals 0", "literals 2", "literals 3",
		"literal lengths 0", "literal lengths 1", "literal lengths 2", "literal lengths 3",
		"offsets 0", "offsets 1", "offsets 2", "offsets 3",
		"match lengths 0", "match lengths 1", "match lengths 2", "match lengths 3",
	} {
		if !seen[part] {
			t.Errorf("no frame has %s", part)
		}
	}
}

// frameParts adds the kinds of blocks, literals and tables that a frame has.
func frameParts(frame []byte, seen map[string]bool) {
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		panic(err)
	}
	for rest := frame[h.HeaderSize:]; ; {
		head := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
		kind, size := head>>1&3, head>>3
		seen[fmt.Sprint("block ", kind)] = true
		if kind == blockRLE {
			size = 1
		}
		if kind == blockCompressed {
			kind, modes := zstdBlockModes(rest[3 : 3+size])
			seen[fmt.Sprint("literals ", kind)] = true
			for i, name := range []string{"literal lengths ", "offsets ", "match lengths "} {
				seen[fmt.Sprint(name, modes[i])] = true
			}
		}
		if head&1 != 0 {
			return
		}
		rest = rest[3+size:]
	}
}

// TestZstdDecoder_Memory holds a decoder for the pages of a device to 32 KiB, and
// what the entropy tables of a dictionary add to 20 KiB.
func TestZstdDecoder_Memory(t *testing.T) {
	plain, trained := newTestDecoder(t, nil).MemoryUsage(), newTestDecoder(t, trainedDict()).MemoryUsage()
	if plain > 32<<10 || trained-plain > 20<<10 {
		t.Errorf("%d bytes, %d with a dictionary", plain, trained)
	}
}
