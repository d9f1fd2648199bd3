package report

import (
	"fmt"
	"io"
	"strings"
)

// Ratio writes the line of a ratio. Nothing is written, and the reason said,
// when either side has no figure.
func Ratio(w io.Writer, name string, ours, theirs Series) {
	v, ok := ours.Over(theirs)
	if !ok {
		Missing(w, name, "one of the two sides gave no figure")
		return
	}
	fmt.Fprintf(w, "ratio %s %.3f\n", Name(name), v)
}

// Figure writes the line of a figure that has no peer.
func Figure(w io.Writer, name string, ours Series, unit string) {
	fmt.Fprintf(w, "figure %s %.1f %s\n", Name(name), ours.Median(), unit)
}

// Missing writes why there is no ratio under name.
func Missing(w io.Writer, name, reason string) {
	fmt.Fprintf(w, "missing %s %s\n", Name(name), strings.ReplaceAll(reason, "\n", "; "))
}

// Name makes a line's name of s: lower case, and _ for all that is neither a
// letter nor a digit, as in lzo_rle.
func Name(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(s))
}
