package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// A visitor opens the image again and again, for a few requests each time, in a part of it that is his. From one visit to
// the next that part is either as he left it or, after a reset, all zeros; from his open to his close nothing but his own
// writes may change it.
type visitorOrders struct {
	Image       string
	Start, Size int64
	Seed        uint64
	For         time.Duration
	UntilGone   bool // the image may go away, which ends it
}

type visitorReport struct {
	Visits, Unset, Refused, Resets int // Unset: without disksize; Refused: opens, by EBUSY
	Gone                           bool
}

func init() { harness.Role("visitor", visit) }

func startVisitor(t *testing.T, o visitorOrders) *harness.Proc {
	t.Helper()
	orders, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return harness.StartRole(t, "visitor", string(orders))
}

// visitorResult waits for a visitor's end; the test fails if he found what must not be.
func visitorResult(t *testing.T, p *harness.Proc) (r visitorReport) {
	t.Helper()
	text := p.Stdout.Rest(t, patience)
	if code, stderr := p.Wait(t, patience); code != 0 {
		t.Fatalf("visitor: status %d: %s", code, stderr)
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("visitor: %v in %q", err, text)
	}
	return r
}

type visitor struct {
	visitorOrders
	r      *rand.Rand
	want   []byte
	report visitorReport
}

func visit(in io.Reader, out io.Writer) error {
	v := &visitor{}
	if err := json.NewDecoder(in).Decode(&v.visitorOrders); err != nil {
		return err
	}
	v.r = rand.New(rand.NewPCG(v.Seed, uint64(v.Start)))
	v.want = make([]byte, v.Size)
	for end := time.Now().Add(v.For); time.Now().Before(end) && !v.report.Gone; {
		fd, err := unix.Open(v.Image, unix.O_RDWR|unix.O_CLOEXEC, 0)
		switch {
		case err == nil:
			if err := v.stay(fd); err != nil {
				return err
			}
			if err := unix.Close(fd); err != nil {
				return fmt.Errorf("close: %w", err)
			}
		case err == unix.EBUSY:
			v.report.Refused++
		case v.UntilGone && (err == unix.ENOENT || err == unix.ENOTCONN):
			v.report.Gone = true
		default:
			return fmt.Errorf("open: %w", err)
		}
		time.Sleep(time.Duration(v.r.Int64N(int64(3 * time.Millisecond))))
	}
	return json.NewEncoder(out).Encode(v.report)
}

// stay is one visit.
func (v *visitor) stay(fd int) error {
	v.report.Visits++
	got := make([]byte, v.Size)
	n, err := unix.Pread(fd, got, v.Start)
	if err == nil && n == 0 {
		v.report.Unset++
		clear(v.want) // it comes back with zeros
		return nil
	}
	if err != nil || n != len(got) {
		return fmt.Errorf("read of all: %d, %w", n, err)
	}
	if !bytes.Equal(got, v.want) {
		if !bytes.Equal(got, make([]byte, v.Size)) {
			return fmt.Errorf("at %d it is neither as it was nor all zeros (seed %#x)", v.Start, v.Seed)
		}
		v.report.Resets++
		clear(v.want)
	}
	for range v.r.IntN(5) {
		off := v.r.Int64N(v.Size)
		p := make([]byte, (v.Size-off+page-1)&^(page-1))
		harness.FillMixed(p, v.r.Uint64())
		p = p[:v.r.Int64N(v.Size-off)+1]
		if n, err := unix.Pwrite(fd, p, v.Start+off); err != nil || n != len(p) {
			return fmt.Errorf("write of %d bytes at %d: %d, %w", len(p), v.Start+off, n, err)
		}
		copy(v.want[off:], p)
	}
	if n, err := unix.Pread(fd, got, v.Start); err != nil || n != len(got) || !bytes.Equal(got, v.want) {
		return fmt.Errorf("at %d its own writes are not there (seed %#x): %d, %w", v.Start, v.Seed, n, err)
	}
	return nil
}

// startVisitors starts some on an image, each in a part of his own; the parts meet within pages.
func startVisitors(t *testing.T, o visitorOrders, n int64) (procs []*harness.Proc) {
	t.Helper()
	for i := range n {
		o := o
		o.Size = 5*page + 123
		o.Start = i * o.Size
		procs = append(procs, startVisitor(t, o))
	}
	return procs
}

// visitorsResult is the sum of all visitors' reports.
func visitorsResult(t *testing.T, procs []*harness.Proc) (sum visitorReport) {
	t.Helper()
	for _, p := range procs {
		r := visitorResult(t, p)
		sum.Visits, sum.Unset, sum.Refused, sum.Resets = sum.Visits+r.Visits, sum.Unset+r.Unset, sum.Refused+r.Refused, sum.Resets+r.Resets
		sum.Gone = sum.Gone || r.Gone
	}
	t.Logf("%+v", sum)
	return sum
}
