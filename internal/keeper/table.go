package keeper

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// maxHeld bounds how many descriptors a keeper holds.
const maxHeld = 64

// held is a descriptor with its name.
type held struct {
	fd   int
	len  int
	name [maxName]byte
}

func (h *held) text() []byte { return h.name[:h.len] }

// table holds descriptors by name, in the order in which they came, without allocating.
type table struct {
	n     int
	items [maxHeld]held
}

func (t *table) all() []held { return t.items[:t.n] }

func (t *table) find(name []byte) int {
	for i := range t.items[:t.n] {
		if string(t.items[i].text()) == string(name) {
			return i
		}
	}
	return -1
}

// hold takes fd over, in place of an older one of that name.
func (t *table) hold(name []byte, fd int) syscall.Errno {
	if len(name) == 0 || len(name) > maxName {
		return unix.ENAMETOOLONG
	}
	i := t.find(name)
	switch {
	case i >= 0:
		unix.Close(t.items[i].fd)
	case t.n == maxHeld:
		return unix.ENFILE
	default:
		i = t.n
		t.n++
	}
	t.items[i].fd = fd
	t.items[i].len = copy(t.items[i].name[:], name)
	return 0
}

// drop closes the descriptor of that name, if there is one.
func (t *table) drop(name []byte) {
	i := t.find(name)
	if i < 0 {
		return
	}
	unix.Close(t.items[i].fd)
	copy(t.items[i:t.n], t.items[i+1:t.n])
	t.n--
}

func (t *table) closeAll() {
	for i := range t.all() {
		unix.Close(t.items[i].fd)
	}
	t.n = 0
}
