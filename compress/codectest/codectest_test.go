package codectest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"uzram/compress"
)

func lookup(t testing.TB, name string) compress.Codec {
	t.Helper()
	c, ok := compress.Lookup(name)
	if !ok {
		t.Fatalf("no codec %q", name)
	}
	return c
}

func open(t testing.TB, c compress.Codec) compress.Stream {
	t.Helper()
	s, err := c.NewStream(compress.Params{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func textPage() []byte {
	return bytes.Repeat([]byte("0123456789abcdef which is not said once; "), 100)[:compress.PageSize]
}

// A wrapped codec writes its inner one's bytes, reads them, refuses what the
// inner one refuses, and allocates nothing in doing so.
func TestWrappedIsTheInnerCodec(t *testing.T) {
	for _, name := range compress.Names() {
		inner := lookup(t, name)
		want := make([]byte, compress.DstSize(compress.PageSize))
		page := textPage()
		n, err := open(t, inner).Compress(want, page)
		if err != nil {
			t.Fatal(err)
		}
		want = want[:n]
		for suffix, c := range map[string]compress.Codec{
			"-waiting": Waiting(inner), "-slow": Slow(inner, 1), "-failing": NewFailing(inner, 1),
		} {
			t.Run(name+suffix, func(t *testing.T) {
				if c.Name() != name+suffix {
					t.Errorf("it is called %q", c.Name())
				}
				s := open(t, c)
				dst, got := make([]byte, compress.DstSize(compress.PageSize)), make([]byte, compress.PageSize)
				n, err := s.Compress(dst, page)
				if err != nil || !bytes.Equal(dst[:n], want) {
					t.Fatalf("compressed to %d other bytes than the %d of its inner codec, %v", n, len(want), err)
				}
				if err := s.Decompress(got, want); err != nil || !bytes.Equal(got, page) {
					t.Errorf("another page came back, %v", err)
				}
				if _, err := s.Compress(dst[:1], page); !errors.Is(err, compress.ErrIncompressible) {
					t.Errorf("into one byte: %v", err)
				}
				for _, src := range [][]byte{nil, {}, want[:n/2]} {
					if err := s.Decompress(got, src); !errors.Is(err, compress.ErrCorrupt) {
						t.Errorf("%d bytes of it: %v", len(src), err)
					}
				}
				if n := testing.AllocsPerRun(100, func() { s.Compress(dst, page) }); n != 0 {
					t.Errorf("%v allocations", n)
				}
			})
		}
		refused := compress.Params{Level: 99, HasLevel: true}
		if inner.Check(refused) == nil {
			continue
		}
		for _, c := range []compress.Codec{Waiting(inner), NewFailing(inner, 1)} {
			if _, err := c.NewStream(refused); err == nil {
				t.Errorf("%s takes parameters that %s refuses", c.Name(), name)
			}
		}
	}
}

// While its inner stream is at work the caller of a waiting stream is not in it:
// the call is done by another goroutine.
func TestWaitingWorksElsewhere(t *testing.T) {
	inner := &blockingStream{entered: make(chan struct{}), leave: make(chan struct{})}
	s := newWaitingStream(inner)
	done := make(chan int)
	go func() {
		n, _ := s.Compress(nil, nil)
		done <- n
	}()
	<-inner.entered
	select {
	case <-done:
		t.Error("answered before the codec was done")
	default:
	}
	close(inner.leave)
	if n := <-done; n != 42 {
		t.Errorf("answer %d", n)
	}
	if err := s.Close(); err != nil || !inner.closed {
		t.Errorf("inner stream closed: %v, %v", inner.closed, err)
	}
}

type blockingStream struct {
	compress.Stream
	entered, leave chan struct{}
	closed         bool
}

func (s *blockingStream) Compress(dst, page []byte) (int, error) {
	close(s.entered)
	<-s.leave
	return 42, nil
}

func (s *blockingStream) Close() error {
	s.closed = true
	return nil
}

func TestFailingFollowsItsRate(t *testing.T) {
	c := NewFailing(lookup(t, "lz4"), 7)
	s := open(t, c)
	page := textPage()
	dst, got := make([]byte, compress.DstSize(compress.PageSize)), make([]byte, compress.PageSize)
	n, err := s.Compress(dst, page)
	if err != nil {
		t.Fatal(err)
	}
	packed := slices.Clone(dst[:n])
	const calls = 1000
	for _, rate := range []int{0, 100, 500, AllCalls} {
		c.SetRate(rate)
		before, failed := c.Failures(), 0
		for range calls {
			if _, err := s.Compress(dst, page); err != nil {
				failed++
				if !errors.Is(err, ErrInjected) {
					t.Fatal(err)
				}
			}
			if err := s.Decompress(got, packed); err != nil {
				failed++
				if !errors.Is(err, compress.ErrCorrupt) {
					t.Fatal(err)
				}
				if bytes.Equal(got, page) {
					t.Fatal("a call that failed left the page in order")
				}
			}
		}
		if want := 2 * calls * rate / AllCalls; failed < want*3/4 || failed > want*5/4 {
			t.Errorf("rate %d: %d of %d calls failed", rate, failed, 2*calls)
		}
		if c.Failures()-before != uint64(failed) {
			t.Errorf("rate %d: %d failures, counted %d", rate, failed, c.Failures()-before)
		}
	}
}

// The same seed fails the same calls.
func TestFailingRepeats(t *testing.T) {
	sequence := func(seed uint64) (failed [64]bool) {
		c := NewFailing(lookup(t, "lz4"), seed)
		c.SetRate(500)
		s := open(t, c)
		dst := make([]byte, compress.DstSize(compress.PageSize))
		for i := range failed {
			_, err := s.Compress(dst, textPage())
			failed[i] = err != nil
		}
		return failed
	}
	first, second := sequence(1), sequence(1)
	if first != second {
		t.Error("two runs from one seed differ")
	}
	if first == sequence(2) {
		t.Error("two seeds give the same failures")
	}
}
