package compress

import (
	"errors"
	"fmt"
	"syscall"
)

// PageSize is the size in bytes of a device's page, and the one for which
// streams prepare their buffers.
const PageSize = 4096

// maxPage is the largest page in bytes: encoders keep positions in 16 bits.
const maxPage = 64 << 10

// ErrIncompressible says that the compressed page does not fit into the
// destination. It is an answer, not a failure: the page is to be stored raw.
var ErrIncompressible = errors.New("compressed page does not fit into the destination")

// ErrCorrupt says that the input of Decompress is not a compressed page of the
// length asked for.
var ErrCorrupt = fmt.Errorf("compressed page is corrupt: %w", syscall.EIO)

// errPageSize is returned by Compress for a page beyond maxPage.
var errPageSize = fmt.Errorf("page is larger than %d bytes: %w", maxPage, syscall.EINVAL)

// Params are the parameters of one algorithm; the zero value means all defaults.
type Params struct {
	Level      int32 // meaning and range depend on the algorithm; see Codec.Check
	HasLevel   bool
	WinBits    int32 // deflate only: log2 of the window; negative for a stream without zlib header
	HasWinBits bool
	Dict       []byte // nil for none; must not change while a stream uses it
}

// Codec is an algorithm. Its methods may be called concurrently.
type Codec interface {
	// Name is the kernel's name of the algorithm.
	Name() string
	// Check returns nil if NewStream would accept p, else an error that wraps
	// EINVAL (out of range) or EOPNOTSUPP (the algorithm has no such parameter).
	Check(p Params) error
	// NewStream returns a stream with its buffers for pages of PageSize in place.
	NewStream(p Params) (Stream, error)
}

// Stream compresses and decompresses pages, one goroutine at a time.
type Stream interface {
	// Compress writes the compressed page to dst and returns its length in
	// bytes, or ErrIncompressible if it does not fit. All of dst may be used as
	// scratch. With len(dst) >= DstSize(len(page)) the page always fits, and no
	// inner copy is made.
	Compress(dst, page []byte) (int, error)
	Decompressor
}

// dstSlack is what DstSize adds to the worst case of the formats, so that
// encoders may move literals in fixed steps.
const dstSlack = 64

// DstSize returns the size in bytes of a destination that holds any compressed
// page of n bytes and lets every codec write without an inner bound check. The
// worst case is that of 842, 5 bits more for each 8 bytes.
func DstSize(n int) int { return n + n/12 + dstSlack }

// codec is a row of the table of algorithms.
type codec struct {
	name string
	rule rule
	open func(Params) (Stream, error) // gets checked parameters with defaults filled in
}

func (c *codec) Name() string { return c.name }

func (c *codec) Check(p Params) error { return c.rule.check(c.name, p) }

func (c *codec) NewStream(p Params) (Stream, error) {
	if err := c.Check(p); err != nil {
		return nil, err
	}
	s, err := c.open(c.rule.fill(p))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return s, nil
}
