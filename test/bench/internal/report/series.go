package report

import (
	"fmt"
	"slices"
)

// Series is the figures that one thing gave, one for each round.
type Series []float64

// Median is the middle figure, or the mean of the two in the middle; 0 for an
// empty series.
func (s Series) Median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// Over is the median of s relative to that of t; false if one of them has none.
func (s Series) Over(t Series) (float64, bool) {
	ours, theirs := s.Median(), t.Median()
	if ours <= 0 || theirs <= 0 {
		return 0, false
	}
	return ours / theirs, true
}

// String is the median with the extremes around it, in three digits or more.
func (s Series) String() string {
	if len(s) == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s-%s)", digits(s.Median()), digits(slices.Min(s)), digits(slices.Max(s)))
}

// digits is v with no more decimals than make three digits.
func digits(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
