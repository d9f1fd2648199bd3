package compress

import "testing"

// TestZstdOptimal_CheapLiterals has prices by which the first literal is worth
// less than nothing: as it ends a row of none, which costs much. Whatever the
// prices, each step leads on from one before.
func TestZstdOptimal_CheapLiterals(t *testing.T) {
	page := makePage(kindText, 400, 60)
	for price := uint32(0); price < 20; price++ {
		f, least := newZstdFinder(22)
		z := f.(*zstdOptimal)
		w := dictWindow{slack: zstdSlack}
		p := zstdParse{end: len(page), repeats: zstdRepeats{1, 4, 8}}
		p.src, _, _ = w.place(page)
		p.grow(len(page), least)
		z.find(&p)
		for k := range z.steps {
			z.steps[k].size = 40 // as another page may have left it
		}
		for b := range z.prices.literal {
			z.prices.literal[b] = price
		}
		for code := range z.prices.lit {
			z.prices.lit[code] = uint32(max(0, 10-code))
		}
		p.repeats = zstdRepeats{1, 4, 8}
		if err := faults(func() error { z.layOut(&p); return nil }); err != nil {
			t.Errorf("a literal costs %d: %v", price, err)
			continue
		}
		sum := p.lits
		for _, s := range p.seqs[:p.n] {
			sum += int(s.match) + zstdMinMatch
		}
		if sum != len(page) {
			t.Errorf("a literal costs %d: literals and matches have %d bytes", price, sum)
		}
	}
}
