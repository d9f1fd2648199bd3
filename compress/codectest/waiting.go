package codectest

import "uzram/compress"

// Waiting is inner as an asynchronous codec: a stream hands each call to a
// goroutine of its own over a channel, and its caller sleeps until the answer
// comes. The goroutine ends when the stream is closed.
func Waiting(inner compress.Codec) compress.Codec {
	return &decorator{inner, "-waiting", newWaitingStream}
}

type waitingStream struct {
	compress.Stream
	calls   chan call
	answers chan answer // closed when the goroutine has ended
}

// call is one of Compress (dst is set) or Decompress (src is).
type call struct{ dst, page, src []byte }

type answer struct {
	n   int
	err error
}

func newWaitingStream(inner compress.Stream) compress.Stream {
	s := &waitingStream{inner, make(chan call), make(chan answer)}
	go func() {
		defer close(s.answers)
		for c := range s.calls {
			var a answer
			if c.src == nil {
				a.n, a.err = inner.Compress(c.dst, c.page)
			} else {
				a.err = inner.Decompress(c.page, c.src)
			}
			s.answers <- a
		}
	}()
	return s
}

func (s *waitingStream) Compress(dst, page []byte) (int, error) {
	s.calls <- call{dst: dst, page: page}
	a := <-s.answers
	return a.n, a.err
}

func (s *waitingStream) Decompress(page, src []byte) error {
	if src == nil {
		src = []byte{}
	}
	s.calls <- call{page: page, src: src}
	return (<-s.answers).err
}

func (s *waitingStream) Close() error {
	close(s.calls)
	<-s.answers
	return s.Stream.Close()
}
