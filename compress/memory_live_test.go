package compress

import "testing"

// MemoryUsage may be asked for while the stream compresses and reads; the race
// detector tells.
func TestMemoryUsageOfAStreamAtWork(t *testing.T) {
	page := makePage(kindText, PageSize, 1)
	for _, name := range Names() {
		codec, _ := Lookup(name)
		s, err := codec.NewStream(Params{})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan int)
		go func() {
			sum := 0
			for range 100 {
				sum += s.MemoryUsage()
			}
			done <- sum
		}()
		dst, out := make([]byte, DstSize(PageSize)), make([]byte, PageSize)
		for range 100 {
			n, err := s.Compress(dst, page)
			if err == nil {
				err = s.Decompress(out, dst[:n])
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		if <-done <= 0 {
			t.Errorf("%s takes no memory", name)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
