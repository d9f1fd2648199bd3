package alloc

import (
	"testing"
	"time"
)

// adoptSome adopts every third of o's objects and leaves for ever what is done
// later, so most zspages have free objects that are on no list.
func adoptSome(t *testing.T, o *owners) (*owners, *claims) {
	t.Helper()
	a := beginAdoption(t, o.pool)
	next := &owners{slot: make([]ownerSlot, len(o.slot))}
	for i := 0; i < len(o.slot); i += 3 {
		s, n := &o.slot[i], &next.slot[i]
		if err := a.Claim(uint64(i), s.handle, s.size); err != nil {
			t.Fatal(err)
		}
		n.handle, n.size, n.fill = s.handle, s.size, s.fill
	}
	next.pool = finishQuietly(t, a)
	return next, a.claims
}

// beyondWarm is the memory of the pool that no warm run has, in bytes. What the
// refiller has in hand counts for a moment.
func beyondWarm(p *Pool) int64 {
	return int64(p.data.Resident()) - int64(p.runs.warmPages()*PageSize)
}

// A zspage that is given up before its free objects were linked takes no trace of
// them along: nothing is written where it was.
func TestGivenUpZspageHasNoRest(t *testing.T) {
	_, o := newPool(t, 2000)
	for i := range o.slot {
		o.store(t, i, 300+i/7%3*200, byte(i))
	}
	o, claims := adoptSome(t, o)
	p := o.pool
	for i := range o.slot {
		o.dropAs(NoWorker, i)
	}
	for p.runs.giveCooled() {
	}
	before := beyondWarm(p)
	if p.Pages() != 0 {
		t.Fatalf("%d pages in use after all was freed", p.Pages())
	}
	s := &settling{claims: claims, hurry: make(chan struct{}), stop: make(chan struct{})}
	close(s.hurry)
	p.linkAll(s)
	for end := time.Now().Add(10 * time.Second); beyondWarm(p) > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("linking in no zspage at all took %d bytes", beyondWarm(p)-before)
		}
	}
	for i := range claims.frames {
		if v := claims.frames[i].classes.Load(); v != 0 {
			t.Errorf("frame %d still has something to link: %#x", i, v)
		}
	}
}

// onlyMover is owners asked about nothing but what they have.
type onlyMover struct {
	*owners
	t *testing.T
}

func (m onlyMover) Move(owner uint64, from, to Handle) bool {
	if m.slot[owner].handle != from {
		m.t.Errorf("owner %d is asked to move %#x, which nobody has", owner, from)
	}
	return m.owners.Move(owner, from, to)
}

// Compaction goes by headers, and those of objects that nobody claimed still name
// an owner until they are linked.
func TestCompactionSeesNoRest(t *testing.T) {
	_, o := newPool(t, 2000)
	for i := range o.slot {
		o.store(t, i, 300, byte(i))
	}
	o, _ = adoptSome(t, o)
	if o.pool.Compact(onlyMover{o, t}) == 0 {
		t.Error("nothing to compact in a pool that is two thirds empty")
	}
	for i := range o.slot {
		o.verify(t, i)
	}
}
