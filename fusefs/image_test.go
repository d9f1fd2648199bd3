package fusefs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/internal/zramabi"
)

// fillData makes data of mixed kinds: text, zeros, noise.
func fillData(r *rand.Rand, p []byte) {
	for len(p) > 0 {
		n := min(len(p), 1+r.IntN(6000))
		switch r.IntN(3) {
		case 0:
			for i := range p[:n] {
				p[i] = "the quick brown fox "[(i+n)%20]
			}
		case 1:
			clear(p[:n])
		default:
			for i := range p[:n] {
				p[i] = byte(r.Uint32())
			}
		}
		p = p[n:]
	}
}

// Any offset and length, by several clients at once, each on a part of its own.
func TestMount_ImageKeepsWhatIsWritten(t *testing.T) {
	s := mountedHere(t)
	const clients, part, steps = 3, 4 << 20, 60
	s.set("disksize", fmt.Sprint(clients*part))
	seed := rand.Uint64()
	t.Log("seed", seed)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(c)))
			fd := s.open("image", unix.O_RDWR)
			defer unix.Close(fd)
			base := int64(c * part)
			shadow := make([]byte, part)
			for range steps {
				off := r.IntN(part)
				n := min(part-off, 1+r.IntN([]int{10, 5000, 3 << 20}[r.IntN(3)]))
				if r.IntN(2) == 0 {
					fillData(r, shadow[off:off+n])
					if got, err := unix.Pwrite(fd, shadow[off:off+n], base+int64(off)); got != n || err != nil {
						t.Errorf("write %d at %d: %d, %v", n, off, got, err)
					}
				}
				off = r.IntN(part)
				buf := make([]byte, min(part-off, 1+r.IntN(2<<20)))
				if got, err := unix.Pread(fd, buf, base+int64(off)); got != len(buf) || err != nil {
					t.Errorf("read %d at %d: %d, %v", len(buf), off, got, err)
				}
				if !bytes.Equal(buf, shadow[off:off+len(buf)]) {
					t.Errorf("%d bytes at %d differ", len(buf), off)
				}
			}
		})
	}
	wg.Wait()
}

func TestMount_ImageEnds(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "8192")
	fd := s.open("image", unix.O_RDWR)
	defer unix.Close(fd)
	data := bytes.Repeat([]byte("x"), 8192)
	if n, err := unix.Pwrite(fd, data, 4096); n != 4096 || err != nil {
		t.Errorf("write over the end: %d, %v", n, err)
	}
	if _, err := unix.Pwrite(fd, data, 8192); err != unix.ENOSPC {
		t.Errorf("write at the end: %v", err)
	}
	if got := pread(t, fd, 8192, 8000); len(got) != 192 {
		t.Errorf("read over the end: %d bytes", len(got))
	}
	if got := pread(t, fd, 10, 1<<40); got != "" {
		t.Errorf("read far behind: %q", got)
	}
	for what, err := range map[string]error{
		"ftruncate": unix.Ftruncate(fd, 0),
		"fsync":     unix.Fsync(fd),
		"fdatasync": unix.Fdatasync(fd),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	trunc := s.open("image", unix.O_WRONLY|unix.O_TRUNC)
	defer unix.Close(trunc)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Size != 8192 || st.Blocks != 16 {
		t.Errorf("after truncating: %d bytes, %d blocks, %v", st.Size, st.Blocks, err)
	}
	if got := pread(t, fd, 8192, 4096); got != string(data[:4096]) {
		t.Error("truncating changed the data")
	}
}

func TestMount_HolesAndData(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "1M")
	fd := s.open("image", unix.O_RDWR)
	defer unix.Close(fd)
	page := strings.Repeat("data", 1024)
	for _, i := range []int64{2, 3, 255} {
		if _, err := unix.Pwrite(fd, []byte(page), i*4096); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		off    int64
		whence int
		want   int64 // page, or -1 for ENXIO
	}{
		{0, unix.SEEK_DATA, 2 * 4096},
		{0, unix.SEEK_HOLE, 0},
		{2 * 4096, unix.SEEK_HOLE, 4 * 4096},
		{2*4096 + 5, unix.SEEK_DATA, 2*4096 + 5},
		{4*4096 + 5, unix.SEEK_HOLE, 4*4096 + 5},
		{4 * 4096, unix.SEEK_DATA, 255 * 4096},
		{255 * 4096, unix.SEEK_HOLE, 1 << 20},
		{1 << 20, unix.SEEK_DATA, -1},
		{1 << 20, unix.SEEK_HOLE, -1},
		{-20, unix.SEEK_END, 1<<20 - 20},
	} {
		got, err := unix.Seek(fd, c.off, c.whence)
		if c.want < 0 && err != unix.ENXIO || c.want >= 0 && (got != c.want || err != nil) {
			t.Errorf("lseek %d, %d: %d, %v; want %d", c.off, c.whence, got, err, c.want)
		}
	}
	for mode, want := range map[uint32]error{
		unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE: nil,
		unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE: nil,
		unix.FALLOC_FL_ZERO_RANGE:                            nil,
		0:                                                    unix.EOPNOTSUPP,
		unix.FALLOC_FL_KEEP_SIZE:                             unix.EOPNOTSUPP,
		unix.FALLOC_FL_UNSHARE_RANGE:                         unix.EOPNOTSUPP,
	} {
		if _, err := unix.Pwrite(fd, []byte(page), 2*4096); err != nil {
			t.Fatal(err)
		}
		if err := unix.Fallocate(fd, mode, 2*4096-10, 4096); err != want {
			t.Errorf("fallocate %#x: %v, want %v", mode, err, want)
		}
		zeros := 0
		if want == nil {
			zeros = 4086
		}
		if got := pread(t, fd, 4096, 2*4096); got != strings.Repeat("\x00", zeros)+page[zeros:] {
			t.Errorf("fallocate %#x left something else", mode)
		}
	}
	if err := unix.Fallocate(fd, unix.FALLOC_FL_ZERO_RANGE, 1<<20-4096, 8192); err != unix.EINVAL {
		t.Errorf("zeroing over the end, which would make a file longer: %v", err)
	}
	if err := unix.Fallocate(fd, punchHole, 0, 1<<50); err != nil {
		t.Errorf("punching far over the end: %v", err)
	}
	if m, err := zramabi.ParseMMStat(s.read("mm_stat")); err != nil || m.OrigDataSize != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if io, err := zramabi.ParseIOStat(s.read("io_stat")); err != nil || io.NotifyFree != 256 {
		t.Errorf("%+v, %v", io, err)
	}
}

func TestMount_BlockStatCounts(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "1M")
	fd := s.open("image", unix.O_RDWR)
	for i := range int64(3) {
		if _, err := unix.Pwrite(fd, make([]byte, 8192), i*8192); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := unix.Pwrite(fd, make([]byte, 8192), 1<<20); err != unix.ENOSPC { // not counted: a block layer refuses it
		t.Fatal(err)
	}
	pread(t, fd, 4096, 0)
	if err := unix.Fsync(fd); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fallocate(fd, punchHole, 0, 1<<20); err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	got, err := zramabi.ParseBlockStat(s.read("stat"))
	if err != nil || got.Write.IOs != 3 || got.Write.Sectors != 48 || got.Read.IOs != 1 || got.Read.Sectors != 8 || got.FlushIOs != 1 || got.InFlight != 0 ||
		got.Discard != (zramabi.IOCount{}) {
		t.Errorf("%+v, %v", got, err)
	}
	s.set("reset", "1")
	if got, err := zramabi.ParseBlockStat(s.read("stat")); err != nil || got != (zramabi.BlockStat{}) {
		t.Errorf("after a reset: %+v, %v", got, err)
	}
}

func TestMount_ResetWaitsForCloses(t *testing.T) {
	s := mountedHere(t)
	open := s.open("image", unix.O_RDONLY)
	if err := s.try("reset", "1"); err != unix.EBUSY {
		t.Fatalf("reset of an open image: %v", err)
	}
	unix.Close(open)
	for range 50 {
		s.set("reset", "1")
		s.set("disksize", "1M")
		unix.Close(s.open("image", unix.O_RDWR)) // the server hears of it only later
	}
}
