package main

import (
	"math/bits"
	"time"
)

// waits is a histogram of times whose buckets are a sixteenth of a power of two
// wide, and the longest time as it was. One goroutine at a time.
type waits struct {
	longest time.Duration
	buckets [buckets]uint32
}

const (
	stepBits = 4
	steps    = 1 << stepBits
	buckets  = (64 - stepBits) * steps
)

func (w *waits) note(d time.Duration) {
	w.longest = max(w.longest, d)
	w.buckets[bucket(uint64(max(d, 0)))]++
}

// bucket is v itself below steps; above, its power of two and the stepBits that
// follow the first.
func bucket(v uint64) int {
	if v < steps {
		return int(v)
	}
	power := bits.Len64(v) - stepBits - 1
	return power*steps + int(v>>power)
}

// ceiling is the largest time of a bucket.
func ceiling(i int) time.Duration {
	if i < steps {
		return time.Duration(i)
	}
	power := i/steps - 1
	return time.Duration(uint64(i%steps+steps+1)<<power - 1)
}

func (w *waits) add(o *waits) {
	w.longest = max(w.longest, o.longest)
	for i, n := range o.buckets {
		w.buckets[i] += n
	}
}

// percentile is the time that p of 100 waits did not exceed, to a sixteenth.
func (w *waits) percentile(p uint64) time.Duration {
	var total, seen uint64
	for _, n := range w.buckets {
		total += uint64(n)
	}
	for i, n := range w.buckets {
		if seen += uint64(n); seen > 0 && seen*100 >= total*p {
			return min(ceiling(i), w.longest)
		}
	}
	return 0
}
