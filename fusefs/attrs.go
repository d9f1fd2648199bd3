package fusefs

import (
	"fmt"
	"strconv"
	"syscall"

	"uzram/internal/zramabi"
	"uzram/store"
)

// row is a control file: what the ABI says of it, and what it does. show appends
// the text of a read; store carries out the command of a write. Those in listings
// have neither, because their text is not made as a whole.
type row struct {
	id    uint64 // part of the node id: never renumber, never reuse
	abi   zramabi.Attr
	show  func(*disk, []byte) ([]byte, error)
	store func(*disk, string) error
}

// Rows of a device that are no control files.
const (
	dirRow   = 0
	imageRow = 1
	debugRow = 2
)

// deviceRows are the attributes of a device, in the order in which they are
// listed.
var deviceRows = []row{
	{16, abi("disksize"), showNumber(func(d *disk) uint64 { return uint64(d.dev.Size()) }), storeDisksize},
	{17, abi("initstate"), showNumber(func(d *disk) uint64 { return flag(d.dev.Initialised()) }), nil},
	{18, abi("reset"), nil, storeReset},
	{19, abi("comp_algorithm"), showAlgorithm, storeAlgorithm},
	{20, abi("algorithm_params"), nil, storeParams},
	{32, abi("recomp_algorithm"), showRecompAlgorithm, storeRecompAlgorithm},
	{33, abi("recompress"), nil, storeRecompress},
	{21, abi("mem_limit"), nil, storeMemLimit},
	{22, abi("mem_used_max"), nil, storeMemUsedMax},
	{23, abi("mm_stat"), showMMStat, nil},
	{24, abi("io_stat"), showIOStat, nil},
	{25, abi("debug_stat"), showDebugStat, nil},
	{26, abi("compact"), nil, func(d *disk, _ string) error { return d.dev.Compact() }},
	{34, abi("backing_dev"), showBackingDev, storeBackingDev},
	{35, abi("writeback"), nil, storeWriteback},
	{36, abi("writeback_limit_enable"), showNumber(func(d *disk) uint64 { return flag(d.dev.WritebackLimited()) }), storeWritebackLimitEnable},
	{37, abi("writeback_limit"), showNumber(func(d *disk) uint64 { return d.dev.WritebackLimit() }), storeWritebackLimit},
	{38, abi("writeback_batch_size"), showNumber(func(d *disk) uint64 { return uint64(d.dev.WritebackBatch()) }), storeWritebackBatch},
	writebackSwitch(39, "compressed_writeback", (*store.Device).CompressedWriteback, (*store.Device).SetCompressedWriteback),
	writebackSwitch(41, "writeback_pack", (*store.Device).WritebackPack, (*store.Device).SetWritebackPack),
	writebackSwitch(42, "writeback_checksum", (*store.Device).WritebackChecksum, (*store.Device).SetWritebackChecksum),
	writebackSwitch(43, "writeback_encryption", (*store.Device).WritebackEncryption, (*store.Device).SetWritebackEncryption),
	{40, abi("bd_stat"), showBDStat, nil},
	{27, abi("idle"), nil, storeIdle},
	{28, abi("stat"), func(d *disk, b []byte) ([]byte, error) { return d.io.report().Append(b), nil }, nil},
	{29, abi("size"), showNumber(func(d *disk) uint64 { return uint64(d.dev.Size()) / 512 }), nil},
	{30, abi("ro"), showNumber(never), nil},
	{31, abi("removable"), showNumber(never), nil},
}

// debugRows are the files of a device's debug directory.
var debugRows = []row{
	{128, abi("block_state"), nil, nil},
	{133, abi("page_state"), nil, nil},
	{129, abi("classes"), showClasses, nil},
	{130, abi("status"), showStatus, nil},
	{131, abi("control"), nil, storeControl},
	{132, abi("check"), showCheck, nil},
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

func storeDisksize(d *disk, text string) error {
	bytes, err := zramabi.ParseSize(text)
	if err != nil {
		return err
	}
	return d.setSize(bytes)
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
	d.dev.SetMemLimit(bytes)
	return nil
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
