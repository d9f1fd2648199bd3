package store

import (
	"reflect"
	"testing"

	"uzram/compress"
)

func TestAlgorithmsInUse(t *testing.T) {
	d, w := newDeviceOn(t, 2, 0, "lz4")
	dict := make([]byte, 3000)
	for _, set := range []func() error{
		func() error { return d.SetAlgorithm("zstd") },
		func() error { return d.SetRecompAlgorithm(2, "deflate") },
		func() error { return d.replaceParams(ParamsRequest{}, compress.Params{Dict: dict}) },
		func() error {
			p := compress.Params{Level: 9, HasLevel: true, WinBits: -15, HasWinBits: true}
			return d.replaceParams(ParamsRequest{Priority: 2, HasPriority: true}, p)
		},
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	want := []AlgorithmUse{
		{Priority: 0, Name: "zstd", Params: compress.Params{Dict: dict}, Memory: 3000},
		{Priority: 2, Name: "deflate", Params: compress.Params{Level: 9, HasLevel: true, WinBits: -15, HasWinBits: true}},
	}
	if got := d.AlgorithmsInUse(); !reflect.DeepEqual(got, want) {
		t.Fatalf("before set-up: %+v, want %+v", got, want)
	}
	if err := d.SetDisksize(PageSize); err != nil {
		t.Fatal(err)
	}
	l := d.live.Load()
	// The workers' streams and the crew's readers; the crew's writers, and readers
	// of both.
	crew := l.crew.workers
	want[0].Contexts, want[1].Contexts = w.Len()+len(crew), 2*len(crew)+w.Len()
	want[0].Memory += 2*uint64(l.streams[0].MemoryUsage()) + uint64(len(crew)*crew[0].readers[0].MemoryUsage())
	want[1].Memory = uint64(len(crew)*crew[0].writers[2].MemoryUsage() + (len(crew)+2)*crew[0].readers[2].MemoryUsage())
	if got := d.AlgorithmsInUse(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := d.Stats().Streams; got != want[0].Memory+want[1].Memory {
		t.Errorf("the streams figure is %d, want the sum of %+v", got, want)
	}
}
