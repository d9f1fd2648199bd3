package zramabi

import (
	"fmt"
	"strings"
	"syscall"
)

// Pair is one key=value of a command; HasValue is false for a key alone.
type Pair struct {
	Key, Value string
	HasValue   bool
}

// ParsePairs splits a command into its pairs, separated by white space. A value
// or a whole pair may stand in double quotes. A = at the very beginning makes no
// pair. It never fails: whether a key alone is an error is for its user to say.
func ParsePairs(s string) []Pair {
	var pairs []Pair
	for s = trimSpace(s); s != ""; s = trimSpace(s) {
		var token string
		token, s = cutToken(s)
		pairs = append(pairs, parsePair(token))
	}
	return pairs
}

// cutToken splits s at the first white space outside quotes.
func cutToken(s string) (token, rest string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case isSpace(s[i]) && !quoted:
			return s[:i], s[i:]
		}
	}
	return s, ""
}

func parsePair(token string) Pair {
	if inner, ok := strings.CutPrefix(token, `"`); ok {
		token = strings.TrimSuffix(inner, `"`)
	}
	i := strings.IndexByte(token, '=')
	if i <= 0 {
		return Pair{Key: token}
	}
	value := token[i+1:]
	if inner, ok := strings.CutPrefix(value, `"`); ok {
		value = strings.TrimSuffix(inner, `"`)
	}
	return Pair{Key: token[:i], Value: value, HasValue: true}
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

// eachParam calls set for each pair of a command of params; set ignores what it
// does not know. EINVAL: a key without value; else what set returns.
func eachParam(s string, set func(Pair) error) error {
	for _, pair := range ParsePairs(s) {
		if pair.Value == "" {
			return fmt.Errorf("%.40q: want %.40s=VALUE: %w", pair.Key, pair.Key, syscall.EINVAL)
		}
		if err := set(pair); err != nil {
			return fmt.Errorf("%s: %w", pair.Key, err)
		}
	}
	return nil
}
