package fusefs

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"uzram/internal/loopdev"
	"uzram/internal/zramabi"
)

// layout says what there is in a directory that many have: that of a device. It
// is fixed as long as the mount is served.
type layout struct {
	files [1 << rowBits]*row
	dirs  [1 << rowBits]*directory
	links [1 << rowBits]string // targets
	sizes [1 << rowBits]uint64 // of files, as stat shows them
}

// directory is a directory by its row.
type directory struct {
	parent uint64 // row
	names  []rowName
}

// rowName is a name in a directory.
type rowName struct {
	name string
	row  uint64
}

// addDir makes a directory; an unnamed one is the uppermost.
func (l *layout) addDir(id, parent uint64, name string) {
	l.dirs[id] = &directory{parent: parent}
	if name != "" {
		l.name(parent, name, id)
	}
}

func (l *layout) name(dir uint64, name string, id uint64) {
	l.dirs[dir].names = append(l.dirs[dir].names, rowName{name, id})
}

// addRows makes a file for each row, which stat shows with that size.
func (l *layout) addRows(dir uint64, rows []row, size uint64) {
	for i := range rows {
		r := &rows[i]
		l.files[r.id], l.sizes[r.id] = r, size
		l.name(dir, r.abi.Name, r.id)
	}
}

func (l *layout) addLink(id, dir uint64, name, target string) {
	l.links[id] = target
	l.name(dir, name, id)
}

// find is the row with that name in a directory; false if there is none.
func (d *directory) find(name string) (uint64, bool) {
	for i := range d.names {
		if d.names[i].name == name {
			return d.names[i].row, true
		}
	}
	return 0, false
}

// subsystemTarget ends as the kernel's link does; with many devices it is where the
// class would be.
const subsystemTarget = "../../class/block"

// blockLayer is what the running kernel shows for loop devices; nil if it has none
// to show, or that is not known.
type blockLayer struct{ device, queue map[string]loopdev.Shown }

var shownHere = sync.OnceValue(func() blockLayer {
	return blockLayer{loopdev.ShownFor("."), loopdev.ShownFor("queue")}
})

// LookAround reads what a mount will have to know of the kernel. One who waits to take
// over does so beforehand: it takes milliseconds, and some of it waits for who changes
// a loop device, who may wait for the mount.
func LookAround() { shownHere() }

// deviceLayout is the directory of a device.
func deviceLayout(kernel blockLayer) *layout {
	l := &layout{}
	l.addDir(dirRow, dirRow, "")
	l.addRows(dirRow, deviceRows, zramabi.MaxWrite)
	l.addRows(dirRow, slices.DeleteFunc(slices.Clone(blockRows), func(r row) bool {
		_, shown := kernel.device[r.abi.Name]
		return kernel.device != nil && !shown && optional[r.abi.Name]
	}), zramabi.MaxWrite)
	l.name(dirRow, "image", imageRow)
	l.addDir(debugRow, dirRow, "debug")
	l.addRows(debugRow, debugRows, 0)
	l.addDir(queueRow, dirRow, "queue")
	l.addRows(queueRow, queueRows(kernel.queue), zramabi.MaxWrite)
	l.addDir(holdersRow, dirRow, "holders")
	l.addDir(slavesRow, dirRow, "slaves")
	l.addLink(subsystemRow, dirRow, "subsystem", subsystemTarget)
	return l
}

// kind is the kind of a row's node, 0 if there is none.
func (l *layout) kind(id uint64) uint32 {
	switch {
	case l.files[id] != nil:
		return unix.S_IFREG
	case l.dirs[id] != nil:
		return unix.S_IFDIR
	case l.links[id] != "":
		return unix.S_IFLNK
	}
	return 0
}
