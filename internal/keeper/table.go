package keeper

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// maxHeld bounds how many descriptors a keeper holds that was not told otherwise.
const maxHeld = 64

// held is a descriptor with its name.
type held struct {
	fd   int
	len  int
	name [maxName]byte
}

func (h *held) text() []byte { return h.name[:h.len] }

// table holds descriptors by name. Up to a number that it is made for it does not allocate.
type table struct {
	n      int
	most   int
	items  []held
	hashes []uint64 // of the names, in the same order
}

// makeTable is a table for at most that many.
func makeTable(most int) table {
	if most == 0 {
		most = maxHeld
	}
	return table{most: most, items: make([]held, maxHeld), hashes: make([]uint64, maxHeld)}
}

func (t *table) all() []held { return t.items[:t.n] }

// hash is FNV-1a.
func hash(name []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range name {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

func (t *table) find(name []byte) int {
	h := hash(name)
	for i, other := range t.hashes[:t.n] {
		if other == h && string(t.items[i].text()) == string(name) {
			return i
		}
	}
	return -1
}

// fd is the descriptor of that name, -1 if there is none.
func (t *table) fd(name []byte) int {
	if i := t.find(name); i >= 0 {
		return t.items[i].fd
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
	case t.n == t.most:
		return unix.ENFILE
	default:
		i = t.n
		t.n++
		if i == len(t.items) {
			t.items = append(t.items, make([]held, i)...)
			t.hashes = append(t.hashes, make([]uint64, i)...)
		}
	}
	t.items[i].fd = fd
	t.items[i].len = copy(t.items[i].name[:], name)
	t.hashes[i] = hash(name)
	return 0
}

// drop closes the descriptor of that name, if there is one.
func (t *table) drop(name []byte) {
	i := t.find(name)
	if i < 0 {
		return
	}
	unix.Close(t.items[i].fd)
	t.n--
	t.items[i], t.hashes[i] = t.items[t.n], t.hashes[t.n]
}

func (t *table) closeAll() {
	for i := range t.all() {
		unix.Close(t.items[i].fd)
	}
	t.n = 0
}
