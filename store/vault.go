package store

import (
	"fmt"

	"uzram/internal/offheap"
)

// Vault keeps descriptors for a process that comes after this one.
type Vault interface {
	// Hold returns nil once a successor will get a copy of fd under that name, in
	// place of what the name stood for.
	Hold(name string, fd int) error
	Drop(name string)
}

// SetVault has what the device consists of kept for a successor from now on,
// under names that begin with prefix. It comes before anything else is done with
// the device. ENOMEM; or what the vault says.
func (d *Device) SetVault(v Vault, prefix string) error {
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	arena, err := offheap.New(offheap.DeviceState, stateBytes, PageSize)
	if err != nil {
		return err
	}
	st, err := stateIn(arena, d.workers.Len())
	if err == nil {
		st.batch.Store(defaultBatch)
		err = st.save(&d.settings)
	}
	if err == nil {
		err = v.Hold(prefix+stateName, arena.FD())
	}
	if err != nil {
		arena.Close()
		return err
	}
	d.keeping = keeping{vault: v, prefix: prefix}
	d.useState(st)
	return nil
}

// Names in the vault, behind the device's prefix. Those of a set-up are numbered
// by generation, those of backing devices among themselves, so that a name never
// stands for something else than the record means.
const stateName = "state"

var setUpNames = [...]string{"slots", "elements", "pool", "seals"}

func generationName(generation uint64, what string) string {
	return fmt.Sprintf("%d.%s", generation, what)
}

func backingName(number uint64) string { return fmt.Sprintf("backing.%d", number) }

// keeping is where a device keeps its descriptors.
type keeping struct {
	vault  Vault // nil = nobody keeps anything
	prefix string
}

// hold keeps a descriptor under a name.
func (k *keeping) hold(name string, fd int) error {
	if k.vault == nil {
		return nil
	}
	if err := k.vault.Hold(k.prefix+name, fd); err != nil {
		return fmt.Errorf("keeping %s for a successor: %w", name, err)
	}
	return nil
}

func (k *keeping) drop(name string) {
	if k.vault != nil {
		k.vault.Drop(k.prefix + name)
	}
}

// setUpArenas are a set-up's arenas that outlive the process, nil where there is
// none, by their names.
func (l *live) setUpArenas() map[string]*offheap.Arena {
	arenas := make(map[string]*offheap.Arena)
	if l.table != nil {
		arenas["slots"] = l.table.arena
	}
	if l.elements != nil {
		arenas["elements"] = l.elements.arena
	}
	if l.pool != nil {
		arenas["pool"] = l.pool.Arena()
	}
	if l.backing != nil && l.backing.sealed != nil {
		arenas["seals"] = l.backing.sealed
	}
	return arenas
}

// holdSetUp keeps a set-up's arenas, before the record says that they count.
func (d *Device) holdSetUp(l *live, generation uint64) error {
	for what, arena := range l.setUpArenas() {
		if err := d.keeping.hold(generationName(generation, what), arena.FD()); err != nil {
			return err
		}
	}
	return nil
}

// dropSetUp drops them, after it no longer says so.
func (d *Device) dropSetUp(generation uint64) {
	for _, what := range setUpNames {
		d.keeping.drop(generationName(generation, what))
	}
}

// Retire ends a device that is not set up: nothing of it is kept any more, and
// nobody may use it afterwards. EBUSY: it is set up.
func (d *Device) Retire() error {
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err := d.settable(); err != nil {
		return err
	}
	d.dropBacking(d.settings.backings)
	d.retireProcesses()
	d.keeping.drop(stateName)
	if arena := d.state.arena; arena != nil {
		d.useState(newState(d.workers.Len()))
		return arena.Close()
	}
	return nil
}
