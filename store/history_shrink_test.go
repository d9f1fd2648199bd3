package store

import "slices"

// shrinkTries bounds how many histories a shrinking runs.
const shrinkTries = 2000

// shrink returns a short history that fails as well: chunks are dropped, from
// halves down to single ops, then what is left is made simpler, until neither
// gains anything. history itself must fail.
func shrink(history []op, fails func([]op) bool) []op {
	tries := 0
	try := func(h []op) bool {
		tries++
		return tries <= shrinkTries && fails(h)
	}
	for {
		before := slices.Clone(history)
		history = dropChunks(history, try)
		history = simplify(history, try)
		if slices.Equal(history, before) || tries > shrinkTries {
			return history
		}
	}
}

func dropChunks(history []op, fails func([]op) bool) []op {
	for size := (len(history) + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < len(history); {
			shorter := slices.Delete(slices.Clone(history), from, min(from+size, len(history)))
			if fails(shorter) {
				history = shorter
			} else {
				from += size
			}
		}
	}
	return history
}

func simplify(history []op, fails func([]op) bool) []op {
	history = slices.Clone(history)
	for i := range history {
		for _, simpler := range simplerOps {
			for {
				old := history[i]
				history[i] = simpler(old)
				if history[i] == old {
					break
				}
				if !fails(history) {
					history[i] = old
					break
				}
			}
		}
	}
	return history
}

// simplerOps are the ways to make an op simpler; one that has nothing to do
// returns it as it is.
var simplerOps = []func(op) op{
	func(o op) op { o.worker = 0; return o },
	func(o op) op { o.seed = 0; return o },
	func(o op) op { o.fill = zeroPage; return o },
	func(o op) op { o.fill = min(o.fill, textPage); return o },
	func(o op) op { o.off = 0; return o },
	func(o op) op { o.off -= o.off % PageSize; return o },
	func(o op) op { o.off = max(0, o.off-PageSize); return o },
	func(o op) op { o.n = min(o.n, 1); return o },
	func(o op) op { o.n = min(o.n, PageSize); return o },
	func(o op) op { o.n -= o.n % PageSize * min(1, o.n/PageSize); return o },
	func(o op) op { o.n -= o.n / 2; return o },
}
