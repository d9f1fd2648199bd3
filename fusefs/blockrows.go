package fusefs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/internal/loopdev"
	"uzram/internal/zramabi"
)

// blockRows are what a device's directory has of the block layer.
var blockRows = []row{
	attr(44, "dev", showDev, nil),
	attr(45, "uevent", showUevent, storeUevent),
	attr(46, "range", showNumber(func(*disk) uint64 { return 1 }), nil),
	attr(47, "ext_range", showLoop("ext_range", "1"), nil),
	attr(48, "hidden", showNumber(never), nil),
	attr(49, "capability", showNumber(never), nil),
	attr(50, "alignment_offset", showNumber(never), nil),
	attr(51, "discard_alignment", showNumber(never), nil),
	attr(52, "diskseq", showLoop("diskseq", "0"), nil),
	attr(53, "inflight", showInflight, nil),
}

// optional are those that not all kernels have.
var optional = map[string]bool{"ext_range": true, "capability": true, "discard_alignment": true, "diskseq": true}

// devNumber is the number of the own loop device, 0 if there is none.
func (d *disk) devNumber() uint64 {
	if loop := d.loop.Load(); loop != nil {
		return loop.Number()
	}
	return 0
}

// lastDevNumber is that of the own loop device, or of the last one that there was.
func (d *disk) lastDevNumber() uint64 {
	if dev := d.devNumber(); dev != 0 {
		return dev
	}
	return d.lastDev.Load()
}

func showDev(d *disk, b []byte) ([]byte, error) {
	dev := d.devNumber()
	return fmt.Appendf(b, "%d:%d\n", unix.Major(dev), unix.Minor(dev)), nil
}

func showUevent(d *disk, b []byte) ([]byte, error) {
	dev := d.devNumber()
	b = fmt.Appendf(b, "MAJOR=%d\nMINOR=%d\nDEVNAME=%s\nDEVTYPE=disk\n", unix.Major(dev), unix.Minor(dev), d.name())
	if loop := d.loop.Load(); loop != nil {
		if seq, err := loop.Attr("diskseq"); err == nil {
			b = fmt.Appendf(b, "DISKSEQ=%s\n", seq)
		}
	}
	return b, nil
}

// uevents are the words that the kernel takes.
var uevents = []string{"add", "remove", "change", "move", "online", "offline", "bind", "unbind"}

// storeUevent has no effect: there is nobody who would be told. As in the kernel an
// identifier and variables may follow the word.
func storeUevent(_ *disk, text string) error {
	word, _, _ := strings.Cut(zramabi.Word(text), " ")
	if !slices.Contains(uevents, word) {
		return fmt.Errorf("uevent %.20q: accepted are %s: %w", word, strings.Join(uevents, ", "), syscall.EINVAL)
	}
	return nil
}

// showLoop shows the own loop device's, or a value where there is none.
func showLoop(name, without string) func(*disk, []byte) ([]byte, error) {
	return func(d *disk, b []byte) ([]byte, error) {
		text := without
		if loop := d.loop.Load(); loop != nil {
			var err error
			if text, err = loop.Attr(name); err != nil {
				return nil, err
			}
		}
		return append(append(b, text...), '\n'), nil
	}
}

// storeLoop hands a value on to the own loop device.
func storeLoop(name string) func(*disk, string) error {
	return func(d *disk, text string) error {
		loop := d.loop.Load()
		if loop == nil {
			return fmt.Errorf("%s: the device has no loop device of its own: %w", name, syscall.EINVAL)
		}
		return loop.SetAttr(name, text)
	}
}

func showInflight(d *disk, b []byte) ([]byte, error) {
	reads, writes := d.io.inFlight()
	return fmt.Appendf(b, "%9d %9d\n", reads, writes), nil
}

// firstQueueRow is the row of the first file that zramabi.Queue knows; those that
// it does not know count down from the last row.
const firstQueueRow = 144

// queueRows are the files of the queue directory: what the kernel shows for loop
// devices, or all that is known where nothing is shown.
func queueRows(shown map[string]loopdev.Shown) (rows []row) {
	known := map[string]bool{}
	for i, q := range zramabi.Queue {
		known[q.Name] = true
		if s, ok := shown[q.Name]; ok || shown == nil {
			if ok {
				q.Mode = s.Mode
			}
			rows = append(rows, queueFile(firstQueueRow+uint64(i), q))
		}
	}
	id := uint64(1<<rowBits - 1)
	for _, name := range sortedNames(shown) {
		if !known[name] && id >= firstQueueRow+uint64(len(zramabi.Queue)) {
			rows = append(rows, queueFile(id, zramabi.QueueAttr{Name: name, Mode: shown[name].Mode, Value: shown[name].Text}))
			id--
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.abi.Name, b.abi.Name) })
	return rows
}

func sortedNames(shown map[string]loopdev.Shown) (names []string) {
	for name := range shown {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func queueFile(id uint64, q zramabi.QueueAttr) row {
	r := row{id: id, abi: zramabi.Attr{Name: q.Name, Mode: q.Mode}}
	if r.abi.Readable() {
		r.show = showLoop("queue/"+q.Name, q.Value)
	}
	if r.abi.Writable() {
		r.store = storeLoop("queue/" + q.Name)
	}
	return r
}

// name is the kernel's name for the device.
func (d *disk) name() string { return zramabi.DeviceName(d.number()) }
