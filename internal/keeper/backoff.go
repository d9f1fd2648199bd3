package keeper

import "time"

const (
	// goodLife: a process that was up for so long is not one that fails again and again.
	goodLife = 500 * time.Millisecond
	// deathLimit early deaths within deathWindow are too many.
	deathLimit  = 5
	deathWindow = time.Minute
	firstPause  = time.Second
	longPause   = 30 * time.Second
)

// backoff says how long to wait before a process is started again. Only early deaths count, those within goodLife: a worker
// that is killed every second by somebody else has done its work for a second each time, and to wait would only make it
// worse. Times are those of the monotonic clock.
type backoff struct {
	limit  int // early deaths within deathWindow that are too many, at most len(deaths); 0 = never wait
	deaths [16]time.Duration
	n      int // of all early deaths
	pause  time.Duration
}

// died counts a death at now of a process that was up for life, and returns how long to wait.
func (b *backoff) died(now, life time.Duration) time.Duration {
	if life >= goodLife || b.limit == 0 {
		return 0
	}
	if b.n > 0 && now-b.deaths[(b.n-1)%len(b.deaths)] > deathWindow {
		b.n, b.pause = 0, 0
	}
	b.deaths[b.n%len(b.deaths)] = now
	b.n++
	if b.n < b.limit || now-b.deaths[(b.n-b.limit)%len(b.deaths)] > deathWindow {
		return 0
	}
	b.pause = min(max(2*b.pause, firstPause), longPause)
	return b.pause
}
