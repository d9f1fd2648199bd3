package compress

// limit changes perLength so that no code is longer than limit bits.
//
// Codes that are too long are cut, which overdraws the space of codes. Then the
// symbols that lose least for the space they free are made longer, until the
// space suffices; what is left of it goes to those that gain most.
func (h *huffmanBuilder) limit(depth, limit int) {
	per := &h.perLength
	for d := depth; d > limit; d-- {
		per[limit] += per[d]
		per[d] = 0
	}
	free := 1 << limit // in units of the longest code
	for d := 1; d <= limit; d++ {
		free -= int(per[d]) << (limit - d)
	}
	for free < 0 {
		d := h.lengthen(limit, -free)
		per[d]--
		per[d+1]++
		free += 1 << (limit - d - 1)
	}
	for free > 0 {
		d := h.shorten(limit, free)
		per[d]--
		per[d-1]++
		free -= 1 << (limit - d)
	}
}

// lengthen returns the length at which one bit more for the lightest symbol
// frees space at the least price. Space beyond what is missing counts three
// quarters, as not all of it finds a use. Of equal prices the one for more space
// wins: the small ones may complete the work.
func (h *huffmanBuilder) lengthen(limit, missing int) (best int) {
	price, gain := uint64(1), uint64(0)
	i := 0 // the lightest leaf of length d
	for d := limit; d > 0; d-- {
		if d < limit && h.perLength[d] > 0 {
			freed := 1 << (limit - d - 1)
			w, value := uint64(h.weight[i]), uint64(3*freed+min(freed, missing))
			if w*gain <= value*price {
				price, gain, best = w, value, d
			}
		}
		i += int(h.perLength[d])
	}
	return best
}

// shorten returns the length at which one bit less for the heaviest symbol gains
// most within the free space.
func (h *huffmanBuilder) shorten(limit, free int) (best int) {
	gain := uint32(0)
	i := -1 // the heaviest leaf of length d
	for d := limit; d > 1; d-- {
		i += int(h.perLength[d])
		if h.perLength[d] > 0 && 1<<(limit-d) <= free && h.weight[i] > gain {
			gain, best = h.weight[i], d
		}
	}
	return best
}
