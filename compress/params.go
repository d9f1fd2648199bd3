package compress

import (
	"fmt"
	"math"
	"strings"
	"syscall"
)

// maxDict is the largest dictionary in bytes: what an LZ4 offset reaches.
const maxDict = 64 << 10

// span is a range of parameter values, both ends included.
type span struct{ min, max int32 }

func (s span) String() string {
	if s.max == math.MaxInt32 {
		return fmt.Sprintf("%d or more", s.min)
	}
	return fmt.Sprintf("%d..%d", s.min, s.max)
}

// rule says which parameters an algorithm takes. The values are the kernel's;
// winbits of an algorithm without any are ignored as they are there, while a
// level or a dictionary that has no meaning is refused.
type rule struct {
	levels  []span             // none: a level is EOPNOTSUPP
	level   int32              // the default
	winBits []span             // none: ignored
	winBit  int32              // the default
	dict    func([]byte) error // says whether a dictionary will do; nil: it is EOPNOTSUPP
}

// check returns the first objection to p.
func (r *rule) check(name string, p Params) error {
	switch {
	case len(p.Dict) > 0 && r.dict == nil:
		return fmt.Errorf("%s takes no dictionary: %w", name, syscall.EOPNOTSUPP)
	case len(p.Dict) > maxDict:
		return fmt.Errorf("%s dictionary of %d bytes, want at most %d: %w", name, len(p.Dict), maxDict, syscall.EINVAL)
	case p.HasLevel && r.levels == nil:
		return fmt.Errorf("%s takes no level: %w", name, syscall.EOPNOTSUPP)
	case p.HasLevel && !within(r.levels, p.Level):
		return fmt.Errorf("%s level %d, want %s: %w", name, p.Level, describe(r.levels), syscall.EINVAL)
	case p.HasWinBits && r.winBits != nil && !within(r.winBits, p.WinBits):
		return fmt.Errorf("%s winbits %d, want %s: %w", name, p.WinBits, describe(r.winBits), syscall.EINVAL)
	case len(p.Dict) > 0:
		if err := r.dict(p.Dict); err != nil {
			return fmt.Errorf("%s dictionary: %w: %w", name, err, syscall.EINVAL)
		}
	}
	return nil
}

// anyDict is the rule of an algorithm to which a dictionary is mere text.
func anyDict([]byte) error { return nil }

// fill returns p with the defaults in place of what is absent; an empty
// dictionary becomes none.
func (r *rule) fill(p Params) Params {
	if !p.HasLevel {
		p.Level = r.level
	}
	if !p.HasWinBits {
		p.WinBits = r.winBit
	}
	if len(p.Dict) == 0 {
		p.Dict = nil
	}
	return p
}

func within(spans []span, v int32) bool {
	for _, s := range spans {
		if s.min <= v && v <= s.max {
			return true
		}
	}
	return false
}

func describe(spans []span) string {
	words := make([]string, len(spans))
	for i, s := range spans {
		words[i] = s.String()
	}
	return strings.Join(words, " or ")
}
