package stopwatch

import "time"

// Watch times work that is done in pieces, all of it several times over, and
// keeps for each piece its fastest time. Pieces are short, so one that another
// program interrupted is, as a rule, not interrupted the next time: a machine
// that is not quite idle disturbs the sum much less than it would a whole.
type Watch struct{ fastest []time.Duration }

// New returns one for so many pieces.
func New(pieces int) *Watch { return &Watch{make([]time.Duration, pieces)} }

// Note adds a time of piece i, which began at start and ends now.
func (w *Watch) Note(i int, start time.Time) {
	d := max(time.Since(start), 1) // 0 stands for none
	if w.fastest[i] == 0 || d < w.fastest[i] {
		w.fastest[i] = d
	}
}

// Speed is in MB/s, for all pieces together being bytes long.
func (w *Watch) Speed(bytes int) float64 {
	var sum time.Duration
	for _, d := range w.fastest {
		sum += d
	}
	return float64(bytes) / 1e6 / sum.Seconds()
}
