package dictionary

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"uzram/compress"
)

// How much a dictionary must save where it is all that can help, and where it helps as with many data.
func TestTrainAndJudge(t *testing.T) {
	for _, c := range []struct {
		name        string
		pages       func(n int, seed uint64) [][]byte
		least, most float64
	}{
		{"phrases", phrasePages, 0.50, 0.70},
		{"text", textPages, 0.10, 0.50},
	} {
		trained, held := c.pages(100, 1), c.pages(32, 2)
		for _, f := range []struct {
			algorithm string
			raw       bool
		}{{"zstd", false}, {"zstd", true}, {"lz4", false}, {"lz4hc", false}} {
			t.Run(fmt.Sprintf("%s/%s/raw=%v", c.name, f.algorithm, f.raw), func(t *testing.T) {
				dict, other, err := Train(trained, f.algorithm, 5<<10, f.raw)
				if err != nil || len(dict) > 5<<10 || (other != nil) != (f.algorithm == "zstd") {
					t.Fatalf("%d bytes, %d in the other form, %v", len(dict), len(other), err)
				}
				if tables := bytes.HasPrefix(dict, []byte{0x37, 0xa4, 0x30, 0xec}); tables != (f.algorithm == "zstd" && !f.raw) {
					t.Errorf("entropy tables: %v", tables)
				}
				held := held
				if f.algorithm == "lz4hc" {
					held = held[:8] // the race detector makes it very slow
				}
				j, err := Judge(f.algorithm, compress.Params{Dict: dict}, held)
				if err != nil || j.Gain() < c.least || j.Gain() > c.most || !j.Helps() || j.Pages != len(held) {
					t.Errorf("%+v, gain %.3f, %v", j, j.Gain(), err)
				}
				if j.CompressSpeed <= 0 || j.DecompressSpeed <= 0 {
					t.Errorf("speeds %+v", j)
				}
				if stored, err := Stored(f.algorithm, compress.Params{Dict: dict}, held); err != nil || stored != j.With {
					t.Errorf("%d bytes stored, %v; the judgement says %d", stored, err, j.With)
				}
			})
		}
	}
}

// A dictionary of other data cannot help.
func TestJudge_NoHelp(t *testing.T) {
	dict, _, err := Train(phrasePages(40, 1), "lz4", 5<<10, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, pages := range map[string][][]byte{"noise": noisePages(32, 9), "lonely": lonelyPages(32, 9)} {
		j, err := Judge("lz4", compress.Params{Dict: dict}, pages)
		if err != nil || j.Helps() {
			t.Errorf("%s: %+v, gain %.4f, %v", name, j, j.Gain(), err)
		}
		if name == "noise" && (j.Without != 32*pageSize || j.Ratio(j.With) != 1) {
			t.Errorf("pages that do not compress are stored raw: %+v", j)
		}
	}
}

func TestTrain_NothingShared(t *testing.T) {
	for _, raw := range []bool{false, true} {
		if _, _, err := Train(noisePages(100, 1), "zstd", 4096, raw); !errors.Is(err, ErrNothingShared) {
			t.Errorf("raw %v: %v", raw, err)
		}
	}
}

func TestTrain_SameInputSameOutput(t *testing.T) {
	pages := textPages(80, 1)
	a, _, err := Train(pages, "zstd", 5<<10, false)
	b, _, berr := Train(pages, "zstd", 5<<10, false)
	if err != nil || berr != nil || !bytes.Equal(a, b) {
		t.Errorf("%v, %v: %d bytes and %d others", err, berr, len(a), len(b))
	}
}

// Tables take room from the front of the content, whatever size is asked for, and random pages do not spoil them.
func TestWithTables(t *testing.T) {
	pages := textPages(80, 1)
	for _, size := range []int{LeastSize, MaxSize} {
		content := Content(pages, size)
		dict, err := WithTables(content, pages, size)
		if err != nil || len(dict) > size {
			t.Fatalf("size %d: %d bytes, %v", size, len(dict), err)
		}
		if n := len(content) / 2; !bytes.HasSuffix(dict, content[n:]) {
			t.Errorf("size %d: the content is not at the end", size)
		}
		spoilt, err := WithTables(content, append(noisePages(80, 1), pages...), size)
		if err != nil || !bytes.Equal(spoilt, dict) {
			t.Errorf("size %d: random pages changed the tables; %v", size, err)
		}
	}
}

func TestSplitCheck(t *testing.T) {
	pages := noisePages(LeastTrained, 1)
	enough := Split{Trained: pages, Held: pages[:LeastHeld]}
	if err := enough.Check(); err != nil {
		t.Error(err)
	}
	for _, s := range []Split{{}, {Trained: pages[1:], Held: pages[:LeastHeld]}, {Trained: pages, Held: pages[:LeastHeld-1]}} {
		if err := s.Check(); !errors.Is(err, ErrTooFew) {
			t.Errorf("%d and %d pages: %v", len(s.Trained), len(s.Held), err)
		}
	}
}
