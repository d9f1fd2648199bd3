package snapshot

import (
	"encoding/binary"
	"hash/crc32"
)

// Version is the format that is written, and the newest that is read. Whenever
// the meaning of any byte changes it is raised, and CHANGELOG says who reads what.
const Version = 1

const (
	magic        = "uzram\x00sn"
	preambleSize = 16
	sectionSize  = 20
	endSize      = 16

	// maxSection bounds what a reader takes into memory before it has seen the
	// checksum. A head has up to four dictionaries of 64 KiB.
	maxSection = 1 << 20
)

// The kinds of sections: never renumber.
const (
	headSection  = 1
	pagesSection = 2
	endSection   = 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// section is what stands before a section's bytes.
type section struct {
	kind, length, number, sum uint32
}

func (s section) put(b []byte) {
	for i, v := range [...]uint32{s.kind, s.length, s.number, s.sum} {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
	binary.LittleEndian.PutUint32(b[16:], crc32.Checksum(b[:16], castagnoli))
}

// parseSection is false where the bytes are damaged.
func parseSection(b []byte) (s section, ok bool) {
	for i, v := range [...]*uint32{&s.kind, &s.length, &s.number, &s.sum} {
		*v = binary.LittleEndian.Uint32(b[4*i:])
	}
	return s, binary.LittleEndian.Uint32(b[16:]) == crc32.Checksum(b[:16], castagnoli)
}
