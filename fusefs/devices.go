package fusefs

import (
	"sync"
	"sync/atomic"

	"uzram/internal/zramabi"
)

// devices are the mount's. Workers find one by its id without a lock.
type devices struct {
	*deviceArena
	pages [1 << numberBits / diskPage]atomic.Pointer[[diskPage]atomic.Pointer[disk]] // by number

	mu sync.Mutex // held while a device comes or goes
}

const diskPage = 256

func newDevices(a *deviceArena) *devices { return &devices{deviceArena: a} }

// at is the device that has a number now, nil if none has.
func (s *devices) at(number uint64) *disk {
	if number >= MaxDevices {
		return nil
	}
	page := s.pages[number/diskPage].Load()
	if page == nil {
		return nil
	}
	return page[number%diskPage].Load()
}

// find is the device with that id, nil if it is not there any more.
func (s *devices) find(id uint64) *disk {
	d := s.at(id & (1<<numberBits - 1))
	if d == nil || d.id != id {
		return nil
	}
	return d
}

// named is the device with that name, nil if there is none.
func (s *devices) named(name string) *disk {
	number, ok := zramabi.DeviceNumber(name)
	if !ok {
		return nil
	}
	return s.at(number)
}

// first is the device of a mount that has one.
func (s *devices) first() *disk { return s.at(0) }

// from is the device with the lowest number that is not below that one, nil if
// there is none.
func (s *devices) from(number uint64) *disk {
	for {
		used, ok := s.next(number)
		if !ok {
			return nil
		}
		if d := s.at(used); d != nil {
			return d
		}
		number = used + 1
	}
}

// all are the devices in the order of their numbers.
func (s *devices) all() (all []*disk) {
	for d := s.from(0); d != nil; d = s.from(d.number() + 1) {
		all = append(all, d)
	}
	return all
}

// publish makes a device one that requests find. Called with mu held, or before
// requests are served; so is withdraw.
func (s *devices) publish(d *disk) {
	page := &s.pages[d.number()/diskPage]
	if page.Load() == nil {
		page.Store(new([diskPage]atomic.Pointer[disk]))
	}
	page.Load()[d.number()%diskPage].Store(d)
}

func (s *devices) withdraw(d *disk) {
	s.pages[d.number()/diskPage].Load()[d.number()%diskPage].Store(nil)
}
