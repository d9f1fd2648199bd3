package alloc

import (
	"fmt"
	"syscall"

	"uzram/internal/offheap"
)

// Adoption is a pool in the making, from a data arena that another process
// filled and the objects in it that still have an owner. It ends with Finish or
// Abandon.
type Adoption struct {
	pool   *Pool
	claims *claims
	top    uint32 // frames from here on have no memory
}

// claimShape is what Claim asks of a size class, packed for its sake.
type claimShape struct {
	size    uint32
	inverse uint32 // 2^32 / size, rounded up
	objs    uint16
	class   uint8
	pages   uint8
	small   bool // more than fewObjects for each page
}

var (
	claimShapes [numSizes]claimShape
	// runStart is by chain length and page of a frame: the first page of the run
	// that it is in, noRun if it is in none.
	runStart [framePages + 1][framePages]uint8
)

const noRun = framePages

func init() {
	for i, s := range shapes {
		claimShapes[i] = claimShape{
			size: uint32(s.size), inverse: uint32((1<<32 + s.size - 1) / s.size),
			objs: uint16(s.objs), class: uint8(s.index), pages: uint8(s.pages),
			small: s.objs > s.pages*fewObjects,
		}
	}
	for n := 1; n <= framePages; n++ {
		for page := range framePages {
			start := page / n * n
			if start+n > framePages {
				start = noRun
			}
			runStart[n][page] = uint8(start)
		}
	}
}

// Adopt begins to make a pool of the arena of one that another process had, for
// workers 0 to workers-1. How many objects fit is as New decided it then. The
// arena is the adoption's from then on, and nobody else may use it; after an
// error it is still the caller's. Errors wrap EINVAL where it cannot be a pool's,
// else ENOMEM.
func Adopt(data *offheap.Arena, workers int, options ...Option) (*Adoption, error) {
	size := uint64(len(data.Bytes()))
	h, ok := offheap.ReadHeader(data.Bytes())
	if !ok || h.Purpose != offheap.PoolData || h.Unit != PageSize || size%frameSize != 0 || size > maxArena {
		return nil, fmt.Errorf("pool: an arena of %d bytes that holds %v in units of %d cannot be one: %w",
			size, h.Purpose, h.Unit, syscall.EINVAL)
	}
	p, err := over(data, workers, options)
	if err != nil {
		return nil, err
	}
	a := &Adoption{pool: p, top: topOf(data)}
	if a.claims, err = newClaims(a.top); err == nil {
		err = a.back()
	}
	if err != nil {
		a.closeTables()
		return nil, err
	}
	return a, nil
}

// topOf is the frame behind all that have memory, or a little more.
func topOf(data *offheap.Arena) (top uint32) {
	const step = growFrames * frameSize
	size := uint64(len(data.Bytes()))
	for at := data.DataFrom(offheap.HeaderSize); at < size; at = data.DataFrom(uint64(top) * frameSize) {
		top = uint32(min(at/step*step+step, size) / frameSize)
	}
	return top
}

// back makes present what the claims are noted in.
func (a *Adoption) back() error {
	return a.share(func(_ int, from, to uint32) error {
		if err := a.claims.arena.PopulateData(uint64(from)*claimBytes, uint64(to)*claimBytes); err != nil {
			return err
		}
		const perFrame = framePages * zspageBytes
		return a.pool.zspageArena.PopulateData(uint64(from)*perFrame, uint64(to)*perFrame)
	})
}

// Abandon ends it without a pool, and closes the arena.
func (a *Adoption) Abandon() {
	a.closeTables()
	a.pool.data.Close()
}

func (a *Adoption) closeTables() {
	if a.claims != nil {
		a.claims.close()
	}
	a.pool.closeTables()
}

// Claim says that the object of size bytes named by h counts and that it is
// owner's. Several goroutines may call it at a time. It reads nothing of the
// object: header and contents were complete before anything named it. An error
// that wraps EIO says that h names nothing that owner could have, one that wraps
// ENOMEM that there is no memory to note the claim.
func (a *Adoption) Claim(owner uint64, h Handle, size int) error {
	page := h.page()
	i := page / framePages
	if i == 0 || h >= handleAt(uint64(a.top)*frameSize) || uint(size-1) >= PageSize {
		return refuse(owner, h, size, "there is no such place")
	}
	s := &claimShapes[sizeIndex(size)]
	start := uint32(runStart[s.pages][page%framePages])
	page += start - page%framePages
	at := uint32(h.offset() - runOffset(page))
	n := uint32(uint64(at) * uint64(s.inverse) >> 32)
	if start == noRun || n*s.size != at || n >= uint32(s.objs) {
		return refuse(owner, h, size, "no object of that size begins there")
	}
	if uint8(a.claims.frames[i].classes.Load()>>(start*8)) != s.class+1 {
		switch ok, err := a.claims.enter(i, start, s); {
		case err != nil:
			return fmt.Errorf("pool: %w", err)
		case !ok:
			return refuse(owner, h, size, "there are objects of another size")
		}
	}
	if !a.claims.add(page, n, s.small) {
		return refuse(owner, h, size, "it is somebody else's")
	}
	if s.class == hugeIndex {
		a.pool.zspages[page].setHugeOwner(owner)
	}
	return nil
}

func refuse(owner uint64, h Handle, size int, why string) error {
	return fmt.Errorf("pool: slot %d names %d bytes at %#x: %s: %w", owner, size, h.offset(), why, syscall.EIO)
}
