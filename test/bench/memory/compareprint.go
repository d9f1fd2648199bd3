package main

import (
	"fmt"
	"io"

	"uzram/test/bench/internal/report"
	"uzram/test/internal/zramdev"
)

func printLives(w io.Writer, o options, all []*life) {
	var stored, left, split [][]string
	for _, l := range all {
		name := l.algorithm + ", " + l.name
		m := l.stored
		stored = append(stored, []string{
			name, fmt.Sprint(m.OrigDataSize), fmt.Sprint(m.ComprDataSize), fmt.Sprint(m.MemUsedTotal),
			fmt.Sprintf("%.3f", float64(m.OrigDataSize)/float64(m.MemUsedTotal)), fmt.Sprint(m.SamePages), fmt.Sprint(m.HugePages),
		})
		left = append(left, []string{
			name, fmt.Sprint(l.compacted.ComprDataSize), fmt.Sprint(l.freed.MemUsedTotal), fmt.Sprint(l.compacted.MemUsedTotal),
			fmt.Sprint(l.fresh.MemUsedTotal), over(int(l.compacted.MemUsedTotal), int(l.fresh.MemUsedTotal)),
		})
		if l.name == "uzram" {
			split = append(split, wasteRow(l.algorithm+", corpus", l.storedWaste), wasteRow(l.algorithm+", compacted", l.leftWaste))
		}
	}
	report.Table(w, []string{"memory for the corpus", "stored", "compressed", "used", "stored/used", "same-filled", "huge"}, stored)
	report.Table(w, []string{fmt.Sprintf("%d %% freed at random", o.free), "compressed", "used", "compacted", "stored anew", "compacted/anew"}, left)
	report.Table(w, wasteHead("where it goes, KiB"), split)
}

// lifeLines writes the ratios: bytes, so theirs go over ours.
func lifeLines(lines io.Writer, all []*life, missing map[string]string) {
	for i, l := range all {
		if l.name != "uzram" {
			continue
		}
		if i+1 < len(all) && all[i+1].algorithm == l.algorithm {
			k := all[i+1]
			report.Ratio(lines, "engine_memory_"+l.algorithm, used(k.stored), used(l.stored))
			report.Ratio(lines, "memory_compacted_"+l.algorithm, used(k.compacted), used(l.compacted))
			report.Ratio(lines, "memory_after_compaction_kernel_"+l.algorithm, used(k.fresh), used(k.compacted))
		} else {
			report.Figure(lines, "engine_memory_"+l.algorithm, used(l.stored), "bytes")
			report.Missing(lines, "engine_memory_"+l.algorithm, missing[l.algorithm])
		}
		report.Ratio(lines, "memory_after_compaction_"+l.algorithm, used(l.fresh), used(l.compacted))
	}
}

func used(m zramdev.Memory) report.Series { return report.Series{float64(m.MemUsedTotal)} }
