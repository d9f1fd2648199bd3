package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// linked returns both ends of a link.
func linked(t *testing.T) (*starter, int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &starter{fd: pair[0]}
	t.Cleanup(func() {
		unix.Close(pair[1])
		if s.fd >= 0 {
			unix.Close(s.fd)
		}
	})
	return s, pair[1]
}

// fdReader reads a descriptor that somebody else owns.
type fdReader int

func (fd fdReader) Read(p []byte) (int, error) {
	n, err := unix.Read(int(fd), p)
	if n <= 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

func TestStarter(t *testing.T) {
	t.Run("kept", func(t *testing.T) {
		t.Chdir(t.TempDir())
		s, peer := linked(t)
		done := make(chan error, 1)
		go func() { done <- s.mounted("/dev/loop7") }()
		r, err := await(fdReader(peer))
		if err != nil || r.Loop != "/dev/loop7" {
			t.Fatalf("report %+v, %v", r, err)
		}
		for _, part := range []string{keep[:2], keep[2:]} {
			if _, err := unix.Write(peer, []byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		s.settled()
		if r, err := await(fdReader(peer)); err != nil || r != (report{}) {
			t.Errorf("report %+v, %v after settled; want an empty one", r, err)
		}
		s.failed(errors.New("later")) // must not go to whatever has that descriptor now
		if n, err := unix.Read(peer, make([]byte, 64)); n != 0 || err != nil {
			t.Errorf("read %d, %v after settled; want the end", n, err)
		}
	})
	t.Run("given up", func(t *testing.T) {
		s, peer := linked(t)
		if err := unix.Shutdown(peer, unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		if err := s.mounted(""); err == nil {
			t.Error("mounted returned no error although the starter gave up")
		}
	})
	t.Run("starter gone", func(t *testing.T) {
		s, peer := linked(t)
		if err := unix.Shutdown(peer, unix.SHUT_RDWR); err != nil {
			t.Fatal(err)
		}
		if err := s.mounted(""); !errors.Is(err, unix.EPIPE) {
			t.Errorf("got %v, want EPIPE and no signal", err)
		}
	})
	t.Run("failed", func(t *testing.T) {
		s, peer := linked(t)
		s.failed(nil)
		s.failed(withCode(exitMissing, errors.New("no\nright")))
		r, err := await(fdReader(peer))
		if exitCode(err) != exitMissing || err == nil || err.Error() != "no; right" {
			t.Errorf("report %+v, %v", r, err)
		}
	})
}

// TestServedOn: a worker that ended without a report has failed only if nobody answers in its place.
func TestServedOn(t *testing.T) {
	dir := t.TempDir()
	if servedOn(io.EOF, dir) {
		t.Error("nobody answers")
	}
	if err := os.Mkdir(filepath.Join(dir, "debug"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "debug", "status"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !servedOn(io.EOF, dir) || servedOn(errors.New("refused"), dir) {
		t.Error("a mount that answers is a success after the end of the link, and after nothing else")
	}
}

func TestAwait_Malformed(t *testing.T) {
	for text, want := range map[string]error{"": io.EOF, "{": io.EOF, "{}": io.EOF} {
		if _, err := await(strings.NewReader(text)); !errors.Is(err, want) {
			t.Errorf("await(%q): %v, want %v", text, err, want)
		}
	}
	if _, err := await(strings.NewReader("junk\n")); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("await(junk): %v, want an error of its own", err)
	}
}
