package alloc

// PageSize is the unit in which memory is taken and counted, in bytes.
const PageSize = 4096

const (
	headerSize  = 8  // before each object: its owner, or the next free object
	minSize     = 32 // smallest class in bytes
	sizeStep    = 16 // between the sizes of which classes are made, in bytes
	numSizes    = (PageSize-minSize)/sizeStep + 1
	hugeIndex   = numSizes - 1
	framePages  = 8 // also the longest chain
	groupFull   = 11
	groups      = groupFull + 1
	freeGroups  = groupFull - 1 // groups 1..10 are partly used zspages
	percentStep = 10
)

// shape is the geometry of a size class: objects of size bytes, objs of them in
// a zspage of pages pages.
type shape struct {
	index       int // of the largest size merged into this class
	size, pages int
	objs        int
}

// coarseBelow is the size in bytes below which only every other one has a class.
// Small objects are few, and a class costs half a zspage on average: measured, in
// docs/design/0009-pool.md.
const coarseBelow = 1024

// shapes maps each of the sizes 32, 48, ... 4096 to its class.
var shapes = deriveShapes(framePages, coarseBelow)

// HugeThreshold is the least object size in bytes that is not worth a class:
// at or above it a page is stored raw, in a class of its own without header.
var HugeThreshold = hugeThreshold(shapes)

// deriveShapes finds classes as zsmalloc does: the chain of least waste, the
// shortest of them; and sizes whose zspages have as many pages and as many
// objects as those of the next larger class share that class. With coarse = 0 it
// is zsmalloc's table for that longest chain.
func deriveShapes(maxChain, coarse int) []shape {
	list := make([]shape, numSizes)
	for i := numSizes - 1; i >= 0; i-- {
		size := minSize + i*sizeStep
		if size < coarse && size%(2*sizeStep) != 0 {
			list[i] = list[i+1]
			continue
		}
		n := chainLength(size, maxChain)
		s := shape{index: i, size: size, pages: n, objs: n * PageSize / size}
		if i+1 < numSizes && s.pages == list[i+1].pages && s.objs == list[i+1].objs {
			s = list[i+1]
		}
		list[i] = s
	}
	return list
}

func chainLength(size, maxChain int) int {
	if size&(size-1) == 0 {
		return 1
	}
	best, least := 1, PageSize
	for n := 1; n <= maxChain; n++ {
		if waste := n * PageSize % size; waste < least {
			best, least = n, waste
		}
	}
	return best
}

func hugeThreshold(list []shape) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].pages > 1 && list[i].objs > 1 {
			return list[i].size - headerSize + 1
		}
	}
	return PageSize
}

// ClassIndex is the class of an object of size bytes, 1 to PageSize, as in
// ClassStats.
func ClassIndex(size int) int { return shapes[sizeIndex(size)].index }

// sizeIndex is the index of the smallest size that holds an object of size
// bytes, 1 to PageSize, with its header unless it is huge.
func sizeIndex(size int) int {
	if size >= HugeThreshold {
		return hugeIndex
	}
	return max(0, (size+headerSize-minSize+sizeStep-1)/sizeStep)
}
