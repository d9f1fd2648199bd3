package compress

// room lets an encoder that needs DstSize bytes serve a smaller destination: it
// lends a private buffer then, and copies the result.
type room struct{ spare []byte }

// lend returns where a page of n bytes is to be compressed to: dst if that is
// large enough, else the private buffer, which grows to the largest page seen.
func (r *room) lend(dst []byte, n int) []byte {
	if len(dst) >= DstSize(n) {
		return dst
	}
	if len(r.spare) < DstSize(n) {
		r.spare = make([]byte, DstSize(n))
	}
	return r.spare
}

// settle moves the first n bytes of out, which lend returned, into dst.
func (r *room) settle(dst, out []byte, n int) (int, error) {
	if n > len(dst) {
		return 0, ErrIncompressible
	}
	if n > 0 && &dst[0] != &out[0] {
		copy(dst, out[:n])
	}
	return n, nil
}

// size is the memory in bytes beyond the struct.
func (r *room) size() int { return len(r.spare) }
