package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// dictReport is what uzram dict train --json says, as far as the story goes.
type dictReport struct {
	Bytes         int     `json:"bytes"`
	Sampled       int     `json:"pages_sampled"`
	IdleMarksLost int     `json:"idle_marks_lost"`
	Gain          float64 `json:"gain_percent"`
	Helps         bool    `json:"helps"`
}

// TestDict: a dictionary learnt from a live device makes another one, with other pages of the same kind, keep them in less
// memory, by about as much as was promised.
func TestDict(t *testing.T) {
	for _, algorithm := range []string{"zstd", "lz4", "lz4hc"} {
		t.Run(algorithm, func(t *testing.T) { learnAndUse(t, algorithm) })
	}
}

func learnAndUse(t *testing.T, algorithm string) {
	const pages = 1536
	teacher := harness.Mount(t, harness.Options{Disksize: "64M", Algorithm: algorithm})
	taught := journal(pages, 1)
	fd := open(t, teacher.Image, unix.O_RDWR)
	pwrite(t, fd, taught, 3*mib)
	pwrite(t, fd, make([]byte, mib), 40*mib) // same-filled: not to be looked at

	file := filepath.Join(harness.Dir(t), "learnt dict")
	report := train(t, "--algorithm", algorithm, "-o", file, teacher.Dir)
	if report.Sampled != pages || !report.Helps || report.Gain < 5 {
		t.Fatalf("%+v", report)
	}
	expectBytes(t, "the device learnt from", pread(t, fd, len(taught), 3*mib), taught)
	shut(t, fd)
	if st, err := os.Stat(file); err != nil || st.Mode() != 0o600 || st.Size() != int64(report.Bytes) {
		t.Errorf("the dictionary: %v, %v", st, err)
	}

	stored := func(with string) int64 {
		dev := harness.Mount(t, harness.Options{Algorithm: algorithm})
		if with != "" {
			dev.Set("algorithm_params", fmt.Sprintf("algo=%s dict=%q", algorithm, with))
		}
		dev.Set("disksize", "64M")
		fd := open(t, dev.Image, unix.O_RDWR)
		fresh := journal(pages, 2)
		pwrite(t, fd, fresh, 0)
		expectBytes(t, "the device that uses it", pread(t, fd, len(fresh), 0), fresh)
		shut(t, fd)
		return dev.MM().Compr
	}
	without, with := stored(""), stored(file)
	gain := 100 * (1 - float64(with)/float64(without))
	t.Logf("%s: %d bytes without, %d with the dictionary: %.1f %%, promised %.1f %%", algorithm, without, with, gain, report.Gain)
	if gain < report.Gain-2 || gain > report.Gain+2 {
		t.Errorf("%.1f %% saved, promised %.1f %%", gain, report.Gain)
	}
}

// TestDictIdle: reading pages takes their idle marks off, which is said and can be avoided.
func TestDictIdle(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "16M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, journal(1024, 3), 0)
	dev.Set("idle", "all")
	pwrite(t, fd, journal(512, 4), 0)
	shut(t, fd)
	idle := func() int { return strings.Count(dev.Get("debug/block_state"), " ...i") }
	file := filepath.Join(harness.Dir(t), "dict")
	if r := train(t, "--spare-idle", "-o", file, dev.Dir); r.Sampled != 512 || r.IdleMarksLost != 0 || idle() != 512 {
		t.Errorf("--spare-idle: %+v; %d pages are marked, want 512", r, idle())
	}
	if r := train(t, "--samples", "512", "--force", "-o", file, dev.Dir); r.Sampled != 512 || r.IdleMarksLost != 256 || idle() != 256 {
		t.Errorf("%+v; %d pages are marked, want 256", r, idle())
	}
}

func train(t *testing.T, args ...string) (r dictReport) {
	t.Helper()
	res := harness.Uzram(t, append([]string{"dict", "train", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(res.Stdout), &r); err != nil || res.Err != nil || res.Stderr != "" {
		t.Fatalf("dict train %q: %v, %v: %s%s", args, res.Err, err, res.Stdout, res.Stderr)
	}
	return r
}

// journal returns pages of a log: lines of one make with words of one language.
func journal(pages int, seed uint64) []byte {
	language := rand.New(rand.NewPCG(7, 7))
	var words []string
	for range 300 {
		word := make([]byte, 3+language.IntN(9))
		for i := range word {
			word[i] = byte('a' + language.IntN(26))
		}
		words = append(words, string(word))
	}
	r := rand.New(rand.NewPCG(seed, 7))
	text := make([]byte, 0, pages*page+1024)
	for len(text) < pages*page {
		text = fmt.Appendf(text, "2026-11-21T%02d:%02d:%02d.%06dZ %s[%d]: level=%s request=%016x", r.IntN(24), r.IntN(60), r.IntN(60),
			r.IntN(1e6), words[r.IntN(20)], r.IntN(1<<15), []string{"info", "warn", "error"}[r.IntN(3)], r.Uint64())
		for range 3 + r.IntN(9) {
			text = append(append(text, ' '), words[r.IntN(len(words))]...)
		}
		text = append(text, '\n')
	}
	return text[:pages*page]
}
