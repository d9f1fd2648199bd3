//go:build clib

package clib

import (
	"bytes"
	"fmt"
	"testing"
)

// everyone has each library, and each way of calling it.
func everyone() map[string]*Codec {
	dict := text(5000)
	return map[string]*Codec{
		"lz4": NewLZ4(1), "lz4, fast": NewLZ4(3), "lz4, dictionary": NewLZ4Dict(1, dict),
		"lz4hc": NewLZ4HC(9), "lz4hc, dictionary": NewLZ4HCDict(9, dict),
		"lzo":  NewLZO(),
		"zstd": NewZstd(3, nil), "zstd, fast": NewZstd(-5, nil), "zstd, dictionary": NewZstd(3, dict),
		"zlib": NewZlib(6, 15, 8), "raw": NewZlib(6, -11, 8),
	}
}

func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d of %d; ", i, i*i)
	}
	return b.Bytes()[:n]
}

func TestCodecs(t *testing.T) {
	for name, z := range everyone() {
		t.Run(name, func(t *testing.T) {
			const n = 4
			for _, size := range []int{100, 4096, 64 << 10} {
				pages := text(n * size)
				slot := Bound(size)
				out, length, page := make([]byte, n*slot), make([]uint64, n), make([]byte, size)
				if err := z.CompressAll(out, length, pages); err != nil {
					t.Fatal(err)
				}
				if err := z.DecompressAll(page, out, length); err != nil || !bytes.Equal(page, pages[(n-1)*size:]) {
					t.Errorf("last page of %d bytes: %v, equal: %t", size, err, bytes.Equal(page, pages[(n-1)*size:]))
				}
				for i := range n {
					src := out[i*slot:][:length[i]]
					if size >= 4096 && len(src) > size*9/10 {
						t.Errorf("%d bytes of text take %d", size, len(src))
					}
					if err := z.Decompress(page, src); err != nil || !bytes.Equal(page, pages[i*size:][:size]) {
						t.Errorf("page %d of %d bytes: %v", i, size, err)
					}
					if z.Decompress(page, src[:len(src)-1]) == nil || z.Decompress(page[1:], src) == nil {
						t.Error("a stream that was cut, or is of another page, was taken")
					}
				}
				if err := z.CompressAll(out[:n*4], length, pages); err == nil {
					t.Error("no error for want of room")
				}
			}
			if z.MemoryUsage() < 16<<10 {
				t.Errorf("MemoryUsage() = %d", z.MemoryUsage())
			}
			if err := z.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// InflateBytewise knows the window, which Decompress may not look at.
func TestInflateBytewise(t *testing.T) {
	page := bytes.Repeat(text(3000), 2) // repeats beyond 2 KiB
	wide := NewZlib(9, -15, 8)
	out := make([]byte, Bound(len(page)))
	n, err := wide.Compress(out, page)
	if err != nil {
		t.Fatal(err)
	}
	back := make([]byte, len(page))
	if err := InflateBytewise(-15, back, out[:n]); err != nil || !bytes.Equal(back, page) {
		t.Errorf("within the window: %v", err)
	}
	for what, bad := range map[string]error{
		"beyond the window": InflateBytewise(-11, back, out[:n]),
		"a cut stream":      InflateBytewise(-15, back, out[:n-1]),
		"a longer page":     InflateBytewise(-15, make([]byte, len(page)+1), out[:n]),
		"a shorter page":    InflateBytewise(-15, back[1:], out[:n]),
		"a longer stream":   InflateBytewise(-15, back, out[:n+1]),
	} {
		if bad == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if err := wide.Close(); err != nil {
		t.Error(err)
	}
}

func TestTrainZstd(t *testing.T) {
	dict, err := TrainZstd(4096, text(1<<20), 4096)
	if err != nil || !bytes.HasPrefix(dict, []byte{0x37, 0xa4, 0x30, 0xec}) {
		t.Errorf("%d bytes, %v", len(dict), err)
	}
	if _, err := TrainZstd(4096, text(100), 50); err == nil {
		t.Error("a dictionary of two samples")
	}
}

func TestBadParameters(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("zlib with winbits 99")
		}
	}()
	NewZlib(6, 99, 8)
}
