package crash

import (
	"strings"
	"sync"
	"testing"
	"time"

	"uzram/internal/size"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestTakeOverTime: how long nobody is answered when a worker dies, by how much is stored. The time ends with the first read
// that began after the death; it is shown and not judged.
func TestTakeOverTime(t *testing.T) {
	for text := range strings.SplitSeq(*stored, ",") {
		bytes, err := size.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(text, func(t *testing.T) {
			r := newRig(t, harness.Options{Disksize: "16G"})
			pages := fill(t, r, int64(bytes))
			p := probe(t, r.Image)
			var all times
			for end := time.Now().Add(share(8)); len(all) < 10 || time.Now().Before(end); {
				r.ready()
				died := r.kill()
				all = append(all, p.answered(t, died))
				r.takenOver()
			}
			p.stop()
			if mm := r.MM(); mm.Orig != pages*page {
				t.Errorf("after %d deaths %d bytes are stored, want %d", r.deaths, mm.Orig, pages*page)
			}
			compare(t, r, pages)
			t.Logf("%s stored: %v", text, all)
			results.takeOver(text, all)
			r.finish()
		})
	}
}

// fillChunk is how many pages are written at a time.
const fillChunk = 256

// fill stores bytes of pages of all kinds but zeros, so that each takes its place.
func fill(t *testing.T, r *rig, bytes int64) (pages int64) {
	t.Helper()
	pages = bytes / page
	eachChunk(t, r, pages, func(fd int, chunk []byte, at int64) error {
		_, err := unix.Pwrite(fd, chunk, at)
		return err
	})
	return pages
}

// compare wants what fill has stored.
func compare(t *testing.T, r *rig, pages int64) {
	t.Helper()
	wrong := 0
	var mu sync.Mutex
	eachChunk(t, r, pages, func(fd int, chunk []byte, at int64) error {
		got := make([]byte, len(chunk))
		if _, err := unix.Pread(fd, got, at); err != nil {
			return err
		}
		for i := 0; i < len(got); i += page {
			if string(got[i:i+page]) != string(chunk[i:i+page]) {
				mu.Lock()
				wrong++
				mu.Unlock()
			}
		}
		return nil
	})
	if wrong > 0 {
		t.Errorf("%d of %d pages are not what was written", wrong, pages)
	}
}

// eachChunk calls f with what the pages hold, a chunk at a time.
func eachChunk(t *testing.T, r *rig, pages int64, f func(fd int, chunk []byte, at int64) error) {
	t.Helper()
	fd, err := unix.Open(r.Image, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const fillers = 2
	var errs [fillers]error
	var done sync.WaitGroup
	for k := range int64(fillers) {
		done.Go(func() {
			chunk := make([]byte, fillChunk*page)
			for first := k * fillChunk; first < pages && errs[k] == nil; first += fillers * fillChunk {
				n := min(pages-first, fillChunk)
				for i := range n {
					kind := []harness.Content{harness.Half, harness.Half, harness.Text, harness.Random, harness.Same}[(first+i)%5]
					harness.FillPage(chunk[i*page:(i+1)*page], kind, uint64(first+i))
				}
				errs[k] = f(fd, chunk[:n*page], first*page)
			}
		})
	}
	done.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
