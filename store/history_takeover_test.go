package store

import (
	"errors"
	"fmt"
	"syscall"

	"uzram/internal/offheap"
)

// takeOver goes on with a device that was made of what the one before would leave
// if its process died now. Where memory is short that may fail, and the next one
// tries again when there is some.
func (t *trial) takeOver(op) error {
	if t.disk != target(t.dev) {
		return nil // a planted bug would be lost
	}
	next, v, err := t.successor()
	if t.short && errors.Is(err, syscall.ENOMEM) {
		offheap.InjectShortage(nil)
		t.short = false
		next, v, err = t.successor()
	}
	if err != nil {
		return err
	}
	if next.adoption.Lost > 0 || len(next.adoption.Findings) > 0 {
		return fmt.Errorf("found: %+v", next.adoption)
	}
	old, oldVault := t.dev, t.vault
	t.dev, t.disk, t.vault = next, next, v
	if b, ok := next.backing.(*memBacking); ok {
		b.rng, b.rate = t.backing.rng, t.backing.rate
		t.backing = b
	}
	next.SetMemoryLocked(true)
	return retire(old, oldVault)
}

func (t *trial) successor() (*Device, *testVault, error) {
	c, err := leave(t.vault, t.dev)
	if err != nil {
		return nil, nil, err
	}
	return c.successor(t.crew, t.codecs...)
}
