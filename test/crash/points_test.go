package crash

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestPoints: a worker dies at every step that a load comes by, again and again, with the load going on all the time. Every
// page is what it should be, nothing failed, and nothing leaked.
func TestPoints(t *testing.T) {
	for i := range drivers {
		d := &drivers[i]
		t.Run(d.name, func(t *testing.T) { d.run(t, share(50)/time.Duration(len(drivers))) })
	}
}

// run kills at each of the driver's points once, and goes round until the time is over.
func (d *driver) run(t *testing.T, length time.Duration) {
	r := newRig(t, d.options(t))
	if d.prepare != nil {
		d.prepare(t, r)
	}
	seed := newSeed(t)
	stop := d.start(t, r, seed)
	random := rand.New(rand.NewPCG(seed, 1))
	points := d.points()
	for round, end := 0, time.Now().Add(length); round == 0 || time.Now().Before(end); round++ {
		for _, s := range points {
			r.ready()
			r.killAt(s.Point, 1+random.Int64N(20), nil)
			r.takenOver()
			results.held(s.Point)
		}
	}
	stop()
	r.finish()
	t.Logf("%d deaths at %d points", r.deaths, len(points))
}
