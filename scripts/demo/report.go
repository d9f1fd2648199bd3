package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/size"
)

// report prints the table, and what the user can do next.
func report(w io.Writer, c config, p place, t *tree, written, read time.Duration) error {
	text, err := ctldir.Open(p.device()).Read("mm_stat")
	if err != nil {
		return err
	}
	var stored, compressed, used uint64
	if _, err := fmt.Sscan(text, &stored, &compressed, &used); err != nil {
		return fmt.Errorf("mm_stat %q: %w", text, err)
	}
	if used == 0 {
		return fmt.Errorf("mm_stat %q: no memory used after %d bytes were written", text, t.bytes)
	}
	mbs := func(d time.Duration) float64 { return float64(t.bytes) / 1e6 / d.Seconds() }
	fmt.Fprintf(w, `
%d files, %s, of %s: every checksum verified through the mount

  algorithm    %s
  stored       %s
  compressed   %s
  memory used  %s
  ratio        %.2f   (stored / memory used)
  write        %.0f MB/s
  read         %.0f MB/s

`, len(t.files), size.Format(uint64(t.bytes)), t.root, c.algorithm,
		size.Format(stored), size.Format(compressed), size.Format(used),
		float64(stored)/float64(used), mbs(written), mbs(read))
	usage(w, c, p)
	return nil
}

func usage(w io.Writer, c config, p place) {
	fmt.Fprintln(w, "It stays up. Try:")
	if os.Getuid() == 0 {
		fmt.Fprintf(w, "  cp -r something %s/\n", p.disk())
	} else {
		fmt.Fprintf(w, "  dd if=/dev/urandom of=%s/image bs=1M count=10 conv=notrunc\n", p.device())
	}
	fmt.Fprintf(w, "  cat %s/mm_stat\n  %s status %s\n  make stop%s\n", p.device(), c.uzram, p.device(), stopArgs(c))
}

// stopArgs is what `make stop` needs to find this demo again.
func stopArgs(c config) string {
	if c.dir == defaultDir() {
		return ""
	}
	return " DIR=" + c.dir
}

// defaultDir is what the Makefile has for DIR.
func defaultDir() string { return fmt.Sprintf("/tmp/uzram-demo-%d", os.Getuid()) }
