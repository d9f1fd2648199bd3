package fusefs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"uzram/internal/failpoint"
	"uzram/internal/status"
	"uzram/store"
)

// newDisk makes a device of the mount as it is served.
func (m *Mount) newDisk(dev *store.Device, id uint64) (*disk, error) {
	d := &disk{id: id, dev: dev, notify: m.notify, log: m.log, control: m.options.Control, users: newUsers()}
	crew := m.state.crew.Load()
	if err := m.devices.back(d.number(), crew); err != nil {
		return nil, err
	}
	d.record = &m.devices.records[d.number()]
	d.io = ioStatsIn(d.record, crew)
	dir := m.deviceDir(d)
	d.image = filepath.Join(dir, "image")
	if m.options.Multi != nil {
		d.log = m.log.With("device", d.name())
	}
	d.about = func() status.Status {
		st := m.about(Reserve{d.dev.Stats().Reserve, d.dev.Initialised()})
		st.Dir, st.Image = dir, d.image
		return st
	}
	return d, nil
}

// deviceDir is the directory of a device.
func (m *Mount) deviceDir(d *disk) string {
	if m.options.Multi == nil {
		return m.dir
	}
	return filepath.Join(m.dir, "block", d.name())
}

// about is what debug/status shows of the mount, whichever device it is asked of.
func (m *Mount) about(r Reserve) status.Status {
	o := &m.options
	st := status.Status{
		Version:   o.Version,
		WorkerPID: os.Getpid(),
		Mount:     m.dir,
		Dir:       m.dir,
		Multi:     o.Multi != nil,
		Swap:      o.Swap,
		Transport: m.Transport(),
		Resend:    m.state.resends(),
		Workers:   o.Workers.Len(),
		Guards:    []status.Guard{},
		Devices:   []status.Device{},
	}
	if o.Guards != nil {
		st.Guards = o.Guards(r)
	}
	if o.Keeper != nil {
		o.Keeper(&st)
	}
	return st
}

// showMount is debug/status of a mount with many devices. Figures are sums.
func (m *Mount) showMount(_ *disk, b []byte) ([]byte, error) {
	var all []status.Device
	var sums status.Stats
	var r Reserve
	for _, d := range m.devices.all() {
		if !d.users.enter() {
			continue
		}
		sums = sums.Plus(allFigures(d))
		row := status.Device{Number: int(d.number()), Dir: m.deviceDir(d), Disksize: uint64(d.dev.Size()), Initialised: d.dev.Initialised()}
		if loop := d.loopPath(); loop != "" {
			row.Loop = &loop
		}
		d.users.leave()
		r.SetUp = r.SetUp || row.Initialised
		all = append(all, row)
	}
	r.Bytes, _ = sums.Get("reserve")
	st := m.about(r)
	st.Algorithms, st.Devices, st.Stats = []status.Algorithm{}, append(st.Devices, all...), sums
	st.Runtime = runtimeFigures()
	text, err := json.Marshal(st)
	return append(append(b, text...), '\n'), err
}

// controlMount is debug/control of a mount with many devices.
func (m *Mount) controlMount(_ *disk, text string) error { return control(text, m.options.Control) }

// control runs one of the daemon's verbs: words separated by white space.
func control(text string, run func(string, []string) error) error {
	words := strings.Fields(text)
	if failpoint.Enabled && len(words) > 0 && words[0] == "failpoint" {
		return failpoint.Set(strings.Join(words[1:], " "))
	}
	if len(words) == 0 || run == nil {
		return fmt.Errorf("control %.40q: no such verb: %w", text, syscall.EINVAL)
	}
	return run(words[0], words[1:])
}
