package main

import (
	"errors"
	"strconv"
	"strings"

	"uzram/internal/zramabi"

	"golang.org/x/sys/unix"
)

// listedRow is what is read of a device for the list.
type listedRow struct {
	device    listedDevice
	disksize  uint64
	algorithm string
	streams   string
	mm        zramabi.MMStat
	use       string // mount point
}

// readRow reads a device. There is none (ok is false) if it has gone meanwhile, or is not set up and that counts.
func readRow(d listedDevice, u *uses, setUp bool) (r listedRow, ok bool, err error) {
	r.device = d
	size, err := d.dir.Read("disksize")
	if err == nil && setUp && size == "0\n" {
		return r, false, nil
	}
	var mm, algorithms string
	if err == nil {
		mm, err = d.dir.Read("mm_stat")
	}
	if err == nil {
		algorithms, err = d.dir.Read("comp_algorithm")
	}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ESTALE):
		return r, false, nil
	case err != nil:
		return r, false, deadOr(d.dir.Path(), err)
	}
	if r.disksize, err = strconv.ParseUint(strings.TrimSpace(size), 10, 64); err != nil {
		return r, false, err
	}
	if r.mm, err = zramabi.ParseMMStat(mm); err != nil {
		return r, false, err
	}
	if a, err := zramabi.ParseAlgorithms(algorithms); err == nil {
		r.algorithm = a.Selected
	}
	if text, err := d.dir.Read("max_comp_streams"); err == nil { // gone since Linux 6.18
		if n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64); err == nil {
			r.streams = strconv.FormatUint(n, 10)
		}
	}
	r.use = u.of(d)
	return r, true, nil
}

// cellKind says how a value is shown.
type cellKind int

const (
	textCell   cellKind = iota
	sizeCell            // bytes
	numberCell          // as it is
)

// cell is a value in the list; for sizes number counts, for all others text. Without either there is no value.
type cell struct {
	text   string
	number int64
	none   bool
}

func textOf(s string) cell   { return cell{text: s, none: s == ""} }
func sizeOf(n uint64) cell   { return cell{number: int64(min(n, 1<<63-1))} }
func numberOf(n uint64) cell { return cell{text: strconv.FormatUint(n, 10)} }

// listColumn is a column of the list.
type listColumn struct {
	name, help string
	kind       cellKind
	value      func(listedRow) cell
}

// listColumns are zramctl's in its order, and then our own before the mount point.
var listColumns = []listColumn{
	{"NAME", "device, or its control directory", textCell, func(r listedRow) cell { return textOf(r.device.name) }},
	{"DISKSIZE", "size of the disk", sizeCell, func(r listedRow) cell { return sizeOf(r.disksize) }},
	{"DATA", "size of the data stored, uncompressed", sizeCell, func(r listedRow) cell { return sizeOf(r.mm.OrigDataSize) }},
	{"COMPR", "size of the data stored, compressed", sizeCell, func(r listedRow) cell { return sizeOf(r.mm.ComprDataSize) }},
	{"ALGORITHM", "what it is compressed by", textCell, func(r listedRow) cell { return textOf(r.algorithm) }},
	{"STREAMS", "how many compressions there can be at a time, where the kernel tells", numberCell, func(r listedRow) cell { return textOf(r.streams) }},
	{"ZERO-PAGES", "pages of one repeated word, which take no memory", numberCell, func(r listedRow) cell { return numberOf(r.mm.SamePages) }},
	{"TOTAL", "memory that the compressed data takes", sizeCell, func(r listedRow) cell { return sizeOf(r.mm.MemUsedTotal) }},
	{"MEM-LIMIT", "most memory that it may take, 0 = no limit", sizeCell, func(r listedRow) cell { return sizeOf(r.mm.MemLimit) }},
	{"MEM-USED", "most memory that it has taken", sizeCell, func(r listedRow) cell { return sizeOf(r.mm.MemUsedMax) }},
	{"MIGRATED", "pages given back by compaction", sizeCell, func(r listedRow) cell { return sizeOf(r.mm.PagesCompacted) }},
	{"RATIO", "bytes of data in a byte of memory", numberCell, ratioCell},
	{"SAVED", "memory saved: DATA without TOTAL", sizeCell, func(r listedRow) cell {
		return cell{number: int64(r.mm.OrigDataSize) - int64(r.mm.MemUsedTotal)}
	}},
	{"LOOP", "loop device of its own", textCell, func(r listedRow) cell { return textOf(r.device.loop) }},
	{"MOUNTPOINT", "where the disk is mounted, or " + swapMark, textCell, func(r listedRow) cell { return textOf(r.use) }},
}

func ratioCell(r listedRow) cell {
	if r.mm.MemUsedTotal == 0 {
		return cell{none: true}
	}
	return cell{text: strconv.FormatFloat(float64(r.mm.OrigDataSize)/float64(r.mm.MemUsedTotal), 'f', 2, 64)}
}

// defaultColumns are zramctl's own, and what it does not compute.
const defaultColumns = "NAME,ALGORITHM,DISKSIZE,DATA,COMPR,TOTAL,STREAMS,RATIO,SAVED,MOUNTPOINT"

// chooseColumns reads a list of names, in either case.
func chooseColumns(list string) (chosen []listColumn, err error) {
	for name := range strings.SplitSeq(list, ",") {
		column, ok := columnNamed(name)
		if !ok {
			return nil, usagef("there is no column %q; accepted: %s", name, strings.Join(columnNames(), ", "))
		}
		chosen = append(chosen, column)
	}
	return chosen, nil
}

func columnNamed(name string) (listColumn, bool) {
	for _, c := range listColumns {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return listColumn{}, false
}

func columnNames() (names []string) {
	for _, c := range listColumns {
		names = append(names, c.name)
	}
	return names
}

// columnHelp is the table of columns for help texts.
func columnHelp() string {
	var b strings.Builder
	for _, c := range listColumns {
		b.WriteString("\n  " + c.name + strings.Repeat(" ", 12-len(c.name)) + c.help)
	}
	return strings.TrimPrefix(b.String(), "\n")
}
