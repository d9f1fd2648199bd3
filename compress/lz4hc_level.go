package compress

// lz4hcLevel is how hard to search.
type lz4hcLevel struct {
	keys     int  // how many of the lengths 4 to 7 have a table: 1, 2 or 4
	depth    int  // how many candidates of a chain are compared
	enough   int  // a match of that length is taken as it is, and what lies in it passed over
	thorough bool // chains have the positions within matches too
	steps    int  // along chains, per byte of the page; beyond, a chain's first candidate must do
}

// lz4hcLevels has level 1 first. Pages take a sixth to a half of the steps they
// may, on average; the limit keeps those from being slow whose chains are long.
var lz4hcLevels = [16]lz4hcLevel{
	{keys: 1, depth: 1, enough: 4, steps: 1},
	{keys: 1, depth: 1, enough: 8, steps: 1},
	{keys: 1, depth: 1, enough: 16, steps: 1},
	{keys: 2, depth: 1, enough: 16, steps: 1},
	{keys: 4, depth: 1, enough: 16, steps: 1},
	{keys: 4, depth: 1, enough: 24, steps: 1},
	{keys: 4, depth: 2, enough: 128, steps: 2},
	{keys: 4, depth: 4, enough: 128, steps: 4},
	{keys: 4, depth: 8, enough: 128, steps: 6},
	{keys: 4, depth: 16, enough: 128, steps: 10},
	{keys: 4, depth: 16, enough: 128, steps: 12, thorough: true},
	{keys: 4, depth: 32, enough: 128, steps: 24, thorough: true},
	{keys: 4, depth: 64, enough: 256, steps: 48, thorough: true},
	{keys: 4, depth: 128, enough: 512, steps: 96, thorough: true},
	{keys: 4, depth: 256, enough: 1024, steps: 192, thorough: true},
	{keys: 4, depth: 1024, enough: maxPage, steps: 512, thorough: true},
}
