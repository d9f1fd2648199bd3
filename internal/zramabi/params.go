package zramabi

import (
	"fmt"
	"strconv"
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

// Optional is a number that need not be given.
type Optional struct {
	Value int32
	Given bool
}

// AlgorithmParams is one write to algorithm_params. An empty string is not
// given: the file takes no empty values.
type AlgorithmParams struct {
	Priority, Level, WinBits Optional
	Algo, Dict               string
}

// ParseAlgorithmParams reads a command. Later keys win; unknown keys with a
// value are ignored. EINVAL: a key without value, or not a number; ERANGE: more
// than 32 bits.
func ParseAlgorithmParams(s string) (AlgorithmParams, error) {
	var p AlgorithmParams
	for _, pair := range ParsePairs(s) {
		if pair.Value == "" {
			return AlgorithmParams{}, fmt.Errorf("%.40q: want %.40s=VALUE: %w", pair.Key, pair.Key, syscall.EINVAL)
		}
		var err error
		switch pair.Key {
		case "priority":
			err = p.Priority.parse(pair.Value)
		case "level":
			err = p.Level.parse(pair.Value)
		case "deflate.winbits":
			err = p.WinBits.parse(pair.Value)
		case "algo":
			p.Algo = pair.Value
		case "dict":
			p.Dict = pair.Value
		}
		if err != nil {
			return AlgorithmParams{}, fmt.Errorf("%s: %w", pair.Key, err)
		}
	}
	return p, nil
}

func (o *Optional) parse(s string) error {
	n, err := parseInt(s)
	if err == nil {
		*o = Optional{n, true}
	}
	return err
}

// String is a command that ParseAlgorithmParams reads as p, without newline.
// Values must hold no double quotes.
func (p AlgorithmParams) String() string {
	var parts []string
	number := func(key string, o Optional) {
		if o.Given {
			parts = append(parts, key+"="+strconv.Itoa(int(o.Value)))
		}
	}
	text := func(key, value string) {
		if value != "" {
			parts = append(parts, key+`="`+value+`"`)
		}
	}
	number("priority", p.Priority)
	text("algo", p.Algo)
	number("level", p.Level)
	text("dict", p.Dict)
	number("deflate.winbits", p.WinBits)
	return strings.Join(parts, " ")
}
