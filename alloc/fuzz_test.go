package alloc

import "testing"

// Whatever the size of an object and the longest chain allowed, its class holds
// it with its header, wastes least, and loses nothing by having been merged.
func FuzzClassOfSize(f *testing.F) {
	for _, size := range []uint16{1, 24, 25, 40, 2000, 3616, 3617, 3624, 3625, 4095, PageSize} {
		f.Add(size, uint8(framePages-2))
		f.Add(size, uint8(0))
	}
	f.Fuzz(func(t *testing.T, n uint16, chain uint8) {
		size, maxChain := 1+int(n)%PageSize, 2+int(chain)%(2*framePages-1)
		list := deriveShapes(maxChain, 0)
		threshold := hugeThreshold(list)
		if size >= threshold {
			if last := list[len(list)-1]; last.size != PageSize || last.objs != last.pages {
				t.Errorf("chain %d: the class of raw pages is %+v", maxChain, last)
			}
		} else {
			holdsObject(t, list, size, maxChain)
		}
		if maxChain == framePages {
			if s := shapes[sizeIndex(size)]; ClassIndex(size) != s.index || size < HugeThreshold && s.size < size+headerSize {
				t.Errorf("%d bytes go to class %d, %+v", size, ClassIndex(size), s)
			}
		}
	})
}

func holdsObject(t *testing.T, list []shape, size, maxChain int) {
	i := max(0, (size+headerSize-minSize+sizeStep-1)/sizeStep)
	own, s := minSize+i*sizeStep, list[i]
	waste := func(pages int) float64 { return float64(pages*PageSize%own) / float64(pages) }
	switch {
	case own < size+headerSize || own >= size+headerSize+sizeStep && i > 0:
		t.Errorf("chain %d: %d bytes and a header go to a size of %d", maxChain, size, own)
	case s.index < i || list[s.index] != s || s.size != minSize+s.index*sizeStep:
		t.Errorf("chain %d: size %d is merged into %+v, which is not a class", maxChain, own, s)
	case s.pages < 1 || s.pages > maxChain || s.objs != s.pages*PageSize/s.size || s.objs < 1:
		t.Errorf("chain %d: %+v", maxChain, s)
	case s.objs != s.pages*PageSize/own:
		t.Errorf("chain %d: a zspage of %+v has fewer objects than one of size %d would", maxChain, s, own)
	}
	if own&(own-1) == 0 {
		return // a power of two wastes nothing in one page
	}
	for pages := 1; pages <= maxChain; pages++ {
		if pages*PageSize%own < s.pages*PageSize%own {
			t.Errorf("chain %d: size %d wastes %.0f bytes a page in %d pages, %.0f in %d", maxChain, own, waste(s.pages), s.pages, waste(pages), pages)
		}
	}
}

// Objects of any sizes, allocated and freed in any order by two workers and by
// none, keep their bytes, and the pool adds up.
func FuzzAllocFree(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 255, 254, 7, 7, 7, 7, 0, 0})
	f.Add([]byte("a text is as good a sequence of sizes as any other"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		const owners = 64
		p, err := New(owners, 1<<30, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		type object struct {
			h    Handle
			size int
			mark byte
		}
		var live [owners]object
		free := func(worker int, o *object) {
			b := p.Bytes(o.h, o.size)
			for i := range b {
				if b[i] != o.mark {
					t.Fatalf("byte %d of %d is %#x, want %#x", i, o.size, b[i], o.mark)
				}
			}
			p.Free(worker, o.h)
			*o = object{}
		}
		for ; len(steps) >= 4; steps = steps[4:] {
			worker, owner := int(steps[0]%3)-1, int(steps[1])%owners
			o := &live[owner]
			if o.h != 0 {
				free(worker, o)
				continue
			}
			size := 1 + (int(steps[2])<<8|int(steps[3]))%PageSize
			h, err := p.Alloc(worker, size, uint64(owner))
			if err != nil {
				t.Fatal(err)
			}
			*o = object{h, size, steps[0] ^ steps[3]}
			for b, i := p.Bytes(h, size), 0; i < size; i++ {
				b[i] = o.mark
			}
		}
		check(t, p)
		for i := range live {
			if live[i].h != 0 {
				free(i%3-1, &live[i])
			}
		}
		check(t, p)
		if p.Pages() != 0 {
			t.Errorf("%d pages in use after all was freed", p.Pages())
		}
	})
}
