package dictionary

// thin chooses evenly from a stream of unknown length: every stride-th element, where the stride doubles each time that
// 2*most are kept. It ends with most of them or more, or with all.
type thin[T any] struct {
	most   int
	kept   []T
	stride int
	seen   int
}

func newThin[T any](most int) *thin[T] { return &thin[T]{most: most, stride: 1} }

func (t *thin[T]) add(v T) {
	if t.seen%t.stride == 0 {
		if len(t.kept) == 2*t.most {
			for i := range t.most {
				t.kept[i] = t.kept[2*i]
			}
			t.kept = t.kept[:t.most]
			t.stride *= 2
		}
		if t.seen%t.stride == 0 {
			t.kept = append(t.kept, v)
		}
	}
	t.seen++
}

// evenly returns n elements, or all if there are fewer.
func evenly[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	some := make([]T, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}
