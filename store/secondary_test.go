package store

import (
	"errors"
	"syscall"
	"testing"

	"uzram/compress"
)

func TestRecompAlgorithms(t *testing.T) {
	d, _ := newDeviceOn(t, 1, 0, "lz4")
	for _, c := range []struct {
		priority int
		name     string
		want     syscall.Errno
	}{
		{0, "zstd", syscall.EINVAL},
		{4, "zstd", syscall.EINVAL},
		{-1, "zstd", syscall.EINVAL},
		{1, "nosuch", syscall.EINVAL},
		{1, "", syscall.EINVAL},
		{1, "zstd", 0},
		{3, "deflate", 0},
		{3, "lz4", 0}, // replaces it; the primary's may be used again
	} {
		wantErrno(t, c.name, d.SetRecompAlgorithm(c.priority, c.name), c.want)
	}
	for priority, want := range map[int]string{-1: "", 0: "", 1: "zstd", 2: "", 3: "lz4", 4: ""} {
		if got := d.RecompAlgorithm(priority); got != want {
			t.Errorf("priority %d has %q, want %q", priority, got, want)
		}
	}
	// Parameters by name reach the first that has the algorithm.
	level := func(n int32) compress.Params { return compress.Params{Level: n, HasLevel: true} }
	for _, r := range []ParamsRequest{
		{Algo: "zstd", Params: level(99)},
		{Algo: "lz4", Priority: 3, HasPriority: true, Params: level(2)},
	} {
		if err := d.SetParams(r); err != nil {
			t.Error(err)
		}
	}
	wantErrno(t, "not at that priority", d.SetParams(ParamsRequest{Algo: "zstd", Priority: 2, HasPriority: true}), syscall.EINVAL)
	if p := d.settings.params; p[0].HasLevel || p[1].Level != 99 || p[3].Level != 2 {
		t.Errorf("parameters are %+v", p)
	}

	// A secondary algorithm that refuses its parameters takes all choices back.
	wantErrno(t, "disksize", d.SetDisksize(PageSize), syscall.EINVAL)
	if d.Initialised() || d.RecompAlgorithm(1) != "" || d.RecompAlgorithm(3) != "" {
		t.Error("a set-up that was refused left choices")
	}

	// Choosing one again drops its parameters.
	d.SetRecompAlgorithm(2, "zstd")
	d.SetParams(ParamsRequest{Priority: 2, HasPriority: true, Params: level(99)})
	d.SetRecompAlgorithm(2, "zstd")
	setUp(t, d, "lz4", 1)
	wantErrno(t, "when set up", d.SetRecompAlgorithm(1, "zstd"), syscall.EBUSY)
	wantErrno(t, "unknown when set up", d.SetRecompAlgorithm(1, "nosuch"), syscall.EINVAL)
	wantErrno(t, "priority 4 when set up", d.SetRecompAlgorithm(4, "zstd"), syscall.EINVAL)
}

// counted is a codec that knows how many of its streams are open, and opens at
// most most.
type counted struct {
	compress.Codec
	open, opened, most int
}

var errTooMany = errors.New("too many streams")

func (c *counted) NewStream(p compress.Params) (compress.Stream, error) {
	if c.opened++; c.opened > c.most {
		return nil, errTooMany
	}
	s, err := c.Codec.NewStream(p)
	c.open++
	return &countedStream{s, c}, err
}

type countedStream struct {
	compress.Stream
	codec *counted
}

func (s *countedStream) Close() error {
	s.codec.open--
	return s.Stream.Close()
}

// A set-up that fails at any of its streams leaves none open, and so does a
// reset.
func TestStreamsAreClosed(t *testing.T) {
	d, w := newDeviceOn(t, 3, 0, "lz4")
	c := &counted{Codec: newHooked(t, "lz4")}
	d.extra = []compress.Codec{c}
	for ; ; c.most++ {
		c.opened = 0
		if err := d.SetAlgorithm(c.Name()); err != nil {
			t.Fatal(err)
		}
		for priority := 1; priority < priorities; priority++ {
			if err := d.SetRecompAlgorithm(priority, c.Name()); err != nil {
				t.Fatal(err)
			}
		}
		err := d.SetDisksize(PageSize)
		if err == nil {
			break
		}
		if !errors.Is(err, errTooMany) || c.open != 0 || d.Initialised() {
			t.Fatalf("after %d streams: %v, %d are open", c.most, err, c.open)
		}
	}
	// The workers' contexts of each algorithm, a reader of each and a writer of each
	// but the primary for every one of the crew.
	crew := len(d.live.Load().crew.workers)
	if want := priorities*(w.Len()+crew) + (priorities-1)*crew; c.open != want {
		t.Errorf("%d streams, want %d", c.open, want)
	}
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	if c.open != 0 {
		t.Errorf("%d streams open after the reset", c.open)
	}
	// Without secondary algorithms there are the workers' only.
	c.opened = 0
	setUp(t, d, c.Name(), 1)
	if c.open != w.Len() {
		t.Errorf("%d streams of %d workers", c.open, w.Len())
	}
}
