package compress

import (
	"bytes"
	"errors"
	"testing"
)

// plainStream hides what a stream can do beyond the interface.
type plainStream struct{ Stream }

// What reads without an encoder is as good as the whole stream, and takes less
// memory; of a stream that cannot be halved it is another whole one.
func TestDecompressor(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			c, _ := Lookup(v.codec)
			s := v.open(t)
			half, err := NewDecompressor(c, v.params, s)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := NewDecompressor(c, v.params, plainStream{s})
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := whole.(Stream); !ok {
				t.Errorf("%T for a stream that cannot be halved", whole)
			}
			if half.MemoryUsage() >= whole.MemoryUsage() {
				t.Errorf("%d bytes, a whole stream has %d", half.MemoryUsage(), whole.MemoryUsage())
			}
			dst, got := make([]byte, DstSize(PageSize)), make([]byte, PageSize)
			for _, d := range []Decompressor{half, whole} {
				for k, kind := range pageKinds {
					page := makePage(k, PageSize, 7)
					n, err := s.Compress(dst, page)
					if err != nil {
						t.Fatal(err)
					}
					if err := d.Decompress(got, dst[:n/2]); !errors.Is(err, ErrCorrupt) {
						t.Errorf("%s, half of it: %v", kind.name, err)
					}
					if err := d.Decompress(got, dst[:n]); err != nil || !bytes.Equal(got, page) {
						t.Errorf("%s: another page came back, %v", kind.name, err)
					}
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// halvedStream fails to compress, or to read what it compressed.
type halvedStream struct {
	Stream
	compressErr, decompressErr, closeErr error
	closed                               int
}

func (s *halvedStream) Compress(dst, page []byte) (int, error) { return 1, s.compressErr }

func (s *halvedStream) Decompress(page, src []byte) error { return s.decompressErr }

func (s *halvedStream) decompressor() (Decompressor, error) { return s, nil }

func (s *halvedStream) Close() error {
	s.closed++
	return s.closeErr
}

// What was opened is closed again if the first page does not go through it.
func TestDecompressor_FirstPageFails(t *testing.T) {
	c, _ := Lookup(DefaultName)
	broken, stuck := errors.New("broken"), errors.New("stuck")
	for _, s := range []*halvedStream{{compressErr: broken}, {decompressErr: broken}, {decompressErr: broken, closeErr: stuck}} {
		d, err := NewDecompressor(c, Params{}, s)
		if d != nil || !errors.Is(err, broken) || s.closeErr != nil && !errors.Is(err, stuck) || s.closed != 1 {
			t.Errorf("%+v: %v, %v", s, d, err)
		}
	}
}
