package status

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Figure is one statistic.
type Figure struct {
	Name  string // snake_case
	Value uint64
}

// Stats lists a device's figures in the order of their definition. In JSON it
// is one object, in the same order.
type Stats []Figure

// Get returns the figure called name; ok is false if there is none.
func (s Stats) Get(name string) (value uint64, ok bool) {
	for _, f := range s {
		if f.Name == name {
			return f.Value, true
		}
	}
	return 0, false
}

// Plus is the sum of two lists of the same figures; an empty one counts as zeros.
func (s Stats) Plus(t Stats) Stats {
	if len(s) == 0 {
		return t
	}
	for i := range s {
		if i < len(t) {
			s[i].Value += t[i].Value
		}
	}
	return s
}

// MarshalJSON implements json.Marshaler.
func (s Stats) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, f := range s {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, f.Name)
		out = append(out, ':')
		out = strconv.AppendUint(out, f.Value, 10)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Stats) UnmarshalJSON(text []byte) error {
	*s = nil
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("stats: %.20q is no JSON object", text)
	}
	for dec.More() {
		var f Figure
		name, err := dec.Token()
		if err != nil {
			return fmt.Errorf("stats: %w", err)
		}
		f.Name, _ = name.(string)
		if err := dec.Decode(&f.Value); err != nil {
			return fmt.Errorf("stats: %s: %w", f.Name, err)
		}
		*s = append(*s, f)
	}
	return nil
}
