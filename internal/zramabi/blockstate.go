package zramabi

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// BlockStateLine is the length of a line of block_state in bytes, newline
// included, for every index below 10^12.
const BlockStateLine = 40

// BlockState is one line of block_state: a page in use.
type BlockState struct {
	Index          uint64
	Seconds        uint64 // of the last access, since boot
	Microseconds   uint32 // 0 in new kernels
	Same           bool   // same-filled
	WrittenBack    bool
	Huge           bool
	Idle           bool
	Recompressed   bool // by a secondary algorithm
	Incompressible bool // incompressible by the last algorithm
}

const flagLetters = "swhirn"

func (b *BlockState) flags() [len(flagLetters)]*bool {
	return [...]*bool{&b.Same, &b.WrittenBack, &b.Huge, &b.Idle, &b.Recompressed, &b.Incompressible}
}

// Append writes b in the kernel's format to dst.
func (b BlockState) Append(dst []byte) []byte {
	dst = appendRight(dst, strconv.FormatUint(b.Index, 10), 12)
	dst = appendRight(append(dst, ' '), strconv.FormatUint(b.Seconds, 10), 12)
	micro := strconv.FormatUint(uint64(b.Microseconds), 10)
	dst = append(append(dst, '.'), "000000"[min(len(micro), 6):]...)
	dst = append(append(dst, micro...), ' ')
	for i, set := range b.flags() {
		if *set {
			dst = append(dst, flagLetters[i])
		} else {
			dst = append(dst, '.')
		}
	}
	return append(dst, '\n')
}

// ParseBlockState undoes Append for one line. EINVAL: anything else.
func ParseBlockState(line string) (b BlockState, err error) {
	return parseBlockState(line, strings.Fields(line))
}

// parseBlockState reads the fields of a line.
func parseBlockState(line string, f []string) (b BlockState, err error) {
	bad := func() (BlockState, error) {
		return BlockState{}, fmt.Errorf("block_state line %.60q: %w", line, syscall.EINVAL)
	}
	if len(f) != 3 || len(f[2]) != len(flagLetters) {
		return bad()
	}
	seconds, micro, ok := strings.Cut(f[1], ".")
	if !ok || len(micro) != 6 {
		return bad()
	}
	us, err3 := strconv.ParseUint(micro, 10, 32)
	var err1, err2 error
	b.Index, err1 = strconv.ParseUint(f[0], 10, 64)
	b.Seconds, err2 = strconv.ParseUint(seconds, 10, 64)
	b.Microseconds = uint32(us)
	if err1 != nil || err2 != nil || err3 != nil {
		return bad()
	}
	for i, set := range b.flags() {
		switch f[2][i] {
		case flagLetters[i]:
			*set = true
		case '.':
		default:
			return bad()
		}
	}
	return b, nil
}
