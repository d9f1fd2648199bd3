package soak

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

var (
	soakTime = flag.Duration("soak.time", 5*time.Second, "how long to soak")
	soakSeed = flag.Uint64("soak.seed", 0, "seed of the soak; 0 = one at random")
)

func TestSoak(t *testing.T) {
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	if err := Run(Config{Seed: seed, For: *soakTime, Dir: t.TempDir(), Out: os.Stdout}); err != nil {
		t.Fatal(err)
	}
}
