package main

import (
	"fmt"
	"strings"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/guard"
	"uzram/internal/status"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// swapMode says whether a mount is swap space.
type swapMode string

const (
	swapNone       swapMode = ""
	swapSafe       swapMode = "swap"            // only if all that makes it safe is there
	swapBesteffort swapMode = "swap-besteffort" // whatever is missing
)

// swapPriority is above that of any disk.
const swapPriority = 100

func swapFlag() cli.Flag {
	return &cli.BoolFlag{DisableDefaultText: true, Name: string(swapSafe),
		Usage: "swap on the disk: --loop, and what mkswap and swapon --discard -p 100 do"}
}

func besteffortFlag() cli.Flag {
	return &cli.BoolFlag{DisableDefaultText: true, Name: string(swapBesteffort),
		Usage: "as --swap, without what it needs to be safe when memory is short"}
}

// args give a child the same mode.
func (m swapMode) args() []string {
	if m == swapNone {
		return nil
	}
	return []string{"--" + string(m)}
}

func parseSwapMode(c *cli.Context) swapMode {
	switch {
	case c.Bool(string(swapBesteffort)):
		return swapBesteffort
	case c.Bool(string(swapSafe)):
		return swapSafe
	}
	return swapNone
}

// parseSwap checks what can be checked of --swap before anything is started.
func (o *mountOptions) parseSwap(c *cli.Context) error {
	o.swap = parseSwapMode(c)
	switch {
	case o.swap == swapNone:
		return nil
	case lastSize(o.settings, "disksize") == 0:
		return usagef("--%s needs the size of the disk: --disksize", o.swap)
	case o.swap == swapSafe && c.Bool("fdstore"):
		return usagef("--%s needs a keeper with a standby, which --fdstore has not; --%s goes on without", o.swap, swapBesteffort)
	case !(guard.Kernel{}).Capable(unix.CAP_SYS_ADMIN):
		return withCode(exitMissing, fmt.Errorf("--%s needs root, for swapon(2) needs CAP_SYS_ADMIN", o.swap))
	}
	if lacks := keeperLacks(c.Bool("keeper"), !c.IsSet("standby") || c.Bool("standby")); o.swap == swapSafe && len(lacks) > 0 {
		return unsafeSwap(lacks)
	}
	o.loop, o.resource = true, guard.Kernel{}.Capable(unix.CAP_SYS_RESOURCE)
	return nil
}

// swapping is what a mount is to be swapped on by.
type swapping struct {
	mode     swapMode
	resource bool // the mount was started with CAP_SYS_RESOURCE, which a confined worker's child has not
}

func (o mountOptions) swapping() swapping { return swapping{o.swap, o.resource} }

// on swaps on the loop device of the mount on dir, which is set up.
func (s swapping) on(dir ctldir.Dir) error {
	m := s.mode
	if m == swapNone {
		return nil
	}
	st, err := waitStandby(dir.Path(), m)
	if err != nil {
		return err
	}
	if lacks := swapLacks(st, s.resource); m == swapSafe && len(lacks) > 0 {
		return unsafeSwap(lacks)
	}
	if st.Loop == nil {
		return fmt.Errorf("%s has no loop device", dir.Path())
	}
	if err := makeSwap(*st.Loop); err != nil {
		return err
	}
	// The signature was the first thing to be stored, and with it the reserve is built.
	if err := waitReserve(dir.Path()); err != nil && m == swapSafe {
		return err
	}
	if err := swapOn(*st.Loop, swapPriority); err != nil {
		return fmt.Errorf("swapon %s: %w", *st.Loop, err)
	}
	return nil
}

// readyWithin is how long a standby and the reserve may take to be ready.
const readyWithin = 10 * time.Second

// waitStandby returns the status once a standby is ready, or when there will be none.
func waitStandby(dir string, m swapMode) (status.Status, error) {
	for end := time.Now().Add(readyWithin); ; time.Sleep(10 * time.Millisecond) {
		st, err := readStatus(dir)
		if err != nil || st.Standby || st.KeeperPID == nil || m == swapBesteffort || time.Now().After(end) {
			return st, err
		}
	}
}

// waitReserve returns when the reserve is full enough to be shown.
func waitReserve(dir string) error {
	for end := time.Now().Add(readyWithin); ; time.Sleep(10 * time.Millisecond) {
		st, err := readStatus(dir)
		if ready, _ := st.Stats.Get("reserve"); err != nil || ready > 0 {
			return err
		}
		if time.Now().After(end) {
			return unsafeSwap([]string{"a reserve of memory for requests to come, for which there is no memory"})
		}
	}
}

func unsafeSwap(lacks []string) error {
	return withCode(exitMissing, fmt.Errorf("to be safe as swap space the mount lacks %s; --%s goes on without",
		strings.Join(lacks, "; and "), swapBesteffort))
}

// swapLacks returns what a mount lacks to be safe as swap space, each with how to get it. resource says that the mount had
// the right to all guards: where it has not, those that need CAP_SYS_RESOURCE are done without.
func swapLacks(st status.Status, resource bool) (lacks []string) {
	for _, need := range []struct{ guard, text string }{
		{guard.Mlock, "locked memory (run it as root with CAP_IPC_LOCK, or as a service with LimitMEMLOCK=infinity)"},
		{guard.IOFlusher, "the mark of an I/O flusher"},
		{guard.OOMScore, "protection from the out-of-memory killer"},
	} {
		if guardActive(st, need.guard) || need.guard != guard.Mlock && !resource {
			continue
		}
		lacks = append(lacks, need.text)
	}
	return append(lacks, keeperLacks(st.KeeperPID != nil, st.Standby)...)
}

func keeperLacks(keeper, standby bool) []string {
	switch {
	case !keeper:
		return []string{"a keeper, for which --keeper must not be false"}
	case !standby:
		return []string{"a standby that is ready, for which --standby must not be false"}
	}
	return nil
}

func guardActive(st status.Status, name string) bool {
	for _, g := range st.Guards {
		if g.Name == name {
			return g.State == status.GuardActive
		}
	}
	return false
}
