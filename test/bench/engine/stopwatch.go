package main

import "time"

// stopwatch times work that is done in pieces, all of it several times over, and
// keeps for each piece its fastest time. Pieces are short, so one that another
// program interrupted is, as a rule, not interrupted the next time: a machine
// that is not quite idle disturbs the sum much less than it would a whole.
type stopwatch struct{ fastest []time.Duration }

func newStopwatch(pieces int) *stopwatch { return &stopwatch{make([]time.Duration, pieces)} }

// note adds a time of piece i, which began at start and ends now.
func (s *stopwatch) note(i int, start time.Time) {
	d := max(time.Since(start), 1) // 0 stands for none
	if s.fastest[i] == 0 || d < s.fastest[i] {
		s.fastest[i] = d
	}
}

// speed is in MB/s, for all pieces together being bytes long.
func (s *stopwatch) speed(bytes int) float64 {
	var sum time.Duration
	for _, d := range s.fastest {
		sum += d
	}
	return float64(bytes) / 1e6 / sum.Seconds()
}
