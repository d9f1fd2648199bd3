package sysview

import (
	"os"
	"path"
	"regexp"
	"strings"
)

// kernelDevice is a block device or partition that the kernel shows.
type kernelDevice struct {
	path   string // below /sys, as in devices/virtual/block/loop0
	number string // MAJ:MIN, "" if it has none
	whole  bool   // no partition
}

const (
	virtualBlock = "devices/virtual/block"
	sysBlock     = "block"
	classBlock   = "class/block"
	devBlock     = "dev/block"
	zramControl  = "class/zram-control"
)

// zramName is what the kernel calls its devices.
var zramName = regexp.MustCompile(`^zram[0-9]+$`)

// origin is sysfs and /dev as they are below a view.
type origin struct {
	block, class, numbers, virtual below // /sys/block, /sys/class/block, /sys/dev/block, /sys/devices/virtual/block
	dev                            below
}

func openOrigin(root string) (o origin, err error) {
	for _, d := range []struct {
		at   *below
		path string
	}{
		{&o.block, "sys/" + sysBlock}, {&o.class, "sys/" + classBlock}, {&o.numbers, "sys/" + devBlock},
		{&o.virtual, "sys/" + virtualBlock}, {&o.dev, "dev"},
	} {
		if *d.at, err = open(path.Join("/", root, d.path)); err != nil {
			o.close()
			return o, err
		}
	}
	return o, nil
}

func (o *origin) close() {
	for _, d := range []below{o.block, o.class, o.numbers, o.virtual, o.dev} {
		d.close()
	}
}

// devices lists what the kernel shows, by name.
func (o *origin) devices() (map[string]kernelDevice, error) {
	all := map[string]kernelDevice{}
	names, err := o.class.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if text, err := o.class.link(name); err == nil { // a device may go meanwhile
			all[name] = kernelDevice{path: belowSys(text)}
		}
	}
	if names, err = o.block.names(); err != nil {
		return nil, err
	}
	for _, name := range names {
		if text, err := o.block.link(name); err == nil {
			all[name] = kernelDevice{path: belowSys(text), whole: true}
		}
	}
	if names, err = o.numbers.names(); err != nil {
		return nil, err
	}
	for _, number := range names {
		text, err := o.numbers.link(number)
		if err != nil {
			continue
		}
		if d, ok := all[path.Base(text)]; ok {
			d.number = number
			all[path.Base(text)] = d
		}
	}
	return all, nil
}

// loop returns the name of the loop device of that number, "" if there is none. Below a view that was made before, the link
// of the number leads to the device on it.
func (o *origin) loop(number string) string {
	if text, err := o.numbers.link(number); err == nil && strings.HasPrefix(path.Base(text), "loop") {
		return path.Base(text)
	}
	names, _ := o.virtual.names()
	for _, name := range names {
		if !strings.HasPrefix(name, "loop") {
			continue
		}
		if text, err := os.ReadFile(path.Join(o.virtual.path(), name, "dev")); err == nil && strings.TrimSpace(string(text)) == number {
			return name
		}
	}
	return ""
}

// belowSys turns the text of a link in a directory of sysfs into the path below /sys.
func belowSys(link string) string {
	for strings.HasPrefix(link, "../") {
		link = link[len("../"):]
	}
	return link
}
