package compress

// deflateEffort is what a level spends on a page.
type deflateEffort struct {
	depth int // candidates of a search
	ahead int // candidates of a search for something better a byte later; 0 for none
	nice  int // length of a match with which a search is content
	near  int // greatest distance of a match of 3 bytes
	// optimal levels weigh all matches by the prices that a first parse, without
	// them, leads to.
	optimal bool
}

// deflateEfforts are those of levels 1 to 9; level 0 stores.
var deflateEfforts = [...]deflateEffort{
	1: {depth: 1, nice: 16},
	2: {depth: 4, nice: 16},
	3: {depth: 8, nice: 32, near: 512},
	4: {depth: 6, ahead: 4, nice: 32, near: 512},
	5: {depth: 16, ahead: 8, nice: 32, near: 512},
	6: {depth: 32, ahead: 16, nice: 64, near: 512},
	7: {depth: 128, ahead: 64, nice: 128, near: 512},
	8: {depth: 1000, ahead: 1000, nice: deflateMaxMatch, near: 512},
	9: {depth: 128, ahead: 64, nice: 128, near: 4096, optimal: true},
}
