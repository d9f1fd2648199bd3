package compress

import "math/bits"

// lz4hcTable has the last position of each hash, 0 for none.
type lz4hcTable interface{ lz4hcSmall | lz4hcLarge }

type (
	lz4hcSmall [1 << 12]uint16 // for pages of up to PageSize
	lz4hcLarge [1 << 14]uint16 // for larger ones, and where there is a dictionary
)

// lz4hcTables has tables by the number of bytes that are hashed.
type lz4hcTables[T lz4hcTable] struct{ four, five, six, seven, eight, sixteen T }

// The low bytes of x as keys, of as many bytes as the name says; y has the 8
// bytes behind those of x.
const lz4hcPrime = 0x9e3779b97f4a7c15

func lz4hcKey4(x uint64) uint64     { return x << 32 * lz4hcPrime }
func lz4hcKey5(x uint64) uint64     { return x << 24 * lz4hcPrime }
func lz4hcKey6(x uint64) uint64     { return x << 16 * lz4hcPrime }
func lz4hcKey7(x uint64) uint64     { return x << 8 * lz4hcPrime }
func lz4hcKey8(x uint64) uint64     { return x * lz4hcPrime }
func lz4hcKey16(x, y uint64) uint64 { return (x*lz4hcPrime ^ y) * lz4hcPrime }

// lz4hcPlace is where t has the last position with that key.
//
// To the race detector an index into a type parameter's array is an access to
// the whole of it, eight times as slow as the rest together; a table has one
// user.
//
//go:norace
func lz4hcPlace[T lz4hcTable](t *T, key uint64) *uint16 {
	return &(*t)[key>>(65-bits.Len(uint(len(*t))))]
}

// lz4hcSwap puts i in the place of the last position with that key, and returns
// that one.
func lz4hcSwap[T lz4hcTable](t *T, key uint64, i int) int {
	p := lz4hcPlace(t, key)
	last := *p
	*p = uint16(i)
	return int(last)
}
