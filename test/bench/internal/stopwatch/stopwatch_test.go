package stopwatch

import (
	"testing"
	"time"
)

func TestWatchKeepsTheFastest(t *testing.T) {
	w := New(2)
	long := time.Now().Add(-time.Hour)
	w.Note(0, long)
	w.Note(1, long)
	if v := w.Speed(7200e6); v < 0.99 || v > 1 {
		t.Errorf("7200 MB in two hours are %v MB/s, want 1", v)
	}
	w.Note(0, time.Now().Add(-time.Minute))
	w.Note(1, long)
	if v := w.Speed(3660e6); v < 0.99 || v > 1 {
		t.Errorf("3660 MB in a minute and an hour are %v MB/s, want 1", v)
	}
	w.Note(0, time.Now()) // less than the clock can tell, perhaps
	if w.fastest[0] <= 0 || w.fastest[0] > time.Minute/2 {
		t.Errorf("fastest %v", w.fastest[0])
	}
}
