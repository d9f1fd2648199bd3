package compress

// zstdSearch is a way to find matches.
type zstdSearch int

const (
	zstdSearchFast zstdSearch = iota
	zstdSearchDouble
	zstdSearchLazy
	zstdSearchOptimal
)

// zstdLevel is what a level means.
type zstdLevel struct {
	top    int32 // the highest level that means this
	search zstdSearch
	key    int  // fast, double: how many bytes a candidate shares
	depth  int  // lazy, optimal: how many candidates are compared
	enough int  // lazy, optimal: a match of that length is taken at once
	wait   bool // lazy: for a better match at the next position
	passes int  // optimal: how often prices are learnt
}

// zstdLevels is in the order of levels.
var zstdLevels = []zstdLevel{
	{top: -1, search: zstdSearchFast, key: 5},
	{top: 1, search: zstdSearchFast, key: 6},
	{top: 2, search: zstdSearchFast, key: 5},
	{top: 3, search: zstdSearchDouble, key: 5},
	{top: 4, search: zstdSearchDouble, key: 4},
	{top: 5, search: zstdSearchLazy, depth: 8, enough: 32},
	{top: 6, search: zstdSearchLazy, depth: 4, enough: 32, wait: true},
	{top: 7, search: zstdSearchLazy, depth: 8, enough: 64, wait: true},
	{top: 8, search: zstdSearchLazy, depth: 16, enough: 64, wait: true},
	{top: 9, search: zstdSearchLazy, depth: 32, enough: 128, wait: true},
	{top: 10, search: zstdSearchLazy, depth: 64, enough: 128, wait: true},
	{top: 11, search: zstdSearchLazy, depth: 256, enough: 256, wait: true},
	{top: 12, search: zstdSearchOptimal, depth: 4, enough: 32, passes: 1},
	{top: 13, search: zstdSearchOptimal, depth: 8, enough: 64, passes: 1},
	{top: 14, search: zstdSearchOptimal, depth: 16, enough: 64, passes: 1},
	{top: 15, search: zstdSearchOptimal, depth: 24, enough: 64, passes: 1},
	{top: 16, search: zstdSearchOptimal, depth: 32, enough: 64, passes: 2},
	{top: 17, search: zstdSearchOptimal, depth: 32, enough: 128, passes: 2},
	{top: 18, search: zstdSearchOptimal, depth: 64, enough: 128, passes: 2},
	{top: 19, search: zstdSearchOptimal, depth: 96, enough: 128, passes: 2},
	{top: 20, search: zstdSearchOptimal, depth: 128, enough: 192, passes: 2},
	{top: 21, search: zstdSearchOptimal, depth: 256, enough: 256, passes: 2},
	{top: 22, search: zstdSearchOptimal, depth: 512, enough: 384, passes: 2},
}

// zstdFirst is the search that teaches the first prices.
var zstdFirst = zstdLazy{depth: 8, enough: 64, wait: true}

// newZstdFinder returns what searches as a level says, and the shortest match
// that it finds. A negative level is the stride of the fastest search.
func newZstdFinder(level int32) (f zstdFinder, least int) {
	i := 0
	for level > zstdLevels[i].top {
		i++
	}
	l := &zstdLevels[i]
	shift := uint64(64 - 8*l.key)
	switch l.search {
	case zstdSearchFast:
		return &zstdFast{shift: shift, stride: int(max(1, -level))}, 4
	case zstdSearchDouble:
		return &zstdDouble{shift: shift}, 4
	case zstdSearchLazy:
		return &zstdLazy{depth: l.depth, wait: l.wait, enough: l.enough}, 4
	default:
		return &zstdOptimal{zstdLazy: zstdFirst, passes: l.passes, tries: l.depth, plenty: l.enough}, zstdMinMatch
	}
}
