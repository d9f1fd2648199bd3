package compress

// warmUp sends one page through s and back through d, so that a library which
// makes its buffers on first use makes them now, and not under memory pressure.
func warmUp(s Stream, d Decompressor) error {
	page := make([]byte, PageSize)
	for i, x := 0, uint32(1); i < len(page); i++ {
		x = x*1664525 + 1013904223
		page[i] = byte(x >> 30 * (x >> 26)) // skewed literals
		if i >= 64 && i&32 != 0 {
			page[i] = page[i-int(8+x>>29<<3)] // and matches
		}
	}
	out := make([]byte, DstSize(len(page)))
	n, err := s.Compress(out, page)
	if err != nil {
		return err
	}
	return d.Decompress(page, out[:n])
}
