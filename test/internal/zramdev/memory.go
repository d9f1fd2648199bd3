package zramdev

import (
	"fmt"
	"strconv"
	"strings"
)

// Memory is what a device holds, as the first fields of mm_stat have it.
type Memory struct {
	OrigDataSize  uint64 // bytes
	ComprDataSize uint64 // bytes
	MemUsedTotal  uint64 // bytes
	SamePages     uint64
	HugePages     uint64
}

// Fields of mm_stat, from 0.
const (
	fieldOrig  = 0
	fieldCompr = 1
	fieldUsed  = 2
	fieldSame  = 5
	fieldHuge  = 7
)

func parseMemory(text string) (Memory, error) {
	fields := strings.Fields(text)
	if len(fields) <= fieldHuge {
		return Memory{}, fmt.Errorf("mm_stat %q has %d fields, want more than %d", text, len(fields), fieldHuge)
	}
	var m Memory
	for to, i := range map[*uint64]int{
		&m.OrigDataSize:  fieldOrig,
		&m.ComprDataSize: fieldCompr,
		&m.MemUsedTotal:  fieldUsed,
		&m.SamePages:     fieldSame,
		&m.HugePages:     fieldHuge,
	} {
		v, err := strconv.ParseUint(fields[i], 10, 64)
		if err != nil {
			return Memory{}, fmt.Errorf("mm_stat field %d: %w", i+1, err)
		}
		*to = v
	}
	return m, nil
}
