package crash

import (
	"math/rand/v2"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestStorm: processes of the keeper die up to 80 ms apart, whoever it is and however far he has come, while fio verifies what
// it writes through a loop device.
func TestStorm(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "128M", Loop: true})
	seed := newSeed(t)
	length := share(6)
	p := fio(t, r.Loop, 64*mib, length, seed)
	random := rand.New(rand.NewPCG(seed, 3))
	for end := time.Now().Add(length); time.Now().Before(end) && p.Running(); {
		time.Sleep(time.Duration(random.Int64N(int64(80 * time.Millisecond))))
		pids := r.children()
		if len(pids) == 0 {
			continue
		}
		// It may have ended by itself: a standby that was told to go finds another worker dead.
		if err := unix.Kill(pids[random.IntN(len(pids))], unix.SIGKILL); err == nil {
			r.deaths++
		}
	}
	fioEnds(t, p, hangTime+patience)
	r.worker = r.state().Worker
	r.PID = r.worker
	r.finish()
	t.Logf("%d deaths", r.deaths)
	results.load("a storm: any process, 0 to 80 ms apart", r.deaths, "")
}
