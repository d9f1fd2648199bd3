package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ScribbleOrders say what a scribbler does: it has a range of the image to itself, keeps a copy of what must be there, and
// writes, reads and punches holes at random offsets and lengths until the time is over or SIGTERM comes. At the end it looks
// at all.
type ScribbleOrders struct {
	Image       string
	Start, Size int64
	Seed        uint64
	For         time.Duration
	// Full says that writes may fail with EIO because of the memory limit. The page that failed and those after it must
	// then be as before, those before it as written.
	Full bool
	// WholeHoles makes holes of whole pages only, as a block device wants them.
	WholeHoles bool
}

// ScribbleReport is what a scribbler did.
type ScribbleReport struct{ Writes, Reads, Holes, Refused int }

func init() { Role("scribble", scribble) }

// StartScribbler starts a scribbler in a process of its own.
func StartScribbler(t testing.TB, o ScribbleOrders) *Proc {
	t.Helper()
	orders, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return StartRole(t, "scribble", string(orders))
}

// ScribblerResult waits for a scribbler's end; the test fails if it found wrong data.
func ScribblerResult(t testing.TB, p *Proc, limit time.Duration) (r ScribbleReport) {
	t.Helper()
	text := p.Stdout.Rest(t, limit)
	if code, stderr := p.Wait(t, undoTimeout); code != 0 {
		t.Fatalf("scribbler: status %d: %s", code, stderr)
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("scribbler: %v in %q", err, text)
	}
	return r
}

type scribbler struct {
	ScribbleOrders
	fd     int
	r      *rand.Rand
	want   []byte // what the range must hold
	buf    []byte
	report ScribbleReport
}

func scribble(in io.Reader, out io.Writer) error {
	s := &scribbler{}
	if err := json.NewDecoder(in).Decode(&s.ScribbleOrders); err != nil {
		return err
	}
	var err error
	if s.fd, err = unix.Open(s.Image, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	s.r = rand.New(rand.NewPCG(s.Seed, uint64(s.Start)))
	s.want, s.buf = make([]byte, s.Size), make([]byte, s.Size)
	if err := s.adopt(); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM)
	for end := time.Now().Add(s.For); time.Now().Before(end) && len(stop) == 0; {
		if err := s.step(); err != nil {
			return err
		}
	}
	if err := s.check(0, s.Size); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(s.report)
}

// adopt takes what is in the range now as what must be there.
func (s *scribbler) adopt() error {
	_, err := unix.Pread(s.fd, s.want, s.Start)
	return err
}

// step does one thing at random. Offsets and lengths are bytes, pages or runs of pages.
func (s *scribbler) step() error {
	off := s.r.Int64N(s.Size)
	n := s.r.Int64N(64*PageSize) + 1
	switch s.r.IntN(3) {
	case 0: // whole pages
		off &^= PageSize - 1
		n = (n + PageSize - 1) &^ (PageSize - 1)
	case 1: // one page, or a part of it
		n = min(n, PageSize-off%PageSize)
	}
	n = min(n, s.Size-off)
	switch k := s.r.IntN(10); {
	case k < 5:
		return s.write(off, n)
	case k < 9:
		return s.check(off, n)
	default:
		return s.punch(off, n)
	}
}

func (s *scribbler) write(off, n int64) error {
	data := make([]byte, (n+PageSize-1)&^(PageSize-1))
	FillMixed(data, s.r.Uint64())
	data = data[:n]
	written, err := unix.Pwrite(s.fd, data, s.Start+off)
	s.report.Writes++
	if err == nil && int64(written) == n {
		copy(s.want[off:], data)
		return nil
	}
	if s.Full && (err == unix.EIO || err == nil) {
		s.report.Refused++
		return s.afterRefusal(off, data)
	}
	return fmt.Errorf("write of %d bytes at %d: %d, %w", n, s.Start+off, written, err)
}

// afterRefusal checks that each page of a failed write is wholly old or wholly new, new ones first.
func (s *scribbler) afterRefusal(off int64, data []byte) error {
	n := int64(len(data))
	got := s.buf[:n]
	if m, err := unix.Pread(s.fd, got, s.Start+off); err != nil || int64(m) != n {
		return fmt.Errorf("read of %d bytes at %d after a refused write: %d, %w", n, s.Start+off, m, err)
	}
	stillNew := true
	for at := int64(0); at < n; {
		end := min(n, at+PageSize-(off+at)%PageSize)
		isNew := bytes.Equal(got[at:end], data[at:end])
		isOld := bytes.Equal(got[at:end], s.want[off+at:off+end])
		if !isOld && !(isNew && stillNew) {
			return fmt.Errorf("refused write of %d bytes at %d: the page at %d is new: %v, old: %v, all before new: %v",
				n, s.Start+off, s.Start+off+at, isNew, isOld, stillNew)
		}
		stillNew = stillNew && isNew
		at = end
	}
	copy(s.want[off:], got)
	return nil
}

func (s *scribbler) punch(off, n int64) error {
	if s.WholeHoles {
		off &^= PageSize - 1
		n = max(n&^(PageSize-1), PageSize)
	}
	s.report.Holes++
	if err := unix.Fallocate(s.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, s.Start+off, n); err != nil {
		if s.Full && err == unix.EIO { // a partial page has to be stored anew
			s.report.Refused++
			return s.afterRefusedPunch(off, n)
		}
		return fmt.Errorf("punch of %d bytes at %d: %w", n, s.Start+off, err)
	}
	clear(s.want[off : off+n])
	return nil
}

// afterRefusedPunch takes over what is there, if each byte is the old one or zero.
func (s *scribbler) afterRefusedPunch(off, n int64) error {
	got := s.buf[:n]
	if m, err := unix.Pread(s.fd, got, s.Start+off); err != nil || int64(m) != n {
		return fmt.Errorf("read of %d bytes at %d after a refused punch: %d, %w", n, s.Start+off, m, err)
	}
	for i, b := range got {
		if b != 0 && b != s.want[off+int64(i)] {
			return fmt.Errorf("refused punch of %d bytes at %d: byte %d is neither old nor zero", n, s.Start+off, i)
		}
	}
	copy(s.want[off:], got)
	return nil
}

func (s *scribbler) check(off, n int64) error {
	s.report.Reads++
	got := s.buf[:n]
	m, err := unix.Pread(s.fd, got, s.Start+off)
	if err != nil || int64(m) != n {
		return fmt.Errorf("read of %d bytes at %d: %d, %w", n, s.Start+off, m, err)
	}
	if !bytes.Equal(got, s.want[off:off+n]) {
		i := int64(0)
		for got[i] == s.want[off+i] {
			i++
		}
		return fmt.Errorf("read of %d bytes at %d (seed %d): byte %d is %#02x, want %#02x",
			n, s.Start+off, s.Seed, s.Start+off+i, got[i], s.want[off+i])
	}
	return nil
}
