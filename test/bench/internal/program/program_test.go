package program

import (
	"context"
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestStart(t *testing.T) {
	bad := errors.New("bad")
	for _, c := range []struct {
		name       string
		parse, run error
		code       int
		says       string
	}{
		{"all is well", nil, nil, 0, ""},
		{"help", flag.ErrHelp, bad, 0, ""},
		{"bad arguments", bad, nil, 2, "prog: bad\n"},
		{"a failure", nil, bad, 1, "prog: bad\n"},
	} {
		var says strings.Builder
		code := start(t.Context(), "prog", []string{"a"}, &says,
			func(args []string) (string, error) { return args[0], c.parse },
			func(_ context.Context, o string) error {
				if o != "a" {
					t.Errorf("%s: options %q", c.name, o)
				}
				return c.run
			})
		if code != c.code || says.String() != c.says {
			t.Errorf("%s: exit code %d, %q; want %d, %q", c.name, code, says.String(), c.code, c.says)
		}
	}
}
