package zramabi

import (
	"strconv"
	"strings"
)

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
	err := eachParam(s, func(pair Pair) (err error) {
		switch pair.Key {
		case "priority":
			return p.Priority.parse(pair.Value)
		case "level":
			return p.Level.parse(pair.Value)
		case "deflate.winbits":
			return p.WinBits.parse(pair.Value)
		case "algo":
			p.Algo = pair.Value
		case "dict":
			p.Dict = pair.Value
		}
		return nil
	})
	if err != nil {
		return AlgorithmParams{}, err
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
