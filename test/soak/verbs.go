package soak

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"uzram/store"
)

// verb is a row of what control files do.
type verb struct {
	name   string
	weight int
	do     func(*soak, *rand.Rand, *disk) error
}

var controlVerbs = [...]verb{
	{"compact", 3, func(_ *soak, _ *rand.Rand, d *disk) error { return d.dev.Compact() }},
	{"recompress", 3, (*soak).recompress},
	{"writeback", 4, (*soak).writeBack},
	{"old", 1, func(_ *soak, r *rand.Rand, d *disk) error { return d.dev.MarkIdleSince(r.Uint32N(4)) }},
	{"idle", 2, func(_ *soak, _ *rand.Rand, d *disk) error { return d.dev.MarkIdle() }},
	{"check", 2, (*soak).checkVerb},
	{"slots", 1, (*soak).walk},
	{"classes", 1, (*soak).classes},
	{"stats", 2, (*soak).stats},
}

// longestRest is the pause between two verbs of one goroutine.
const longestRest = 10 * time.Millisecond

// verbGiver gives verbs of its table.
type verbGiver struct {
	*soak
	rng   *rand.Rand
	actor *actor
	table []verb
}

// newVerbs makes a giver of all verbs; the first one gives only the first verb.
func (s *soak) newVerbs(i int) *verbGiver {
	v := &verbGiver{s, s.rand(uint64(1000 + i)), s.newActor(fmt.Sprintf("verbs %d", i)), controlVerbs[:]}
	if i == 0 {
		v.table = v.table[:1]
	}
	return v
}

func (v *verbGiver) run() {
	for v.pause(v.rng, longestRest) && !v.isFailed() {
		begin := v.enter(v.actor)
		d := v.disks[v.rng.IntN(disks)]
		l := d.life.Load()
		i := pick(v.rng, v.table, func(r verb) int { return r.weight })
		err := controlVerbs[i].do(v.soak, v.rng, d)
		v.actor.leave()
		v.counts.verbs[i].Add(1)
		if err != nil && (!errors.Is(err, store.ErrNotSetUp) || l.steady(begin)) {
			v.fail("%s: %s: %w", d.name, controlVerbs[i].name, err)
		}
	}
}

func (s *soak) checkVerb(_ *rand.Rand, d *disk) error {
	report, err := d.dev.Check()
	if len(report.Findings) > 0 {
		return fmt.Errorf("%d findings: %q", len(report.Findings), report.Findings)
	}
	if errors.Is(err, syscall.EBUSY) { // some request under way took longer than a check waits
		s.counts.restless.Add(1)
		return nil
	}
	return err
}

// check checks a disk that is set up; false if it could not.
func (s *soak) check(d *disk) bool {
	report, err := d.dev.Check()
	if errors.Is(err, syscall.EBUSY) {
		return false
	}
	if err != nil || len(report.Findings) > 0 {
		s.fail("%s (%s) at rest: %d findings: %q, %v", d.name, d.dev.Algorithm(), len(report.Findings), report.Findings, err)
	}
	return true
}

func (s *soak) walk(r *rand.Rand, d *disk) error {
	pages, next := uint64(d.dev.Size())/store.PageSize, uint64(0)
	if pages == 0 {
		return nil
	}
	from := r.Uint64N(pages)
	var wrong error
	err := d.dev.Slots(from, func(st store.SlotState) bool {
		if st.Index < max(from, next) || st.Same && st.Huge || st.WrittenBack && (st.Same || st.Size > 0) {
			wrong = fmt.Errorf("after slot %d: %+v", next, st)
		}
		next = st.Index + 1
		return true
	})
	return errors.Join(wrong, err)
}

func (s *soak) classes(_ *rand.Rand, d *disk) error {
	rows, err := d.dev.Classes()
	for _, row := range rows {
		if row.Used > row.Allocated || row.Freeable > row.Pages {
			return fmt.Errorf("%+v", row)
		}
	}
	return err
}

func (s *soak) stats(r *rand.Rand, d *disk) error {
	st := d.dev.Stats()
	if st.OrigDataSize > mostPages*store.PageSize+st.Disksize || st.ComprDataSize > 1<<40 || st.MemUsedTotal > 1<<40 || st.BackingUsed > mostPages*2 {
		return fmt.Errorf("%+v", st)
	}
	if r.IntN(4) == 0 {
		d.dev.ResetMemUsedMax()
	}
	return nil
}
