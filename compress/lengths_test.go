package compress

import "testing"

// pageLengths are all lengths up to somewhat more than a page, and some up to the
// largest; every step-th of them.
func pageLengths(step int) (lengths []int) {
	for n := 0; n <= PageSize+104; n += step {
		lengths = append(lengths, n)
	}
	for n := PageSize + 105; n < maxPage-8; n += 499 * step {
		lengths = append(lengths, n)
	}
	for n := maxPage; n > maxPage-9; n -= step {
		lengths = append(lengths, n)
	}
	return lengths
}

// slow says whether a variant searches so long that tests over many pages give
// it fewer of them.
func (v variant) slow() bool {
	return v.codec == "lz4hc" && v.params.Level > 10 || v.codec == "zstd" && v.params.Level > 10 ||
		v.codec == "deflate" && v.params.Level == 9
}

// lengthStep thins out lengths.
func lengthStep(v variant) int {
	switch {
	case underRace:
		return 101
	case v.slow():
		return 7
	}
	return 1
}

// TestStream_EveryLength writes pages of every length with every variant, the
// kinds of pages taking turns.
func TestStream_EveryLength(t *testing.T) {
	for i, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			whole := make([][]byte, len(pageKinds))
			for k := range whole {
				whole[k] = makePage(k, maxPage, 10)
			}
			for j, n := range pageLengths(lengthStep(v)) {
				k := (i + j) % len(pageKinds)
				// Each length has another beginning and the same end.
				if err := roundTrip(s, whole[k][maxPage-n:]); err != nil {
					t.Fatalf("%s of %d bytes: %v", pageKinds[k].name, n, err)
				}
			}
		})
	}
}
