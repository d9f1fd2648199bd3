package store

import "uzram/compress"

// Algorithms lists the algorithms that a device can use, in the kernel's order.
func Algorithms() []string { return compress.Names() }

// AlgorithmUse is one of a device's algorithms and what it takes.
type AlgorithmUse struct {
	Priority int // 0 is the primary one
	Name     string
	Params   compress.Params // as chosen, without the defaults
	Contexts int             // encoders and decoders; 0 before set-up
	Memory   uint64          // bytes, of the contexts and the dictionary
}

// AlgorithmsInUse is what is chosen for each priority that has an algorithm.
func (d *Device) AlgorithmsInUse() []AlgorithmUse {
	d.cfgMu.RLock()
	defer d.cfgMu.RUnlock()
	return d.algorithmsInUse()
}

// algorithmsInUse needs cfgMu.
func (d *Device) algorithmsInUse() (all []AlgorithmUse) {
	l := d.live.Load()
	for priority, name := range d.settings.algorithm {
		if name == "" {
			continue
		}
		params := d.settings.params[priority]
		use := AlgorithmUse{Priority: priority, Name: name, Params: params, Memory: uint64(len(params.Dict))}
		if l != nil {
			for _, c := range l.contexts(priority) {
				use.Contexts++
				use.Memory += uint64(c.MemoryUsage())
			}
		}
		all = append(all, use)
	}
	return all
}
