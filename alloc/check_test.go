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
