package harness

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"
)

// Lines reads a process's output line by line with a time limit.
type Lines struct {
	f *os.File
	r *bufio.Reader
}

func newLines(f *os.File) *Lines { return &Lines{f: f, r: bufio.NewReader(f)} }

// Line returns the next line without its end; the test fails if none comes in time.
func (b *Lines) Line(t testing.TB, limit time.Duration) string {
	t.Helper()
	if err := b.limit(limit); err != nil {
		t.Fatal(err)
	}
	line, err := b.r.ReadString('\n')
	if err != nil {
		t.Fatalf("no line of output within %v: %q, %v", limit, line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// Rest returns all that comes until the end.
func (b *Lines) Rest(t testing.TB, limit time.Duration) string {
	t.Helper()
	if err := b.limit(limit); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	if _, err := b.r.WriteTo(&all); err != nil {
		t.Fatalf("output did not end within %v: %v", limit, err)
	}
	return all.String()
}

// Read reads what has come, to its end; see limit.
func (b *Lines) Read(p []byte) (int, error) { return b.r.Read(p) }

// limit sets the time after which reading fails.
func (b *Lines) limit(d time.Duration) error { return b.f.SetReadDeadline(time.Now().Add(d)) }
