package compress

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"
	"testing"
)

// TestDeflate_Interchange exchanges streams with the standard library both ways.
func TestDeflate_Interchange(t *testing.T) {
	for _, c := range []struct {
		winBits int32
		reader  func(io.Reader) (io.ReadCloser, error)
		writer  func(io.Writer) (io.WriteCloser, error)
	}{
		{-15, func(r io.Reader) (io.ReadCloser, error) { return flate.NewReader(r), nil },
			func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) }},
		{15, zlib.NewReader,
			func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }},
	} {
		s := winBits(6, c.winBits).open(t)
		for k, kind := range pageKinds {
			page := makePage(k, PageSize, 14)
			dst := make([]byte, DstSize(PageSize))
			n, err := s.Compress(dst, page)
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.reader(bytes.NewReader(dst[:n]))
			if err != nil {
				t.Fatalf("winbits %d, %s: %v", c.winBits, kind.name, err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, page) {
				t.Fatalf("winbits %d, %s: library reads %d bytes, %v", c.winBits, kind.name, len(got), err)
			}
			var b bytes.Buffer
			w, err := c.writer(&b)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(page); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			back := make([]byte, PageSize)
			if err := s.Decompress(back, b.Bytes()); err != nil || !bytes.Equal(back, page) {
				t.Fatalf("winbits %d, %s: cannot read the library's stream: %v", c.winBits, kind.name, err)
			}
		}
	}
}

// TestDeflate_Window repeats random bytes at one distance: they compress exactly
// when the window reaches that far.
func TestDeflate_Window(t *testing.T) {
	for bits := int32(9); bits <= 15; bits++ {
		for _, sign := range []int32{1, -1} {
			s := winBits(6, sign*bits).open(t)
			for _, far := range []bool{false, true} {
				distance := 1<<bits - 1
				if far {
					distance = 1<<bits + 1
				}
				page := makePage(kindRandom, min(2*distance, maxPage), 15)
				copy(page[distance:], page)
				n, err := s.Compress(make([]byte, DstSize(len(page))), page)
				if err != nil {
					t.Fatal(err)
				}
				if shrunk := n < len(page)*3/4; shrunk == far {
					t.Errorf("winbits %d: %d bytes repeated at distance %d take %d", sign*bits, len(page), distance, n)
				}
			}
		}
	}
}

// TestDeflate_ZlibHeader reads the window out of the header, and tampers with
// header and checksum.
func TestDeflate_ZlibHeader(t *testing.T) {
	page := makePage(kindText, PageSize, 16)
	for bits := int32(9); bits <= 15; bits++ {
		s := winBits(6, bits).open(t)
		dst := make([]byte, DstSize(PageSize))
		n, err := s.Compress(dst, page)
		if err != nil {
			t.Fatal(err)
		}
		if got := int32(dst[0]>>4) + zlibMinWindow; got != bits {
			t.Errorf("header says winbits %d, want %d", got, bits)
		}
		for _, at := range []int{0, 1, n - 1} {
			for _, flip := range []byte{1, zlibPreset, 0x80} {
				bad := bytes.Clone(dst[:n])
				bad[at] ^= flip
				if err := s.Decompress(make([]byte, PageSize), bad); !errors.Is(err, ErrCorrupt) {
					t.Errorf("byte %d changed by %#x: %v, want ErrCorrupt", at, flip, err)
				}
			}
		}
	}
}
