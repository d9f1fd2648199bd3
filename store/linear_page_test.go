package store

import (
	"encoding/binary"
	"fmt"
)

// A page of the linearizability test is eight sectors. Each write has a stamp of
// its own and fills its sectors from it, so that a read tells which write each
// sector is from; one that mixes writes within a sector, or is of no write, is
// torn.
const (
	sectorSize = PageSize / sectors
	sectors    = 8
)

// stamps is which write each sector of a page is from; 0 is never written, or
// discarded.
type stamps [sectors]uint32

// fillSectors writes stamp into sectors [from, to) of a page that begins at
// sector from. Of eight stamps one makes same-filled pages within the commit
// word, one such outside of it, two pages that do not compress, four pages that
// do.
func fillSectors(page []byte, from, to int, stamp uint32) {
	for i := range (to - from) * sectorSize / 8 {
		word := stampWord(stamp, from*sectorSize/8+i)
		binary.LittleEndian.PutUint64(page[i*8:], word)
	}
}

func stampWord(stamp uint32, i int) uint64 {
	low := uint64(stamp)
	if stamp == 0 {
		return 0
	}
	switch stamp % 8 {
	case 0:
		return low<<32 | low
	case 1:
		return ^low<<32 | low
	case 2, 3, 4, 5:
		return uint64(i)<<32 | low
	}
	mixed := (low<<32 | uint64(i)) * 0x9e3779b97f4a7c15
	mixed ^= mixed >> 29
	if i%(sectorSize/8) == 0 {
		return mixed<<32 | low
	}
	return mixed * 0xbf58476d1ce4e5b9
}

// readStamps tells which writes sectors [from, to) are from; page begins at
// sector from.
func readStamps(page []byte, from, to int) (s stamps, err error) {
	for i := from; i < to; i++ {
		sector := page[(i-from)*sectorSize:][:sectorSize]
		s[i] = binary.LittleEndian.Uint32(sector)
		for j := range sectorSize / 8 {
			if binary.LittleEndian.Uint64(sector[j*8:]) != stampWord(s[i], i*sectorSize/8+j) {
				return s, fmt.Errorf("sector %d begins with stamp %d and does not go on with it at word %d", i, s[i], j)
			}
		}
	}
	return s, nil
}
