package alloc

import (
	"strings"
	"testing"
)

// Check must see each kind of damage: a check that cannot fail proves nothing.
func TestCheckSeesDamage(t *testing.T) {
	for _, c := range []struct {
		name, want string
		damage     func(p *Pool, c *class, page uint32, z *zspage)
	}{
		{"wrong group", "A1", func(p *Pool, c *class, page uint32, z *zspage) { z.state++ }},
		{"isolated at rest", "A1", func(p *Pool, c *class, page uint32, z *zspage) { z.state |= isolated }},
		{"off its list", "A1", func(p *Pool, c *class, page uint32, z *zspage) { c.heads[z.group()] = z.next }},
		{"broken link", "A1", func(p *Pool, c *class, page uint32, z *zspage) { z.prev = page + 1 }},
		{"objects lost", "A2", func(p *Pool, c *class, page uint32, z *zspage) { z.fresh++ }},
		{"class miscounts objects", "A3", func(p *Pool, c *class, page uint32, z *zspage) { c.used++ }},
		{"pool miscounts pages", "A3", func(p *Pool, c *class, page uint32, z *zspage) { p.pages.Add(1) }},
		{"allocated object on the free list", "A4", func(p *Pool, c *class, page uint32, z *zspage) {
			p.setObjectHeader(c.objectAt(page, int(z.free)-1), ownerHeader(1))
		}},
		{"empty zspage", "A5", func(p *Pool, c *class, page uint32, z *zspage) { z.inuse = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, o := newPool(t, 100)
			for i := range 3 {
				o.store(t, i, 700, byte(i))
			}
			o.drop(1)
			check(t, p)
			page := p.runs.first(o.slot[0].handle.page())
			z := &p.zspages[page]
			c.damage(p, p.byIndex[z.class], page, z)
			if err := p.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Check says %v, want something about %s", err, c.want)
			}
		})
	}
}

func TestCheckSeesDamageOfHugeObjects(t *testing.T) {
	for _, c := range []struct {
		name, want string
		damage     func(p *Pool, z *zspage)
	}{
		{"two objects", "A1", func(_ *Pool, z *zspage) { z.inuse = 2 }},
		{"no such class", "A1", func(_ *Pool, z *zspage) { z.class = hugeIndex + 1 }},
		{"another owner's", "A6", func(_ *Pool, z *zspage) { z.setHugeOwner(7) }},
		{"miscounted", "A3", func(p *Pool, _ *zspage) { p.huge.Add(1) }},
	} {
		p, o := newPool(t, 10)
		o.store(t, 0, PageSize, 1)
		h := o.slot[0].handle
		c.damage(p, &p.zspages[h.page()])
		var found []string
		report := func(err error) { found = append(found, err.Error()) }
		p.CheckFrames(0, 1<<16, func(owner uint64, at Handle) bool { return owner == 0 && at == h }, report)
		p.CheckTotals(report)
		if len(found) == 0 || !strings.Contains(strings.Join(found, "; "), c.want) {
			t.Errorf("%s: found %q, want something about %s", c.name, found, c.want)
		}
		if owner, class, ok := p.Owner(h); c.want == "A1" && ok && class != hugeIndex {
			t.Errorf("%s: owner %d, class %d", c.name, owner, class)
		}
	}
}

func TestNobodyOwnsWhatIsFree(t *testing.T) {
	for _, size := range []int{700, PageSize} {
		p, o := newPool(t, 10)
		o.store(t, 0, size, 1)
		o.store(t, 1, size, 1)
		h := o.slot[0].handle
		if owner, _, ok := p.Owner(h); owner != 0 || !ok {
			t.Errorf("size %d: owner %d, %v", size, owner, ok)
		}
		o.drop(0)
		if owner, _, ok := p.Owner(h); ok {
			t.Errorf("size %d: owner %d of a free object", size, owner)
		}
	}
}

func TestStatsOfClasses(t *testing.T) {
	p, o := newPool(t, 100)
	o.store(t, 0, 700, 1)
	o.store(t, 1, PageSize, 1)
	var used, pages uint64
	for _, c := range p.Classes() {
		used += c.Used
		pages += c.Pages
	}
	if used != 2 || pages != p.Pages() {
		t.Errorf("%d objects in %d pages, the pool has 2 in %d", used, pages, p.Pages())
	}
	if descriptors, _ := p.Overhead(); descriptors == 0 {
		t.Error("descriptors take no memory")
	}
}
