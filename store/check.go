package store

import (
	"fmt"
	"syscall"
	"time"

	"uzram/alloc"
)

// CheckReport is what a check found.
type CheckReport struct {
	Slots, Objects, Zspages uint64 // looked at: slots in use, objects named by them, zspages
	Findings                []string
	More                    uint64        // findings beyond those listed
	Holds                   uint64        // how often I/O was held up
	LongestHold             time.Duration // with the wait for requests under way
}

// How much of a device a check looks at while it holds I/O up once. That takes
// in the order of a tenth of a millisecond; the totals at the end take a few
// nanoseconds for each zspage.
const (
	slotsPerHold  = 2048
	framesPerHold = 128 // of 8 pages of the pool
	holdPatience  = 50 * time.Millisecond
	holdTries     = 20
	maxFindings   = 32
)

// errRestless is what a check ends with that never found a moment without a
// request under way.
var errRestless = fmt.Errorf("requests do not end, the check had to give up: %w", syscall.EBUSY)

// Check derives from the slot table all that is derived from it, and compares
// that with what the live device has: the invariants of the package comment and
// those of the pool. I/O goes on; it is held up for a moment again and again.
// EINVAL before set-up; EBUSY: some request never ended. In both cases the
// report is empty.
func (d *Device) Check() (report CheckReport, err error) {
	err = d.withLiveAlone(func(l *live) error {
		l.passMu.Lock()
		defer l.passMu.Unlock()
		c := checker{device: d, live: l, report: &report}
		return c.run()
	})
	if err != nil {
		report = CheckReport{}
	}
	return report, err
}

type checker struct {
	device *Device
	*live
	report *CheckReport
	audit  audit
}

func (c *checker) run() error {
	defer c.live.audit.Store(nil)
	c.pool.Settle() // not while I/O is held up
	if err := c.hold(c.begin); err != nil {
		return err
	}
	for end := uint64(len(c.table.slots)); c.audit.cursor < end; {
		if err := c.hold(c.slots); err != nil {
			return err
		}
	}
	frame, more := uint32(0), true
	for more {
		if err := c.hold(func() {
			var n uint64
			frame, n, more = c.pool.CheckFrames(frame, framesPerHold, c.names, c.found)
			c.report.Zspages += n
		}); err != nil {
			return err
		}
	}
	return c.hold(c.totals)
}

// hold runs one step with I/O held up, and lets I/O go on for longer than that
// before it returns.
func (c *checker) hold(step func()) error {
	for range holdTries {
		start := time.Now()
		done := c.device.holdIO(holdPatience, step)
		took := time.Since(start)
		c.report.Holds++
		c.report.LongestHold = max(c.report.LongestHold, took)
		if took > restAfter {
			time.Sleep(took)
		}
		if done {
			return nil
		}
	}
	return errRestless
}

// restAfter is how short a hold needs no rest after it: less than a timer takes.
const restAfter = 20 * time.Microsecond

func (c *checker) found(finding error) {
	if len(c.report.Findings) == maxFindings {
		c.report.More++
		return
	}
	c.report.Findings = append(c.report.Findings, finding.Error())
}

// begin makes requests tell the audit of their changes from now on.
func (c *checker) begin() {
	c.audit.init(c.backing)
	c.live.audit.Store(&c.audit)
}

// slots looks at the next slots that may be in use.
func (c *checker) slots() {
	end := uint64(len(c.table.slots))
	from, to := c.table.touchedRange(c.audit.cursor, end)
	for seen := uint64(0); from < end; from, to = c.table.touchedRange(to, end) {
		for i := from; i < to; i++ {
			c.slot(i)
		}
		if seen += to - from; seen >= slotsPerHold {
			c.audit.cursor = to
			return
		}
	}
	c.audit.cursor = end
}

func (c *checker) slot(i uint64) {
	s := &c.table.slots[i]
	if lock := s.lock.Load(); lock != 0 {
		c.found(fmt.Errorf("slot %d is locked at rest: %#x", i, lock))
	}
	if aux := s.aux.Load(); aux&postMark != 0 {
		c.found(fmt.Errorf("S6: slot %d is under post-processing at rest", i))
	}
	e := entry(s.word.Load())
	if e.kind() == kindEmpty {
		return
	}
	c.report.Slots++
	if before := c.audit.weigh(i, e); before.names > 0 {
		c.found(fmt.Errorf("S2: slots %d and %d name the same-filled element %#x", before.slot, i, uint64(e)))
	}
	switch e.kind() {
	case kindObject:
		c.report.Objects++
		c.object(i, e)
	case kindBlock:
		c.block(i, e)
	}
}

func (c *checker) block(i uint64, e entry) {
	switch {
	case c.backing == nil:
		c.found(fmt.Errorf("S1: slot %d is on a backing device that there is not: %#x", i, uint64(e)))
	case e.size() < 1 || e.from()+e.size() > PageSize:
		c.found(fmt.Errorf("S3: slot %d has %d bytes at %d of a block", i, e.size(), e.from()))
	case !c.backing.isTaken(e.block()):
		c.found(fmt.Errorf("S5: slot %d names block %d, which is free", i, e.block()))
	}
}

func (c *checker) object(i uint64, e entry) {
	if n := e.size(); n < 1 || n > PageSize {
		c.found(fmt.Errorf("S3: slot %d has an object of %d bytes", i, n))
		return
	}
	if p := e.priority(); p > 0 && len(c.readers[p]) == 0 {
		c.found(fmt.Errorf("S3: slot %d is compressed by algorithm %d, which there is not", i, p))
	}
	owner, class, ok := c.pool.Owner(e.handle())
	switch {
	case !ok:
		c.found(fmt.Errorf("S2: slot %d names %#x, where no object is in use", i, e.handle()))
	case owner != i:
		c.found(fmt.Errorf("S2: slot %d names the object %#x of slot %d", i, e.handle(), owner))
	case class != alloc.ClassIndex(e.size()):
		c.found(fmt.Errorf("S3: slot %d has an object of %d bytes in class %d", i, e.size(), class))
	}
}

// names reports whether a slot's word names the object h.
func (c *checker) names(slot uint64, h alloc.Handle) bool {
	if slot >= uint64(len(c.table.slots)) {
		return false
	}
	e := c.table.load(slot)
	return e.kind() == kindObject && e.handle() == h
}

// totals compares sums over the table with the counts of device and pool.
func (c *checker) totals() {
	c.pool.CheckTotals(c.found)
	for _, row := range c.pool.Classes() {
		if n := c.audit.objects[row.Index]; n != int64(row.Used) {
			c.found(fmt.Errorf("S2: class %d has %d objects in use, slots name %d", row.Size, row.Used, n))
		}
	}
	c.elements.mu.Lock()
	used := c.elements.used
	c.elements.mu.Unlock()
	if n := uint64(len(c.audit.cells)); n != used {
		c.found(fmt.Errorf("S4: %d same-filled elements in use, slots name %d", used, n))
	}
	c.blocks()
	got, want := c.total(), &c.audit.sum
	for _, f := range []struct {
		what      string
		got, want int64
	}{
		{"pages in use", got.orig, want.orig},
		{"same-filled pages", got.same, want.same},
		{"huge pages", got.huge, want.huge},
		{"bytes of objects", got.compr, want.compr},
	} {
		if f.got != f.want {
			c.found(fmt.Errorf("S4: counted are %d %s, the table has %d", f.got, f.what, f.want))
		}
	}
}

// blocks compares the backing device's blocks in use with those that slots name.
func (c *checker) blocks() {
	if c.backing == nil {
		return
	}
	named := int64(0)
	for block, n := range c.audit.blocks {
		if n > 0 {
			named++
		}
		if taken := c.backing.isTaken(uint64(block)); taken != (n > 0) {
			c.found(fmt.Errorf("S5: block %d is taken: %v, and %d slots name it", block, taken, n))
		}
		want := min(n, 1)
		if shares := c.backing.shares; shares != nil {
			want = max(0, shares[block].Load())
		}
		if n != want {
			c.found(fmt.Errorf("S5: %d slots name block %d, which has %d objects", n, block, want))
		}
	}
	if used := c.backing.used.Load(); used != named {
		c.found(fmt.Errorf("S4: counted are %d blocks in use, slots name %d", used, named))
	}
}
