package offheap

import "fmt"

// Copy is a second arena with the same bytes, with memory where this one has
// some: what a process would find that comes after this one. It is for tests;
// nobody may write meanwhile. Errors wrap ENOMEM.
func (a *Arena) Copy() (*Arena, error) {
	c := &Arena{purpose: a.purpose}
	size := uint64(len(a.mem))
	if err := c.reserve(a.purpose, int64(size)); err != nil {
		return nil, fmt.Errorf("copy of arena %v: %w", a.purpose, err)
	}
	for start, end := a.NextData(0); start < end; start, end = a.NextData(end) {
		if err := c.populate(int(start), int(end-start)); err != nil {
			c.Close()
			return nil, fmt.Errorf("copy of arena %v: %w", a.purpose, err)
		}
		copy(c.mem[start:end], a.mem[start:end])
	}
	return c, nil
}
