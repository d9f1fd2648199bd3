package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"uzram/internal/size"
	"uzram/internal/status"
)

// byteFigures are the statistics that count bytes; all others count pages, requests or milliseconds.
var byteFigures = map[string]bool{
	"disksize": true, "orig_data_size": true, "compr_data_size": true, "mem_used_total": true, "mem_limit": true,
	"mem_used_max": true, "table": true, "pool_meta": true, "backing_meta": true, "streams": true,
	"reserve": true,
}

// printStatus writes the status as a table.
func printStatus(w io.Writer, st status.Status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(t, "%s\t%s\n", name, value) }
	row("directory", st.Dir)
	row("worker pid", strconv.Itoa(st.WorkerPID))
	row("keeper pid", orNone(st.KeeperPID, strconv.Itoa))
	row("transport", fmt.Sprintf("%s, %d workers", st.Transport, st.Workers))
	if ofMany(st) {
		row("devices", devicesText(st.Devices))
	} else {
		row("loop", ownLoop(st))
		row("disk size", setUp(st))
	}
	for _, a := range st.Algorithms {
		row(algorithmName(a), algorithmText(a))
	}
	row("version", st.Version)
	fmt.Fprintln(t, "\nguards")
	for _, g := range st.Guards {
		row("  "+g.Name, guardText(g))
	}
	fmt.Fprintln(t, "\nstatistics")
	for _, f := range st.Stats {
		row("  "+f.Name, withUnit(f))
	}
	row("  ratio", ratio(st.Stats))
	return t.Flush()
}

// ofMany says whether a status is that of a mount with many devices, and not of one of these.
func ofMany(st status.Status) bool { return st.Multi && st.Dir == st.Mount }

// devicesText says how many devices there are.
func devicesText(all []status.Device) string {
	setUp := 0
	var bytes uint64
	for _, d := range all {
		if d.Initialised {
			setUp++
			bytes += d.Disksize
		}
	}
	return fmt.Sprintf("%d, of which %d are set up with %s; uzram list shows them", len(all), setUp, size.Format(bytes))
}

func algorithmName(a status.Algorithm) string {
	if a.Priority == 0 {
		return "algorithm"
	}
	return fmt.Sprintf("algorithm #%d", a.Priority)
}

// algorithmText is the name, what was chosen for it, and what it takes.
func algorithmText(a status.Algorithm) string {
	words := []string{a.Name}
	if a.Level != nil {
		words = append(words, fmt.Sprintf("level %d", *a.Level))
	}
	if a.WinBits != nil {
		words = append(words, fmt.Sprintf("winbits %d", *a.WinBits))
	}
	if a.DictBytes > 0 {
		words = append(words, fmt.Sprintf("dictionary of %d bytes", a.DictBytes))
	}
	if a.Contexts > 0 {
		words = append(words, fmt.Sprintf("%s for %d contexts", size.Format(a.Memory), a.Contexts))
	}
	return strings.Join(words, ", ")
}

// ownLoop is the loop device that the mount attached; a user may have attached
// others.
func ownLoop(st status.Status) string {
	if st.Loop == nil {
		return "none of its own"
	}
	return *st.Loop
}

func setUp(st status.Status) string {
	if !st.Initialised {
		return "not set up"
	}
	return fmt.Sprintf("%d (%s)", st.Disksize, size.Format(st.Disksize))
}

func orNone[T any](v *T, text func(T) string) string {
	if v == nil {
		return "none"
	}
	return text(*v)
}

// guardText is the state, and the reason in brackets.
func guardText(g status.Guard) string {
	if g.Reason == "" {
		return string(g.State)
	}
	return fmt.Sprintf("%s (%s)", g.State, g.Reason)
}

// withUnit adds the size in words to a figure that counts bytes.
func withUnit(f status.Figure) string {
	text := strconv.FormatUint(f.Value, 10)
	if !byteFigures[f.Name] || f.Value < 1024 {
		return text
	}
	return text + " (" + size.Format(f.Value) + ")"
}

// ratio is how many bytes of data one byte of memory holds.
func ratio(stats status.Stats) string {
	data, _ := stats.Get("orig_data_size")
	memory, _ := stats.Get("mem_used_total")
	if memory == 0 {
		return "none: no memory is used"
	}
	return strconv.FormatFloat(float64(data)/float64(memory), 'f', 2, 64)
}
