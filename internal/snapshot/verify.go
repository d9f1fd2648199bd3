package snapshot

import "io"

// Verify reads a whole snapshot and returns its head if all of it is right.
// seen is told how many pages were read so far, now and then; nil = nobody.
func Verify(in io.Reader, seen func(pages uint64)) (Head, error) {
	r, err := NewReader(in)
	if err != nil {
		return Head{}, err
	}
	for {
		switch _, err := r.Next(); err {
		case nil:
			if seen != nil && r.pages%seenEvery == 0 {
				seen(r.pages)
			}
		case io.EOF:
			if err := r.Rest(); err != nil {
				return Head{}, err
			}
			return r.head, nil
		default:
			return Head{}, err
		}
	}
}

// seenEvery is how many pages make a report worth while.
const seenEvery = 4096
