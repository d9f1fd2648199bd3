package compress

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
)

// walledStream is a stream that is given walled memory only.
type walledStream struct {
	Stream
	page, packed, dst *walled
}

func newWalledStream(t testing.TB, v variant) *walledStream {
	return &walledStream{v.open(t), newWalled(t, maxPage), newWalled(t, DstSize(maxPage)), newWalled(t, DstSize(maxPage))}
}

// compress returns the compressed page in memory that ends or begins at a wall,
// as that of the page and dst's do.
func (s *walledStream) compress(t *testing.T, last bool, dst int, page []byte) (packed []byte, err error) {
	t.Helper()
	in, out := s.page.at(last, len(page)), s.dst.at(last, dst)
	copy(in, page)
	s.page.protect(t, syscall.PROT_READ)
	defer s.page.protect(t, syscall.PROT_READ|syscall.PROT_WRITE)
	n := 0
	err = faults(func() error {
		n, err = s.Compress(out, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return append(s.packed.at(last, n)[:0], out[:n]...), nil
}

// decompress returns the page of n bytes, in walled memory.
func (s *walledStream) decompress(t *testing.T, last bool, n int, packed []byte) (page []byte, err error) {
	t.Helper()
	page = s.page.at(last, n)
	s.packed.protect(t, syscall.PROT_READ)
	defer s.packed.protect(t, syscall.PROT_READ|syscall.PROT_WRITE)
	return page, faults(func() error { return s.Decompress(page, packed) })
}

// TestStream_TouchesNothingElse gives a stream memory with walls around it, the
// page at the end or at the beginning, and dst and the compressed page as well.
// What is only to be read cannot be written.
func TestStream_TouchesNothingElse(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := newWalledStream(t, v)
			for i, n := range walledSizes() {
				// Steps that leave no kind out. Another size means to learn a dictionary anew.
				if underRace && (i%11 != 0 || n > 16<<10 || v.params.Dict != nil && i%4 != 0) || v.slow() && i%4 != 0 {
					continue
				}
				k := i % len(pageKinds)
				for _, last := range []bool{true, false} {
					if err := s.everyRoom(t, last, makePage(k, n, 40)); err != nil {
						t.Fatalf("%s of %d bytes, at the end of memory %t: %v", pageKinds[k].name, n, last, err)
					}
				}
			}
		})
	}
}

// walledSizes are sizes of pages; most stand several times, for one kind of page
// after the other.
func walledSizes() (sizes []int) {
	for n := range 80 {
		sizes = append(sizes, n)
	}
	for _, n := range []int{100, 255, 256, 257, 1000, 2049, 4095, PageSize, 4097} {
		for range pageKinds {
			sizes = append(sizes, n)
		}
	}
	for range 3 {
		sizes = append(sizes, 8<<10, 16<<10, 32<<10, maxPage-1, maxPage)
	}
	return sizes
}

// everyRoom compresses a page into destinations of sizes about those that matter,
// and reads it back.
func (s *walledStream) everyRoom(t *testing.T, last bool, page []byte) error {
	n := DstSize(len(page))
	packed, err := s.compress(t, last, n, page)
	if err != nil {
		return fmt.Errorf("into %d bytes: %w", n, err)
	}
	want := bytes.Clone(packed)
	got, err := s.decompress(t, last, len(page), packed)
	if err != nil || !bytes.Equal(got, page) {
		return fmt.Errorf("reading it back: %w", err)
	}
	rooms := []int{len(want) - 1, len(want), n - 1}
	if len(page) <= PageSize {
		rooms = append(rooms, 0, len(want)+1, len(page))
	}
	for _, room := range rooms {
		packed, err := s.compress(t, last, max(room, 0), page)
		if fits := room >= len(want); fits != (err == nil) || !fits && !errors.Is(err, ErrIncompressible) {
			return fmt.Errorf("%d bytes into %d: %w", len(want), room, err)
		} else if fits && !bytes.Equal(packed, want) {
			return fmt.Errorf("other bytes in a dst of %d", room)
		}
	}
	return nil
}

// TestStream_CorruptTouchesNothingElse gives a decoder streams cut short and
// streams with bytes changed, in memory with walls around it.
func TestStream_CorruptTouchesNothingElse(t *testing.T) {
	for _, v := range variants() {
		if !decodes(v.params) {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			s := newWalledStream(t, v)
			r := rand.New(rand.NewPCG(41, 0))
			for k, kind := range pageKinds {
				for _, n := range []int{30, 200, PageSize, maxPage} {
					if underRace && n == maxPage && k != kindText {
						continue
					}
					packed, err := s.compress(t, true, DstSize(n), makePage(k, n, 41))
					if err != nil {
						t.Fatal(err)
					}
					good := bytes.Clone(packed)
					for i := range 300 {
						if underRace && i == 10 {
							break
						}
						bad := spoil(good, r)
						size := n
						if r.IntN(4) == 0 {
							size = r.IntN(n + 1)
						}
						last := r.IntN(2) == 0
						src := append(s.packed.at(last, len(bad))[:0], bad...)
						if _, err := s.decompress(t, last, size, src); err != nil && !errors.Is(err, ErrCorrupt) {
							t.Fatalf("%s, a page of %d bytes, at the end of memory %t: %v; % x", kind.name, size, last, err, bad)
						}
					}
				}
			}
		})
	}
}

// spoil returns src cut short, with bytes changed, inserted or left out, or with
// a stretch from elsewhere in it, at random.
func spoil(src []byte, r *rand.Rand) []byte {
	bad := bytes.Clone(src)
	for range 1 + r.IntN(3) {
		if len(bad) == 0 {
			break
		}
		i := r.IntN(len(bad))
		if r.IntN(2) == 0 {
			i = r.IntN(min(len(bad), 40)) // headers and tables
		}
		switch r.IntN(6) {
		case 0:
			bad = bad[:i]
		case 1:
			bad = append(bad[:i], bad[i+1:]...)
		case 2:
			bad = append(bad[:i+1], bad[i:]...)[:min(len(bad), len(src))]
		case 3:
			copy(bad[i:], bad[r.IntN(len(bad)):])
		case 4:
			bad[i] ^= 1 << r.IntN(8)
		default:
			bad[i] = byte(r.Uint32())
		}
	}
	return bad
}
