package crash

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"uzram/test/harness"
)

var (
	length  = flag.Duration("crash.time", 30*time.Second, "how long to kill in all")
	figures = flag.Bool("crash.figures", false, "write the figures of this run into docs/crash.md")
	large   = flag.Bool("crash.large", false, "swap with a hog of 1.5 GiB in 512 MiB")
	stored  = flag.String("crash.stored", "0,64M", "bytes stored, of which the time of a take-over is measured, separated by commas")
)

const (
	page = harness.PageSize
	kib  = int64(1) << 10
	mib  = int64(1) << 20

	// patience is for what should take milliseconds but waits for other processes.
	patience = 30 * time.Second
)

func TestMain(m *testing.M) {
	code := harness.Main(m)
	if code == 0 && *figures {
		if err := os.WriteFile(documentPath(), []byte(results.document()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// newSeed returns a seed and prints it.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %#x", seed)
	return seed
}

// share is a part of the time that the run has.
func share(percent int) time.Duration { return *length * time.Duration(percent) / 100 }
