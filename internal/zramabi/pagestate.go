package zramabi

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// PageStateLine is the length of a line of page_state in bytes, newline
// included, for every index below 10^12.
const PageStateLine = BlockStateLine + 7

// PageState is one line of page_state: a page in use.
type PageState struct {
	BlockState
	Size     uint32 // of its object in bytes; 0 = none is in memory
	Priority uint32 // of the algorithm that compressed it, one digit
}

// Append writes p to dst.
func (p PageState) Append(dst []byte) []byte {
	dst = p.BlockState.Append(dst)
	dst[len(dst)-1] = ' '
	dst = appendRight(dst, strconv.FormatUint(uint64(p.Size), 10), 4)
	dst = append(dst, ' ')
	return append(strconv.AppendUint(dst, uint64(p.Priority), 10), '\n')
}

// ParsePageState undoes Append for one line. EINVAL: anything else.
func ParsePageState(line string) (p PageState, err error) {
	f := strings.Fields(line)
	if len(f) != 5 {
		return PageState{}, fmt.Errorf("page_state line %.60q: %w", line, syscall.EINVAL)
	}
	if p.BlockState, err = parseBlockState(line, f[:3]); err != nil {
		return PageState{}, err
	}
	for i, n := range []*uint32{&p.Size, &p.Priority} {
		v, err := strconv.ParseUint(f[3+i], 10, 32)
		if err != nil {
			return PageState{}, fmt.Errorf("page_state line %.60q: %w", line, syscall.EINVAL)
		}
		*n = uint32(v)
	}
	return p, nil
}
