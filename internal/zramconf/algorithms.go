package zramconf

import (
	"errors"
	"strings"
)

// Algorithm is one of a device's algorithms.
type Algorithm struct {
	Name   string
	Params string // key=value, separated by blanks
}

// parseAlgorithms reads words such as "lz4 zstd(level=3) (type=idle)": the first names the primary algorithm, further ones
// those to recompress by, each with its parameters in brackets; brackets alone are parameters of recompression as such.
// Blanks within brackets do not end a word.
func parseAlgorithms(text string) (list []Algorithm, recompress string, err error) {
	for _, word := range splitWords(text) {
		name, params, bracket := strings.Cut(word, "(")
		if bracket {
			var closed bool
			if params, closed = strings.CutSuffix(params, ")"); !closed || strings.ContainsAny(params, "()") {
				return nil, "", errors.New("brackets do not match")
			}
			params = strings.Join(strings.FieldsFunc(params, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }), " ")
		}
		switch {
		case strings.Contains(name, ")"):
			return nil, "", errors.New("brackets do not match")
		case name == "":
			recompress = params
		default:
			list = append(list, Algorithm{name, params})
		}
	}
	if len(list) > maxAlgorithms {
		return nil, "", errors.New("there is room for one algorithm and three to recompress by")
	}
	return list, recompress, nil
}

// maxAlgorithms is how many a device can have.
const maxAlgorithms = 4

// splitWords splits text at blanks outside brackets.
func splitWords(text string) []string {
	depth := 0
	return strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		return depth <= 0 && (r == ' ' || r == '\t')
	})
}
