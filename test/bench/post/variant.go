package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"uzram/store"
	"uzram/test/bench/internal/report"
)

// variant is a way to write back, and what it gave, one figure for each round.
type variant struct {
	name                                string
	batch                               int
	fresh                               bool // to a sparse file, else to one whose blocks are allocated
	compressed, pack, encrypt, checksum bool

	seconds, pages, blocks report.Series // time; MB/s of pages, MB/s of blocks that hold them
	freed, gone            report.Series // MiB of memory; share of what the objects took
	fill                   report.Series // blocks for a page
	back                   report.Series // MB/s of reading all back
	latency                latency
}

const (
	kernelBatch = 32 // the kernel's default, and ours
	largeBatch  = 256
)

// variants are all that there are; some of those with a large batch are not
// measured unless asked for.
func variants() (all []*variant) {
	for _, v := range []variant{
		{name: "plain"},
		{name: "compressed", compressed: true},
		{name: "pack", compressed: true, pack: true},
		{name: "encryption", encrypt: true},
		{name: "checksum", checksum: true},
	} {
		v.batch = kernelBatch
		large := v
		large.name, large.batch = v.name+"_256", largeBatch
		all = append(all, &v, &large)
	}
	return append(all, &variant{name: "plain_fresh", batch: kernelBatch, fresh: true},
		&variant{name: "plain_fresh_256", batch: largeBatch, fresh: true})
}

// variantNames are those that are measured unless others are asked for.
func variantNames() []string {
	return []string{"plain", "plain_256", "plain_fresh", "compressed", "pack", "pack_256", "encryption", "encryption_256", "checksum"}
}

func chosen(names []string) (list []*variant, err error) {
	all := variants()
	for _, name := range names {
		i := slices.IndexFunc(all, func(v *variant) bool { return v.name == name })
		if i < 0 {
			var known []string
			for _, v := range all {
				known = append(known, v.name)
			}
			return nil, fmt.Errorf("variant %q is none of %s", name, strings.Join(known, " "))
		}
		if !slices.Contains(list, all[i]) {
			list = append(list, all[i])
		}
	}
	return list, nil
}

// set makes a device's settings.
func (v *variant) set(d *store.Device, path string) error {
	d.SetMemoryLocked(true) // it is not, but nothing here is secret
	for _, set := range []func() error{
		func() error { return d.SetAlgorithm("lz4") },
		func() error { return d.SetBackingDev(path) },
		func() error { return d.SetCompressedWriteback(v.compressed) },
		func() error { return d.SetWritebackPack(v.pack) },
		func() error { return d.SetWritebackEncryption(v.encrypt) },
		func() error { return d.SetWritebackChecksum(v.checksum) },
		func() error { return d.SetWritebackBatch(uint32(v.batch)) },
	} {
		if err := set(); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	return nil
}

// bar is the raw speed of a file in one state, one figure for each round.
type bar struct {
	name  string
	fresh bool
	size  int // bytes of a request
	depth int // requests at a time
	speed report.Series
}

// requests is the size and the number at a time of the writes that a crew of
// all CPUs does with a batch.
func requests(batch int) (size, depth int) {
	depth = min(runtime.NumCPU(), maxCrew, batch)
	return min(batch/depth, 64) * pageSize, depth
}

// bars are the raw speeds that the variants are compared with.
func bars() (all []*bar) {
	for _, fresh := range []bool{false, true} {
		state := "allocated"
		if fresh {
			state = "sparse"
		}
		all = append(all, &bar{name: state + ", 1 MiB", fresh: fresh, size: 1 << 20, depth: 1})
		for _, batch := range []int{kernelBatch, largeBatch} {
			size, depth := requests(batch)
			name := fmt.Sprintf("%s, %d KiB, %d at a time", state, size>>10, depth)
			all = append(all, &bar{name: name, fresh: fresh, size: size, depth: depth})
		}
	}
	return all
}
