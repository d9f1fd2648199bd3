package main

import (
	"os"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-devices=0"}, {"-devices=5000"}, {"-cycles=0"}, {"-loop=maybe"}, {"-nothing"}} {
		if o, err := parse(args); err == nil {
			t.Errorf("%q: %+v", args, o)
		}
	}
	if o, err := parse([]string{"-loop=yes"}); err != nil || len(o.loops) != 1 || !o.loops[0] || o.devices != 1000 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestFigures(t *testing.T) {
	own, err := memory(os.Getpid())
	if err != nil || own["RssAnon"] == 0 || own["Threads"] == 0 {
		t.Errorf("%v, %v", own, err)
	}
	if n := descriptors(os.Getpid()); n < 3 {
		t.Errorf("%d descriptors", n)
	}
	if got, want := len(figures{}.cells()), len(figureHead)-1; got != want {
		t.Errorf("%d cells for %d columns", got, want)
	}
}
