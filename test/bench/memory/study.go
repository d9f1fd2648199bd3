package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"

	"uzram/alloc"
	"uzram/test/bench/internal/report"
)

// kernelRule is zsmalloc's table for the usual longest chain of 8 pages.
var kernelRule = rule{name: "zsmalloc", step: 16, chain: 8, header: headerBytes}

// with is r with a change.
func (r rule) with(name string, change func(*rule)) rule {
	r.name = name
	change(&r)
	return r
}

// spacings are the ways to space sizes.
var spacings = []rule{
	kernelRule.with("8 apart", func(r *rule) { r.step = 8 }),
	kernelRule.with("16 apart", func(r *rule) {}),
	kernelRule.with("24 apart", func(r *rule) { r.step = 24 }),
	kernelRule.with("32 apart", func(r *rule) { r.step = 32 }),
	kernelRule.with("geometric, 1/16", func(r *rule) { r.growth = 16 }),
	kernelRule.with("geometric, 1/32", func(r *rule) { r.growth = 32 }),
}

// chains are the longest zspages tried, in pages.
var chains = []int{4, 6, 8, 10, 12, 16}

// rivals are the tables looked at closely, the engine's beside them.
var rivals = []rule{
	spacings[0], spacings[2], spacings[3], spacings[4], spacings[5],
	kernelRule.with("coarse below 512", func(r *rule) { r.coarse = 512 }),
	kernelRule.with("coarse below 1024", func(r *rule) { r.coarse = 1024 }),
	kernelRule.with("coarse below 1536", func(r *rule) { r.coarse = 1536 }),
	kernelRule.with("short chains, 16", func(r *rule) { r.slack = 16 }),
	kernelRule.with("short chains, 48", func(r *rule) { r.slack = 48 }),
	kernelRule.with("coarse 1024, short 16", func(r *rule) { r.coarse, r.slack = 1024, 16 }),
	kernelRule.with("coarse 1024, short 48", func(r *rule) { r.coarse, r.slack = 1024, 48 }),
	kernelRule.with("chain 4", func(r *rule) { r.chain = 4 }),
	kernelRule.with("chain 16", func(r *rule) { r.chain = 16 }),
	kernelRule.with("not merged", func(r *rule) { r.unmerged = true }),
	kernelRule.with("header of 4 bytes", func(r *rule) { r.header = 4 }),
	kernelRule.with("no header", func(r *rule) { r.header = 0 }),
}

// storesMiB are the sizes of the stores that tables are judged by.
var storesMiB = []int{1024, 256, 64, 16, 4, 1}

// draws is how many stores smaller than the corpus a figure is the mean of.
const draws = 20

// study prints what the corpus's objects take in pools with other tables.
func study(ctx context.Context, w io.Writer, o options, data []byte) error {
	used, err := inUse()
	if err != nil {
		return err
	}
	tables := []*table{kernelRule.derive(), used}
	for _, r := range rivals {
		tables = append(tables, r.derive())
	}
	for _, algorithm := range o.algorithms {
		if err := ctx.Err(); err != nil {
			return err
		}
		sizes, err := sizesOf(data, algorithm)
		if err != nil {
			return err
		}
		spacingTable(w, algorithm, sizes, false)
		spacingTable(w, algorithm, sizes, true)
		sizeTable(w, algorithm, sizes, tables, o.seed)
		wasteTable(w, algorithm, sizes, tables)
		freedTable(w, algorithm, sizes, tables, o)
	}
	return nil
}

// spacingTable is the pool's size for each spacing and longest chain.
func spacingTable(w io.Writer, algorithm string, sizes []int, unmerged bool) {
	all := draw(sizes, len(sizes), nil)
	base := kernelRule.derive().store(all).bytes()
	head := []string{algorithm + ", pool / zsmalloc's: chain up to"}
	if unmerged {
		head[0] = algorithm + ", the same, classes not merged"
	}
	for _, n := range chains {
		head = append(head, fmt.Sprint(n))
	}
	var rows [][]string
	for _, r := range spacings {
		row := []string{r.name}
		for _, n := range chains {
			r.chain, r.unmerged = n, unmerged
			row = append(row, over(r.derive().store(all).bytes(), base))
		}
		rows = append(rows, row)
	}
	report.Table(w, head, rows)
}

// sizeTable is the pool's size for small and large stores, and what of it is
// partly empty zspages.
func sizeTable(w io.Writer, algorithm string, sizes []int, tables []*table, seed uint64) {
	head := []string{algorithm + ", pool / zsmalloc's: stored", "classes"}
	stores := make([][]*objects, len(storesMiB))
	for i, mib := range storesMiB {
		head = append(head, fmt.Sprintf("%d MiB", mib))
		random := rand.New(rand.NewPCG(seed, uint64(mib)))
		pages := mib << 20 / alloc.PageSize
		stores[i] = append(stores[i], draw(sizes, pages, random))
		for pages < len(sizes) && len(stores[i]) < draws {
			stores[i] = append(stores[i], draw(sizes, pages, random))
		}
	}
	for _, i := range partlyEmptyOf {
		head = append(head, fmt.Sprintf("empty KiB of %d MiB", storesMiB[i]))
	}
	var rows [][]string
	for _, t := range tables {
		row := []string{t.name, fmt.Sprint(len(t.classes) + 1)}
		for _, s := range stores {
			row = append(row, over(t.sum(s, waste.bytes), tables[0].sum(s, waste.bytes)))
		}
		for _, i := range partlyEmptyOf {
			row = append(row, kib(t.sum(stores[i], func(w waste) int { return w.partial })/len(stores[i])))
		}
		rows = append(rows, row)
	}
	report.Table(w, head, rows)
}

// partlyEmptyOf are the stores, by index, whose partly empty zspages are shown.
var partlyEmptyOf = []int{3, 5}

// sum is a figure of the waste of all stores, added up.
func (t *table) sum(stores []*objects, figure func(waste) int) (bytes int) {
	for _, o := range stores {
		bytes += figure(t.store(o))
	}
	return bytes
}

// wasteTable says where the bytes go, for the corpus stored once.
func wasteTable(w io.Writer, algorithm string, sizes []int, tables []*table) {
	var rows [][]string
	all := draw(sizes, len(sizes), nil)
	for _, t := range tables {
		rows = append(rows, wasteRow(t.name, t.store(all)))
	}
	report.Table(w, wasteHead(algorithm+", corpus, KiB"), rows)
}

// freedTable is the pool after most pages were freed, before and after
// compaction.
func freedTable(w io.Writer, algorithm string, sizes []int, tables []*table, o options) {
	kept := keep(len(sizes), o.free, o.seed)
	var rest objects
	for i, size := range sizes {
		if kept[i] {
			rest.add(size, 1)
		}
	}
	var rows [][]string
	base := tables[0].store(&rest).bytes()
	for _, t := range tables {
		before, after := t.freed(sizes, kept), t.store(&rest)
		rows = append(rows, []string{
			t.name, kib(before.bytes()), kib(before.partial), kib(after.bytes()), kib(after.partial), over(after.bytes(), base),
		})
	}
	report.Table(w, []string{fmt.Sprintf("%s, %d %% freed, KiB", algorithm, o.free),
		"pool", "partly empty", "compacted", "partly empty", "/ zsmalloc's"}, rows)
}

// keep picks at random the pages that stay when percent of n are freed.
func keep(n, percent int, seed uint64) []bool {
	kept := make([]bool, n)
	for _, i := range order(n, seed)[n*percent/100:] {
		kept[i] = true
	}
	return kept
}

// order is the pages 0 to n-1 in the order in which they are freed.
func order(n int, seed uint64) []int { return rand.New(rand.NewPCG(seed, 0)).Perm(n) }

func wasteHead(title string) []string {
	return []string{title, "pool", "objects", "headers", "internal", "tail", "partly empty", "waste %"}
}

func wasteRow(name string, w waste) []string {
	return []string{
		name, kib(w.bytes()), kib(w.objects), kib(w.headers), kib(w.internal), kib(w.tail), kib(w.partial),
		fmt.Sprintf("%.2f", 100*(1-float64(w.objects)/float64(max(w.bytes(), 1)))),
	}
}

func kib(bytes int) string { return fmt.Sprint((bytes + 512) >> 10) }

func over(a, b int) string { return fmt.Sprintf("%.4f", float64(a)/float64(b)) }
