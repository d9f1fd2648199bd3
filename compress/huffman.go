package compress

import "math/bits"

const (
	huffmanSymbols = 288 // the largest alphabet, that of deflate
	// A leaf is one word, the count above the symbol, so that a sort moves one.
	huffmanSymbolBits = 9
	huffmanSymbolMask = 1<<huffmanSymbolBits - 1
	// huffmanRoom is a power of two above huffmanSymbols+2, so that a masked
	// index needs no check.
	huffmanRoom    = 1 << huffmanSymbolBits
	huffmanBuckets = 128
	huffmanMaxLen  = 15
	// huffmanDepths is more than the depth of any tree over 2^17 symbols.
	huffmanDepths = 32
	// huffmanInfinite is a count above all others.
	huffmanInfinite = 1 << 30
)

// huffmanBuilder makes length-limited Huffman codes. It keeps nothing from one
// code to the next.
type huffmanBuilder struct {
	keys   [huffmanRoom]uint32 // symbols in use in their order, count<<huffmanSymbolBits | symbol
	leaves [huffmanRoom]uint32 // the same, by rising count
	weight [huffmanRoom]uint32 // counts of leaves, two infinite ones behind them
	node   [huffmanRoom]uint32 // counts of inner nodes, by rising count
	parent [huffmanRoom]uint16 // of inner nodes; it rises with them
	place  [huffmanBuckets]uint16
	// Of the last code: how many symbols have each length, the largest length, and
	// the bits that all counts take.
	perLength [huffmanDepths]uint16
	longest   int
	cost      uint32
}

// lengths sets lengths[s] to the bits of symbol s's code, 0 where counts[s] is 0,
// none above limit, and returns the number of symbols used. One symbol alone gets
// length 1; otherwise the code is complete.
//
// len(counts) is at most 288, their sum below 2^17, limit 7 to 15 and large enough
// for the symbols used. Without need for the limit the code is optimal.
func (h *huffmanBuilder) lengths(lengths []uint8, counts []uint32, limit int) (used int) {
	used = h.sort(counts)
	lengths = lengths[:len(counts)]
	clear(lengths)
	h.perLength = [huffmanDepths]uint16{}
	h.cost, h.longest = 0, 0
	switch used {
	case 0:
		return used
	case 1:
		h.perLength[1], h.longest = 1, 1
	default:
		h.tree(used)
		h.longest = h.depths(used)
		if h.longest > limit {
			h.limit(h.longest, limit)
			h.longest = limit
		}
	}
	i := 0
	for d := h.longest; d > 0; d-- {
		sum := uint32(0)
		for _, leaf := range h.leaves[i : i+int(h.perLength[d])] {
			lengths[leaf&huffmanSymbolMask] = uint8(d)
			sum += leaf >> huffmanSymbolBits
		}
		h.cost += sum * uint32(d)
		i += int(h.perLength[d])
	}
	return used
}

// bucket maps counts to buckets in their order: exact below 16, above by the four
// highest bits.
func huffmanBucket(count uint32) uint32 {
	e := uint32(bits.Len32(count >> 4))
	return (e<<3 + count>>(e&31)) & (huffmanBuckets - 1)
}

// sort fills leaves and weight with the symbols in use and returns their number.
func (h *huffmanBuilder) sort(counts []uint32) int {
	n := 0
	for s, c := range counts {
		h.keys[n&(huffmanRoom-1)] = c<<huffmanSymbolBits | uint32(s)
		if c != 0 {
			n++
		}
	}
	h.place = [huffmanBuckets]uint16{}
	keys := h.keys[:n]
	for _, k := range keys {
		h.place[huffmanBucket(k>>huffmanSymbolBits)]++
	}
	sum := uint16(0)
	for b, m := range h.place {
		h.place[b] = sum
		sum += m
	}
	for _, k := range keys {
		b := huffmanBucket(k >> huffmanSymbolBits)
		h.leaves[h.place[b]&(huffmanRoom-1)] = k
		h.place[b]++
	}
	// Within a bucket the order may still be wrong.
	last := uint32(0)
	for i, k := range h.leaves[:n] {
		if k>>huffmanSymbolBits < last>>huffmanSymbolBits {
			k = h.insert(i, k)
		}
		last = k
		h.weight[i] = k >> huffmanSymbolBits
	}
	h.weight[n] = huffmanInfinite
	h.weight[n+1] = huffmanInfinite
	return n
}

// insert moves leaf k from i to its place among those before, and returns the
// leaf that is at i then.
func (h *huffmanBuilder) insert(i int, k uint32) uint32 {
	top := h.leaves[i-1]
	for i > 0 && h.leaves[i-1]>>huffmanSymbolBits > k>>huffmanSymbolBits {
		h.leaves[i], h.weight[i] = h.leaves[i-1], h.weight[i-1]
		i--
	}
	h.leaves[i], h.weight[i] = k, k>>huffmanSymbolBits
	return top
}

// tree joins the two lightest of n leaves and nodes until one node is left, n-2.
// Leaves and nodes are two queues, each in order, so that the two lightest are
// among two of each: no branch depends on the counts.
func (h *huffmanBuilder) tree(n int) {
	const mask = huffmanRoom - 1
	h.node[0], h.node[1] = huffmanInfinite, huffmanInfinite
	i, j := 0, 0
	for k := range n - 1 {
		leaf, leaf2 := h.weight[i&mask], h.weight[(i+1)&mask]
		node, node2 := h.node[j&mask], h.node[(j+1)&mask]
		h.parent[j&mask], h.parent[(j+1)&mask] = uint16(k), uint16(k)
		w := leaf + node
		if leaf2 <= node {
			w = leaf + leaf2
		}
		if node2 < leaf {
			w = node + node2
		}
		leaves, nodes := 0, 0
		if leaf2 <= node {
			leaves = 1
		}
		if node2 < leaf {
			nodes = 1
		}
		i += 1 + leaves - nodes
		j += 1 - leaves + nodes
		h.node[k&mask] = w
		h.node[(k+2)&mask] = huffmanInfinite
	}
}

// depths counts the leaves of each depth and returns the largest.
// Heavier nodes are never deeper, so those of one depth are neighbours.
func (h *huffmanBuilder) depths(n int) int {
	top, inner := n-2, 1 // the lowest node above and the number of nodes at depth d
	for d := 0; ; d++ {
		k := top
		for k > 0 && int(h.parent[(k-1)&(huffmanRoom-1)]) >= top {
			k--
		}
		below := top - k
		h.perLength[(d+1)&(huffmanDepths-1)] = uint16(2*inner - below)
		if below == 0 {
			return d + 1
		}
		top, inner = k, below
	}
}
