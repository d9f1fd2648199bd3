package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestRaw_DD: what dd writes, buffered and direct, in blocks small and large, is what dd and cmp read back.
func TestRaw_DD(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true})
	src := filepath.Join(harness.Dir(t), "src")
	if err := os.WriteFile(src, mixed(32*mib, newSeed(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ to, bs, flags string }{
		{"image", "1M", "conv=notrunc"},
		{"image", "1M", "oflag=direct conv=notrunc"},
		{"image", "4k", "oflag=direct conv=notrunc"},
		{"image", "100000", "conv=notrunc"},
		{"image", "512", "conv=notrunc count=20000"},
		{"loop", "1M", "conv=fsync"},
		{"loop", "64k", "oflag=direct"},
		{"loop", "100000", "conv=fsync"},
	} {
		t.Run(tt.to+"/"+tt.bs+"/"+tt.flags, func(t *testing.T) {
			target := map[string]string{"image": dev.Image, "loop": dev.Loop}[tt.to]
			harness.Run(t, "blkdiscard", "-f", dev.Loop)
			harness.Run(t, "sh", "-c", fmt.Sprintf("dd if=%s of=%s bs=%s %s status=none", src, target, tt.bs, tt.flags))
			n := min(dev.MM().Orig, 32*mib)
			dev.DropCaches()
			for _, from := range []string{dev.Image, dev.Loop} {
				harness.Run(t, "cmp", "-n", fmt.Sprint(n), src, from)
				harness.Run(t, "sh", "-c", fmt.Sprintf("dd if=%s bs=1M iflag=direct status=none | cmp -n %d - %s", from, n, src))
			}
			if n < 9*mib {
				t.Errorf("only %d bytes are stored", n)
			}
		})
	}
}

// TestRaw_Fio: fio writes at random, in blocks of many sizes, one at a time and sixteen at once, and verifies by checksum.
func TestRaw_Fio(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "256M", Loop: true})
	for _, tt := range []struct {
		to, bs string
		args   []string
	}{
		{"image", "512", []string{"--ioengine=psync", "--size=8M"}},
		{"image", "512", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--size=8M"}},
		{"image", "3k", []string{"--ioengine=psync", "--size=12M"}},
		{"image", "4k", []string{"--ioengine=psync", "--direct=1", "--size=64M"}},
		{"image", "4k", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--size=64M"}},
		{"image", "64k", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--size=128M"}},
		{"image", "1M", []string{"--ioengine=psync", "--size=128M"}},
		{"image", "1M", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--size=128M"}},
		{"image", "512-1M", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--size=128M"}},
		{"loop", "4k", []string{"--ioengine=psync", "--direct=1", "--size=32M"}},
		{"loop", "4k", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--size=64M"}},
		{"loop", "1M", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--size=128M"}},
		{"loop", "4k-256k", []string{"--ioengine=psync", "--size=64M", "--end_fsync=1"}},
	} {
		t.Run(fmt.Sprint(tt.to, " ", tt.bs, " ", tt.args[0][len("--ioengine="):]), func(t *testing.T) {
			target := map[string]string{"image": dev.Image, "loop": dev.Loop}[tt.to]
			block := "--bs=" + tt.bs
			if len(tt.bs) > 5 {
				block = "--bsrange=" + tt.bs
			}
			args := append([]string{"fio", "--name=v", "--filename=" + target, "--rw=randrw", block, "--verify=crc32c", "--verify_fatal=1",
				"--verify_state_save=0", "--allow_file_create=0", "--fallocate=none", "--buffer_compress_percentage=50", "--minimal"}, tt.args...)
			res := (&harness.Cmd{Args: args, Dir: harness.Dir(t)}).Try(t)
			if res.Err != nil {
				t.Errorf("%q: %v\n%s%s", args, res.Err, res.Stdout, res.Stderr)
			}
		})
	}
}

// TestRaw_Discard: discard and write-zeroes, through the loop device and on the image, clear what they should and give its
// memory back.
func TestRaw_Discard(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true})
	fd := open(t, dev.Image, unix.O_RDWR)
	data := mixed(16*mib, newSeed(t))
	const off, n = 4 * mib, 8 * mib
	for _, tt := range []struct{ name, command string }{
		{"blkdiscard", fmt.Sprintf("blkdiscard -f -o %d -l %d %s", off, n, dev.Loop)},
		{"blkdiscard -z", fmt.Sprintf("blkdiscard -f -z -o %d -l %d %s", off, n, dev.Loop)},
		{"fallocate -p", fmt.Sprintf("fallocate -p -o %d -l %d %s", off, n, dev.Image)},
		{"fallocate -z", fmt.Sprintf("fallocate -z -n -o %d -l %d %s", off, n, dev.Image)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pwrite(t, fd, data, 0)
			full := dev.MM()
			harness.Run(t, "sh", "-c", tt.command)
			want := bytes.Clone(data)
			clear(want[off : off+n])
			dev.DropCaches()
			expectBytes(t, "image", pread(t, fd, len(want), 0), want)
			after := dev.MM()
			if after.Orig != full.Orig-n || after.Used > full.Used*6/10 {
				t.Errorf("before %+v, after %+v: want half of it given back", full, after)
			}
		})
	}
	t.Run("all of it", func(t *testing.T) {
		harness.Run(t, "blkdiscard", "-f", dev.Loop)
		if mm := dev.MM(); mm.Orig != 0 || mm.Compr != 0 || mm.Used != 0 || mm.Same != 0 || mm.Huge != 0 {
			t.Errorf("mm_stat of an empty device: %+v", mm)
		}
	})
}

// TestRaw_UnalignedHoles: a hole of any offset and length reads as zeros, and nothing beside it changes.
func TestRaw_UnalignedHoles(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "4M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	seed := newSeed(t)
	r := rand.New(rand.NewPCG(seed, 0))
	want := mixed(4*mib, seed)
	pwrite(t, fd, want, 0)
	modes := []uint32{unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE}
	hole := func(off, n int64) {
		t.Helper()
		if err := unix.Fallocate(fd, modes[r.IntN(2)], off, n); err != nil {
			t.Fatalf("hole of %d bytes at %d: %v", n, off, err)
		}
		clear(want[off : off+n])
		expectBytes(t, fmt.Sprintf("image with a hole of %d bytes at %d", n, off), pread(t, fd, len(want), 0), want)
	}
	for _, h := range [][2]int64{{1, 1}, {page - 1, 2}, {2*page - 1, page + 2}, {8*page + 1, page - 2}, {10 * page, 1}, {12*page - 1, 1},
		{20*page + 5, 3 * page}, {4*mib - 1, 1}, {4*mib - page, page}} {
		hole(h[0], h[1])
	}
	for range 50 {
		off := r.Int64N(4 * mib)
		hole(off, r.Int64N(min(20*page, 4*mib-off))+1)
	}
}

// TestRaw_PartialWrites: writes of any offset and length, next to each other in all kinds of pages.
func TestRaw_PartialWrites(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "2M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	seed := newSeed(t)
	r := rand.New(rand.NewPCG(seed, 1))
	want := make([]byte, 2*mib)
	for i := range 400 {
		off := r.Int64N(2 * mib)
		n := min(r.Int64N(10*page)+1, 2*mib-off)
		p := mixed((n+page-1)/page*page, r.Uint64())[:n]
		pwrite(t, fd, p, off)
		copy(want[off:], p)
		if i%40 == 0 {
			expectBytes(t, "image", pread(t, fd, len(want), 0), want)
		}
	}
	expectBytes(t, "image", pread(t, fd, len(want), 0), want)
}

// TestRaw_End: the end of the image is where disksize says, for every call.
func TestRaw_End(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	fd := open(t, dev.Image, unix.O_RDWR)
	p := mixed(2*page, newSeed(t))
	size := func() int64 {
		t.Helper()
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			t.Fatal(err)
		}
		return st.Size
	}
	read := func(off int64) int {
		t.Helper()
		n, err := unix.Pread(fd, make([]byte, 2*page), off)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if size() != 0 || read(0) != 0 {
		t.Errorf("before disksize: size %d, read %d, want 0", size(), read(0))
	}
	if _, err := unix.Pwrite(fd, p, 0); err != unix.ENOSPC {
		t.Errorf("write before disksize: %v, want ENOSPC", err)
	}
	dev.Set("disksize", "1M") // allowed while the image is open
	if size() != mib || read(0) != 2*page || read(mib-page) != page || read(mib-1) != 1 || read(mib) != 0 || read(5*mib) != 0 {
		t.Errorf("1 MiB: size %d, reads %d %d %d %d %d", size(), read(0), read(mib-page), read(mib-1), read(mib), read(5*mib))
	}
	if n, err := unix.Pwrite(fd, p, mib-page); n != page {
		t.Errorf("write across the end: %d, %v; want %d", n, err, page)
	}
	if _, err := unix.Pwrite(fd, p, mib); err != unix.ENOSPC {
		t.Errorf("write at the end: %v, want ENOSPC", err)
	}
	if end, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil || end != mib {
		t.Errorf("seek to the end: %d, %v", end, err)
	}
	if err := unix.Fallocate(fd, 0, 0, page); err != unix.EOPNOTSUPP {
		t.Errorf("plain fallocate: %v, want EOPNOTSUPP", err)
	}
	if err := unix.Fsync(fd); err != nil {
		t.Errorf("fsync: %v", err)
	}
	refuse(t, dev, "reset", "1", unix.EBUSY)
	expectBytes(t, "last page", pread(t, fd, page, mib-page), p[:page])
	shut(t, fd)
	dev.Set("reset", "1") // at once: a close under way is waited for
	if n := dev.Numbers("disksize")[0]; n != 0 {
		t.Errorf("disksize is %d after reset", n)
	}
}

// TestRaw_ResetOwnedLoop: with a loop device of its own, a device may be reset while that loop is unused; anything that
// uses the loop, or another open image, forbids it.
func TestRaw_ResetOwnedLoop(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true})
	reset := func(what string) {
		t.Helper()
		dev.Set("reset", "1")
		if n := deviceSize(t, dev.Loop); n != 0 {
			t.Errorf("%s: the loop device has %d bytes after reset, want 0", what, n)
		}
		dev.Set("disksize", "64M")
		if n := deviceSize(t, dev.Loop); n != 64*mib {
			t.Errorf("%s: the loop device has %d bytes after disksize, want 64 MiB", what, n)
		}
	}
	busy := func(what string) {
		t.Helper()
		refuse(t, dev, "reset", "1", unix.EBUSY)
		if res := harness.Uzram(t, "reset", dev.Dir); res.Code != 4 {
			t.Errorf("%s: uzram reset: status %d, %q; want 4", what, res.Code, res.Stderr)
		}
		if n := dev.Numbers("disksize")[0]; n != 64*mib {
			t.Fatalf("%s: disksize is %d after a refused reset", what, n)
		}
	}
	reset("unused")

	harness.Run(t, "mkfs.ext4", "-q", dev.Loop)
	dir := harness.MountFS(t, dev.Loop)
	busy("mounted")
	harness.Run(t, "umount", dir)
	reset("mounted before")

	harness.Run(t, "mkswap", dev.Loop)
	harness.Undo(t, "swap", dev.Loop)
	harness.Run(t, "swapon", "--discard", dev.Loop)
	busy("swap")
	harness.Run(t, "swapoff", dev.Loop)
	reset("swap before")

	fd := open(t, dev.Loop, unix.O_RDWR|unix.O_EXCL)
	busy("held")
	shut(t, fd)
	reset("held before")

	fd = open(t, dev.Image, unix.O_RDONLY)
	busy("image open")
	shut(t, fd)
	reset("image open before")
}
