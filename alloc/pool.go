package alloc

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"

	"uzram/internal/failpoint"
	"uzram/internal/invariants"
	"uzram/internal/offheap"
)

// ErrNoMemory is what Alloc fails with when neither the system nor the address
// space reserved for the pool has room. It wraps ENOMEM.
var ErrNoMemory = fmt.Errorf("pool: no memory: %w", syscall.ENOMEM)

// Bytes of a descriptor in its arena.
const (
	zspageBytes = uint64(unsafe.Sizeof(zspage{}))
	frameBytes  = uint64(unsafe.Sizeof(frame{}))
)

// frameSize is the address space of a frame, in bytes.
const frameSize = framePages * PageSize

// maxArena is what 32-bit page numbers reach, in bytes.
const maxArena = 1 << 44

// Pool holds objects of 1 to PageSize bytes. All methods but Close may be
// called concurrently, Alloc and Free for one worker by one goroutine at a time.
type Pool struct {
	mem     []byte           // the data arena, addressed by Handle
	headers []atomic.Uint64  // the same
	zspages []zspage         // by first page
	byIndex [numSizes]*class // merged sizes share one; nil for huge objects
	classes []*class         // distinct, ascending by size, without the huge one
	locals  []local          // by worker
	runs    runs

	wipe bool // zero what is freed

	data, zspageArena, frameArena *offheap.Arena
	refilled                      chan struct{}            // closed when the refiller has ended
	wasteful                      chan struct{}            // receives when a class has much to give back
	settling                      atomic.Pointer[settling] // what is left to do after an adoption; nil = nothing

	_     [64]byte // what follows changes all the time
	pages atomic.Int64
	huge  atomic.Int64 // objects
	_     [48]byte
}

// Option changes what New and Adopt make.
type Option func(*Pool)

// Wiped makes a pool zero what is freed before anybody else can have it.
func Wiped(p *Pool) { p.wipe = true }

// New makes a pool for at most maxObjects objects at a time on a machine that
// has no more than maxMemory bytes for it, and for workers 0 to workers-1. It
// reserves address space for the worst fragmentation (each object alone in a
// zspage, hence a frame) and takes hardly any memory. Errors wrap ENOMEM.
func New(maxObjects, maxMemory uint64, workers int, options ...Option) (*Pool, error) {
	const inFlight = 1024 // objects not yet committed or not yet freed
	warm := uint64(framePages * (warmMax + 1 + workers*localRuns))
	frames := min(maxObjects, maxMemory/PageSize) + inFlight + warm
	frames = min(frames, maxArena/frameSize)
	data, err := offheap.New(offheap.PoolData, frames*frameSize-offheap.HeaderSize, PageSize)
	if err != nil {
		return nil, err
	}
	p, err := over(data, workers, options)
	if err != nil {
		data.Close()
		return nil, err
	}
	p.start()
	return p, nil
}

// over makes an empty pool over a data arena.
func over(data *offheap.Arena, workers int, options []Option) (*Pool, error) {
	p := &Pool{
		data:     data,
		locals:   make([]local, workers),
		refilled: make(chan struct{}),
		wasteful: make(chan struct{}, 1),
	}
	for _, option := range options {
		option(p)
	}
	frames := uint64(len(data.Bytes())) / frameSize
	if err := p.reserve(frames); err != nil {
		p.closeTables()
		return nil, err
	}
	p.mem = p.data.Bytes()
	p.headers = offheap.Words(p.data)
	p.zspages = offheap.View[zspage](p.zspageArena, frames*framePages)
	p.runs.init(p.data, offheap.View[frame](p.frameArena, frames), p.backDescriptors, p.locals)
	p.runs.wipe = p.wipe
	for i, s := range shapes[:hugeIndex] {
		if i == s.index {
			p.classes = append(p.classes, newClass(s, len(p.classes)))
			p.byIndex[i] = p.classes[len(p.classes)-1]
		}
	}
	for i, s := range shapes {
		p.byIndex[i] = p.byIndex[s.index]
	}
	for i := range p.locals {
		p.locals[i].objects = make([]reserve, len(p.classes))
	}
	return p, nil
}

func (p *Pool) reserve(frames uint64) (err error) {
	if p.zspageArena, err = offheap.New(offheap.PoolZspages, frames*framePages*zspageBytes, zspageBytes); err != nil {
		return err
	}
	p.frameArena, err = offheap.New(offheap.PoolFrames, frames*frameBytes, frameBytes)
	return err
}

// start begins what runs beside the pool's users.
func (p *Pool) start() {
	go func() {
		defer close(p.refilled)
		p.runs.refill()
	}()
}

// Arena is where the objects are: all that a process needs which adopts them.
func (p *Pool) Arena() *offheap.Arena { return p.data }

// backDescriptors makes the descriptors of frames [from, to) present, so that
// writing them cannot fail.
func (p *Pool) backDescriptors(from, to uint32) error {
	if err := p.frameArena.PopulateData(uint64(from)*frameBytes, uint64(to)*frameBytes); err != nil {
		return err
	}
	const perFrame = framePages * zspageBytes
	return p.zspageArena.PopulateData(uint64(from)*perFrame, uint64(to)*perFrame)
}

// Close gives all memory back. Nobody may use the pool meanwhile or afterwards.
func (p *Pool) Close() {
	if s := p.settling.Load(); s != nil {
		s.end()
	}
	close(p.runs.wake)
	<-p.refilled
	p.data.Close()
	p.closeTables()
}

func (p *Pool) closeTables() {
	for _, a := range []*offheap.Arena{p.zspageArena, p.frameArena} {
		if a != nil {
			a.Close()
		}
	}
}

// Alloc takes room for an object of size bytes, 1 to PageSize. owner, below
// 2^63, is kept beside it for compaction. The error is ErrNoMemory, and then
// nothing has changed.
func (p *Pool) Alloc(worker, size int, owner uint64) (Handle, error) {
	l := p.local(worker)
	c := p.byIndex[sizeIndex(size)]
	if c == nil {
		return p.allocHuge(l, owner)
	}
	if l != nil {
		if h := l.objects[c.ordinal].take(); h != 0 {
			p.claim(h, owner)
			return h, nil
		}
	}
	c.mu.Lock()
	page := c.fullest()
	if page == 0 && p.recall(c) {
		page = c.fullest()
	}
	if page == 0 {
		c.mu.Unlock()
		var err error
		if page, err = p.runs.get(c.pages, l); err != nil {
			return 0, ErrNoMemory
		}
		failpoint.Hit(failpoint.PoolRun)
		p.pages.Add(int64(c.pages))
		c.mu.Lock()
		p.zspages[page] = zspage{class: uint8(c.index)}
		c.zspages++
		c.counts[0]++
	}
	h := p.allocFrom(c, page, owner)
	p.stock(c, l, page)
	failpoint.Hit(failpoint.PoolStocked)
	c.mu.Unlock()
	return h, nil
}

// allocFrom takes an object of the zspage at page, which has room, with c.mu
// held.
func (p *Pool) allocFrom(c *class, page uint32, owner uint64) Handle {
	z := &p.zspages[page]
	off := p.take(c, page, z)
	failpoint.Hit(failpoint.PoolTaken)
	p.setObjectHeader(off, ownerHeader(owner))
	failpoint.Hit(failpoint.PoolHeaded)
	p.regroup(c, page, z)
	return handleAt(off)
}

// Free gives back the object named by h, which nobody may read any more.
func (p *Pool) Free(worker int, h Handle) {
	l := p.local(worker)
	page := p.runs.first(h.page())
	z := &p.zspages[page]
	c := p.byIndex[z.class]
	if c == nil {
		p.freeHuge(l, page)
		return
	}
	c.mu.Lock()
	gone := p.freeIn(c, page, z, h)
	waste := c.wasteful()
	c.mu.Unlock()
	if gone {
		p.dropPages(c, page, l)
	}
	if waste {
		select {
		case p.wasteful <- struct{}{}:
		default:
		}
	}
}

// freeIn frees an object with c.mu held and reports whether its zspage is empty
// and no longer the pool's: the caller drops its pages.
func (p *Pool) freeIn(c *class, page uint32, z *zspage, h Handle) (gone bool) {
	if invariants.Enabled {
		p.checkAllocated(c, h)
	}
	p.erase(h.offset(), c.size)
	p.put(c, page, z, h.offset())
	failpoint.Hit(failpoint.PoolPut)
	if int(z.inuse) <= z.lent() || z.lent() == lentMany {
		p.recallLast(c, page, z)
	}
	if z.inuse != 0 || z.state&isolated != 0 {
		p.regroup(c, page, z)
		return false
	}
	p.forget(c, page, z)
	return true
}

// forget takes an empty zspage out of its class, with c.mu held.
func (p *Pool) forget(c *class, page uint32, z *zspage) {
	if z.state&isolated == 0 {
		p.unlink(c, page, z)
	}
	if c.rests != nil {
		c.rests.settle(page)
	}
	c.counts[z.group()]--
	c.zspages--
}

// erase leaves nothing of what was freed where that is asked for.
func (p *Pool) erase(off uint64, size int) {
	if p.wipe {
		clear(p.mem[off : off+uint64(size)])
	} else {
		invariants.Poison(p.mem[off : off+uint64(size)])
	}
}

// dropPages gives a forgotten zspage's pages back.
func (p *Pool) dropPages(c *class, page uint32, l *local) {
	p.pages.Add(int64(-c.pages))
	failpoint.Hit(failpoint.PoolDropped)
	p.runs.put(page, c.pages, l)
}

// Pages is how many pages the pool's zspages take.
func (p *Pool) Pages() uint64 { return uint64(p.pages.Load()) }
