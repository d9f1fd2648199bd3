package fusefs

import (
	"fmt"
	"strconv"
	"syscall"

	"uzram/internal/zramabi"
	"uzram/store"
)

// row is a control file: what the ABI says of it, and what it does. show appends
// the text of a read; store carries out the command of a write. A row with open
// has neither: what is read or written is not made or taken as a whole.
type row struct {
	id    uint64 // part of the node id: never renumber, never reuse
	abi   zramabi.Attr
	show  func(*disk, []byte) ([]byte, error)
	store func(*disk, string) error
	open  func(*disk) (opened, error)
	once  func(*disk, string, *journalEntry) error // in place of store, where running it again would not do
	make  func(*journalEntry) ([]byte, error)      // in place of show, where it changes something
}

// attr is the row of a file that is read and written as a whole.
func attr(id uint64, name string, show func(*disk, []byte) ([]byte, error), store func(*disk, string) error) row {
	return row{id: id, abi: abi(name), show: show, store: store}
}

// once is a row whose commands are noted in the journal with more than that they
// were begun.
func once(r row, run func(*disk, string, *journalEntry) error) row {
	r.once = run
	return r
}

// stream is the row of a file whose opens have a life of their own.
func stream(id uint64, name string, open func(*disk) (opened, error)) row {
	return row{id: id, abi: abi(name), open: open}
}

// deviceRows are the attributes of a device, in the order in which they are
// listed.
var deviceRows = []row{
	once(attr(16, "disksize", showNumber(func(d *disk) uint64 { return uint64(d.dev.Size()) }), nil), storeDisksize),
	attr(17, "initstate", showNumber(func(d *disk) uint64 { return flag(d.dev.Initialised()) }), nil),
	attr(18, "reset", nil, storeReset),
	attr(19, "comp_algorithm", showAlgorithm, storeAlgorithm),
	attr(20, "algorithm_params", nil, storeParams),
	attr(32, "recomp_algorithm", showRecompAlgorithm, storeRecompAlgorithm),
	attr(33, "recompress", nil, storeRecompress),
	attr(21, "mem_limit", nil, storeMemLimit),
	attr(22, "mem_used_max", nil, storeMemUsedMax),
	attr(23, "mm_stat", showMMStat, nil),
	attr(24, "io_stat", showIOStat, nil),
	attr(25, "debug_stat", showDebugStat, nil),
	attr(26, "compact", nil, func(d *disk, _ string) error { return d.dev.Compact() }),
	once(attr(34, "backing_dev", showBackingDev, nil), storeBackingDev),
	attr(35, "writeback", nil, storeWriteback),
	attr(36, "writeback_limit_enable", showNumber(func(d *disk) uint64 { return flag(d.dev.WritebackLimited()) }), storeWritebackLimitEnable),
	attr(37, "writeback_limit", showNumber(func(d *disk) uint64 { return d.dev.WritebackLimit() }), storeWritebackLimit),
	attr(38, "writeback_batch_size", showNumber(func(d *disk) uint64 { return uint64(d.dev.WritebackBatch()) }), storeWritebackBatch),
	writebackSwitch(39, "compressed_writeback", (*store.Device).CompressedWriteback, (*store.Device).SetCompressedWriteback),
	writebackSwitch(41, "writeback_pack", (*store.Device).WritebackPack, (*store.Device).SetWritebackPack),
	writebackSwitch(42, "writeback_checksum", (*store.Device).WritebackChecksum, (*store.Device).SetWritebackChecksum),
	writebackSwitch(43, "writeback_encryption", (*store.Device).WritebackEncryption, (*store.Device).SetWritebackEncryption),
	attr(40, "bd_stat", showBDStat, nil),
	attr(27, "idle", nil, storeIdle),
	attr(28, "stat", func(d *disk, b []byte) ([]byte, error) { return d.io.report().Append(b), nil }, nil),
	attr(29, "size", showNumber(func(d *disk) uint64 { return uint64(d.dev.Size()) / 512 }), nil),
	attr(30, "ro", showNumber(never), nil),
	attr(31, "removable", showNumber(never), nil),
}

// debugRows are the files of a device's debug directory.
var debugRows = []row{
	stream(128, "block_state", openBlockState),
	stream(133, "page_state", openPageState),
	attr(129, "classes", showClasses, nil),
	attr(130, "status", showStatus, nil),
	attr(131, "control", nil, storeControl),
	attr(132, "check", showCheck, nil),
	stream(134, "snapshot", openSnapshot),
	stream(135, "restore", openRestore),
}

// abi is the ABI's row for a name; one that is missing is a mistake in the
// tables above.
func abi(name string) zramabi.Attr {
	a, ok := zramabi.Lookup(name)
	if !ok {
		panic("fusefs: no attribute called " + name)
	}
	return a
}

// invalid is what the kernel makes of any mistake in some numbers.
func invalid(err error) error { return fmt.Errorf("%v: %w", err, syscall.EINVAL) }

func never(*disk) uint64 { return 0 }

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func showNumber(get func(*disk) uint64) func(*disk, []byte) ([]byte, error) {
	return func(d *disk, b []byte) ([]byte, error) {
		return append(strconv.AppendUint(b, get(d), 10), '\n'), nil
	}
}

func showAlgorithm(d *disk, b []byte) ([]byte, error) {
	return zramabi.Algorithms{Names: store.Algorithms(), Selected: d.dev.Algorithm()}.Append(b), nil
}

func showMMStat(d *disk, b []byte) ([]byte, error) {
	s := d.dev.Stats()
	return zramabi.MMStat{
		OrigDataSize:   s.OrigDataSize,
		ComprDataSize:  s.ComprDataSize,
		MemUsedTotal:   s.MemUsedTotal,
		MemLimit:       s.MemLimit,
		MemUsedMax:     s.MemUsedMax,
		SamePages:      s.SamePages,
		PagesCompacted: s.PagesCompacted,
		HugePages:      s.HugePages,
		HugePagesSince: s.HugePagesSince,
	}.Append(b), nil
}

func showIOStat(d *disk, b []byte) ([]byte, error) {
	s := d.dev.Stats()
	return zramabi.IOStat{
		FailedReads:  s.FailedReads,
		FailedWrites: s.FailedWrites,
		NotifyFree:   s.NotifyFree,
	}.Append(b), nil
}

func showDebugStat(d *disk, b []byte) ([]byte, error) {
	return zramabi.DebugStat{MissFree: d.dev.Stats().MissFree}.Append(b), nil
}

func showClasses(d *disk, b []byte) ([]byte, error) {
	rows, err := d.dev.Classes()
	if err != nil {
		return nil, err
	}
	classes := make([]zramabi.Class, len(rows))
	for i, r := range rows {
		classes[i] = zramabi.Class{
			Index:          uint64(r.Index),
			Size:           uint64(r.Size),
			Fullness:       r.Fullness,
			Allocated:      r.Allocated,
			Used:           r.Used,
			Pages:          r.Pages,
			PagesPerZspage: uint64(r.PagesPerZspage),
			Freeable:       r.Freeable,
		}
	}
	return zramabi.AppendClasses(b, classes), nil
}

func storeDisksize(d *disk, text string, e *journalEntry) error {
	bytes, err := zramabi.ParseSize(text)
	if err != nil {
		return err
	}
	return d.setSize(bytes, e)
}

func storeReset(d *disk, text string) error {
	n, err := zramabi.ParseU10(text, 16)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("reset 0: want 1 to 65535: %w", syscall.EINVAL)
	}
	return d.reset()
}

func storeAlgorithm(d *disk, text string) error {
	name, err := zramabi.ParseName(text)
	if err != nil {
		return err
	}
	return d.dev.SetAlgorithm(name)
}

func storeParams(d *disk, text string) error {
	p, err := zramabi.ParseAlgorithmParams(text)
	if err != nil {
		return err
	}
	r := store.ParamsRequest{
		Priority:    int(p.Priority.Value),
		HasPriority: p.Priority.Given,
		Algo:        p.Algo,
		DictPath:    p.Dict,
	}
	r.Params.Level, r.Params.HasLevel = p.Level.Value, p.Level.Given
	r.Params.WinBits, r.Params.HasWinBits = p.WinBits.Value, p.WinBits.Given
	return d.dev.SetParams(r)
}

func storeMemLimit(d *disk, text string) error {
	bytes, err := zramabi.ParseSize(text)
	if err != nil {
		return err
	}
	return d.dev.SetMemLimit(bytes)
}

func storeMemUsedMax(d *disk, text string) error {
	if n, err := zramabi.ParseU10(text, 64); err != nil || n != 0 {
		return fmt.Errorf("mem_used_max %.20q: want 0: %w", text, syscall.EINVAL)
	}
	d.dev.ResetMemUsedMax()
	return nil
}

func storeIdle(d *disk, text string) error {
	word := zramabi.Word(text)
	if word == "all" {
		return d.dev.MarkIdle()
	}
	age, err := zramabi.ParseU0(text, 32)
	if err != nil {
		return fmt.Errorf("idle %.20q: want all, or an age in seconds: %w", word, syscall.EINVAL)
	}
	return d.dev.MarkIdleSince(uint32(age))
}
