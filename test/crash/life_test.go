package crash

import (
	"bytes"
	"fmt"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// live is one life of a disk: chosen, set up, written, read, reset.
func live(r *rig, i int) error {
	algorithm := []string{"lz4", "zstd", "lzo-rle"}[i%3]
	size := int64(i%5+1) * mib
	for _, v := range []verb{
		{attr: "comp_algorithm", command: always(algorithm)},
		{attr: "disksize", command: always(fmt.Sprint(size)), reads: always(fmt.Sprint(size))},
		{attr: "mem_limit", command: always("32M")},
	} {
		if err := v.give(r, i); err != nil {
			return err
		}
	}
	if err := useDisk(r.Image, size, uint64(i)); err != nil {
		return err
	}
	reset := verb{attr: "reset", command: always("1")}
	if err := reset.give(r, i); err != nil {
		return err
	}
	text, err := harness.ReadFile(r.Path("mm_stat"))
	if err != nil {
		return err
	}
	for _, f := range bytes.Fields([]byte(text)) {
		if string(f) != "0" {
			return fmt.Errorf("mm_stat after reset: %s", text)
		}
	}
	return nil
}

// useDisk wants zeros, writes one page at the end and another at the start, and wants them.
func useDisk(image string, size int64, seed uint64) error {
	fd, err := unix.Open(image, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	want, got := make([]byte, page), make([]byte, page)
	for pass := range uint64(2) {
		for _, at := range []int64{size - page, 0} {
			if n, err := unix.Pread(fd, got, at); err != nil || n != page {
				return fmt.Errorf("read at %d: %d, %w", at, n, err)
			}
			if pass == 0 {
				clear(want)
			} else {
				harness.FillPage(want, harness.Half, seed<<1|uint64(min(at, 1)))
			}
			if !bytes.Equal(got, want) {
				return fmt.Errorf("pass %d: the page at %d is not what it should be", pass, at)
			}
			if pass > 0 {
				continue
			}
			harness.FillPage(want, harness.Half, seed<<1|uint64(min(at, 1)))
			if n, err := unix.Pwrite(fd, want, at); err != nil || n != page {
				return fmt.Errorf("write at %d: %d, %w", at, n, err)
			}
		}
	}
	return nil
}
