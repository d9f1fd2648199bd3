package soak

import (
	"errors"
	"math/rand/v2"
	"time"

	"uzram/compress"
	"uzram/store"
)

// prober asks for what must be refused, with the image open.
type prober struct {
	*soak
	rng   *rand.Rand
	actor *actor
}

func (s *soak) newProber() *prober { return &prober{s, s.rand(2000), s.newActor("prober")} }

func (p *prober) run() {
	for p.pause(p.rng, 20*time.Millisecond) && !p.isFailed() {
		p.enter(p.actor)
		d := p.disks[p.rng.IntN(disks)]
		d.evicting.RLock()
		if d.open() == nil {
			p.probe(d)
			d.close()
		}
		d.evicting.RUnlock()
		p.actor.leave()
	}
}

func (p *prober) probe(d *disk) {
	setUp := d.dev.Initialised() // and stays so, for we have it open
	size, algorithm := d.dev.Size(), d.dev.Algorithm()
	if err := d.dev.Reset(0); !errors.Is(err, store.ErrInUse) && !errors.Is(err, store.ErrResetting) {
		p.fail("%s: reset of an open image: %v", d.name, err)
	}
	if !setUp {
		return
	}
	if err := d.dev.SetDisksize(1 << 20); !errors.Is(err, store.ErrSetUp) {
		p.fail("%s: a second disksize: %v", d.name, err)
	}
	if err := d.dev.SetAlgorithm(compress.DefaultName); !errors.Is(err, store.ErrSetUp) {
		p.fail("%s: another algorithm: %v", d.name, err)
	}
	if err := d.dev.SetParams(store.ParamsRequest{}); !errors.Is(err, store.ErrSetUp) {
		p.fail("%s: other parameters: %v", d.name, err)
	}
	if err := d.dev.SetBackingDev(d.file); !errors.Is(err, store.ErrSetUp) {
		p.fail("%s: another backing device: %v", d.name, err)
	}
	if err := d.dev.SetCompressedWriteback(true); !errors.Is(err, store.ErrSetUp) {
		p.fail("%s: other writeback: %v", d.name, err)
	}
	if d.dev.Size() != size || d.dev.Algorithm() != algorithm {
		p.fail("%s: from %d bytes and %s to %d and %s while it was open", d.name, size, algorithm, d.dev.Size(), d.dev.Algorithm())
	}
	p.counts.probes.Add(1)
}
